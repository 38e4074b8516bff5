/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as the engine and its callers know them; on disk they are storage's (storage/volume.h).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine.h"

struct engine_volume {
	const char *name, *data_path;
	const char *const *labels; /* "KEY=VALUE", NULL-terminated, never NULL */
	const char *const *users;  /* ids of containers, NULL-terminated, never NULL */
	int64_t created_ns;	   /* 0: unknown */
	bool anonymous;
};

/* 0, or 1 when it was there already. name NULL: one is made up. ret_name: in the arena. */
int engine_volume_create(struct engine *engine, const char *name, const char *const *labels,
			 struct arena *arena, const char **ret_name, struct err *err);

/* -ENOENT. ret lives in the arena. */
int engine_volume_find(struct engine *engine, const char *name, struct arena *arena,
		       struct engine_volume *ret, struct err *err);

int engine_volume_each(struct engine *engine,
		       int (*fn)(void *data, const struct engine_volume *volume), void *data,
		       struct err *err);

/* -ENOENT; -EBUSY names the container that uses it. */
int engine_volume_remove(struct engine *engine, const char *name, struct err *err);
