/* SPDX-License-Identifier: Apache-2.0 */
/* A container that is made, started, and stayed with: what run and start have in common. */
#pragma once

#include "cmd/ctr/verbs.h"
#include "runtime/engine/engine.h"
#include "runtime/shim/client.h"

struct foreground {
	const struct verb *verb;	    /* that complains */
	struct engine *engine;		    /* owned, as the container and the ends of its stdio */
	struct engine_container *container; /* created, with a shim */
	struct engine_stdio io;
	bool detach;
	const char *told;    /* what is printed once it is started; NULL: its id */
	const char *cidfile; /* or NULL */
	const char *detach_keys;
	struct shim_client *control, *waiter;
};

/* Starts it, and stays until its end unless detach. Returns the exit status, or -errno. */
int foreground_start(struct foreground *fg, struct err *err);
void foreground_deinit(struct foreground *fg);

/* The exit status that stands for a container that could not be made. */
int foreground_code_of_failure(const struct err *err);
