/* SPDX-License-Identifier: Apache-2.0 */
/* A new shim for a container whose shim was killed. */
#pragma once

#include "runtime/engine/engine.h"

struct shim_client;

/*
 * Starts one that goes on where the dead one was (runtime/shim/adopt.h), or finds the one that
 * another command has started meanwhile. -ENOENT, without a sentence, when there is nothing to
 * adopt.
 */
int engine_adopt(struct engine *engine, const struct engine_container *container,
		 struct shim_client **ret, struct err *err);
