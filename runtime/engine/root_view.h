/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's root as an open folder: of a running one /proc/PID/root, certain to be its by its
 * pidfd; of another one its overlay, mounted by a child in a mount namespace of its own
 * (mount_child.h), under the lock of who makes and removes, so that nobody starts it meanwhile.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "runtime/engine/engine.h"

struct root_view {
	int root_fd;
	/* What is to be added to ids in it to get the container's own. */
	int64_t shift;
};

/*
 * Calls fn with the container's root, maybe in a child (then only its result and err come back).
 * mounts: with volumes and binds of one that does not run; one that runs has all that it sees.
 */
int root_view_run(struct engine *engine, const struct engine_container *container, bool mounts,
		  int (*fn)(const void *data, const struct root_view *view, struct err *err),
		  const void *data, struct err *err);
