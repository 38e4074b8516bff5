/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has changed of its image, as `ctr diff` shows it. */
#pragma once

#include "base/err.h"
#include "runtime/engine/engine.h"

/*
 * Writes a line each to out_fd, "A /path" for what was added, "C /path" for what was changed, and
 * folders in which something was, "D /path" for what was deleted; in order of names. It may run.
 */
int engine_diff(struct engine *engine, const struct engine_container *container, int out_fd,
		struct err *err);
