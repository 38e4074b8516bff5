/* SPDX-License-Identifier: Apache-2.0 */
/* "mounts" of meta.json: binds, volumes and tmpfs that the container was made with. */
#pragma once

#include "base/json.h"
#include "runtime/engine/engine_mounts.h"

void meta_mounts_format(struct json_writer *w, const struct engine_mount *mounts, size_t count);

/* Absent: none. What lives in the arena. */
int meta_mounts_parse(const struct json_node *root, struct arena *arena,
		      const struct engine_mount **ret, size_t *ret_count, struct err *err);
