/* SPDX-License-Identifier: Apache-2.0 */
/* "namespaces" of meta.json: { "pid": "host", "ipc": "container:web" }; what is private is absent.
 */
#pragma once

#include "base/json.h"
#include "runtime/engine/engine_namespaces.h"

void meta_namespaces_format(struct json_writer *w, const struct engine_namespaces *ns);

/* Absent: all private. What lives in the arena. */
int meta_namespaces_parse(const struct json_node *root, struct arena *arena,
			  struct engine_namespaces *ret, struct err *err);
