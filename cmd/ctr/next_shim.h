/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Going on when a container's shim was killed: another one takes it over, for whoever stays with
 * the container (attach_options.find_next).
 */
#pragma once

#include "base/err.h"
#include "runtime/engine/engine.h"
#include "runtime/shim/client.h"

struct next_shim {
	struct engine *engine;
	const struct engine_container *container; /* as it was before */
	/* The caller's; those of the dead one are closed, and these take their place. waiter waits.
	 */
	struct shim_client **control, **waiter;
	/* FIFOs that the shim does not know by itself, to be attached again; NULL: it knows ours.
	 */
	const struct engine_stdio *late;
};

/* Two connections to the container's shim, of which one waits for its end. */
int next_shim_connect(const struct next_shim *next, const struct engine_container *container,
		      struct err *err);

/* 0; 1 when the container has ended, as ret tells; -errno after a while. Says so on stderr. */
int next_shim_find(const struct next_shim *next, struct shim_exit *ret);
