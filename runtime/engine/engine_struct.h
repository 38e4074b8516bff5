/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an engine, for the files of this folder only. */
#pragma once

#include "runtime/engine/engine.h"

struct engine {
	char *root, *runroot; /* absolute, owned */
};

/* Reads the container whose folder is open: what it is and how it is. ret as engine_find. */
int engine_load(struct engine *engine, int dirfd, const char *id, struct engine_container **ret,
		struct err *err);

/* The same of one that was created right now and cannot be in another state. */
int engine_load_created(struct engine *engine, int dirfd, const char *id, pid_t pid,
			struct engine_container **ret, struct err *err);
