/* SPDX-License-Identifier: Apache-2.0 */
/* "limits" of meta.json, and of what `ctr inspect` shows. */
#pragma once

#include "base/json.h"
#include "runtime/engine/engine_limits.h"

/* Key and object. */
void meta_limits_format(struct json_writer *w, const struct engine_limits *limits);

/*
 * root is the whole document. One without "limits" is of the first Cellar, which had three of them
 * beside everything else.
 */
int meta_limits_parse(const struct json_node *root, struct arena *arena, struct engine_limits *ret,
		      struct err *err);
