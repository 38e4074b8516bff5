/* SPDX-License-Identifier: Apache-2.0 */
/* "security" of meta.json, and of what `ctr inspect` shows. */
#pragma once

#include "base/json.h"
#include "runtime/engine/engine_security.h"

/* Key and object. */
void meta_security_format(struct json_writer *w, const struct engine_security *security);

/*
 * root is the whole document. One without "security" is of the first Cellar, which had "privileged"
 * and "readonly_rootfs" beside everything else.
 */
int meta_security_parse(const struct json_node *root, struct arena *arena,
			struct engine_security *ret, struct err *err);
