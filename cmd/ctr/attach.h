/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process of a container in the foreground, shared by run and exec: its FIFOs and our own stdio
 * are coupled, signals and changes of the terminal's size are passed on, until it has ended and all
 * it wrote is delivered.
 *
 * What a person sees: a container whose output nobody reads any more (`ctr run ... | head`) ends as
 * a program would, by SIGPIPE, or by SIGKILL where it does not mind; the third SIGINT or SIGTERM in
 * a row that is passed on in vain makes ctr leave, and the container stays.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "runtime/engine/engine.h"
#include "runtime/shim/client.h"

struct attach_options {
	struct shim_client *control; /* for kill and resize */
	struct shim_client *waiter;  /* after shim_wait_begin() */
	const char *id, *exec_id;    /* exec_id NULL: the container itself */
	struct engine_stdio *io;     /* our ends; stdin is closed at our stdin's end */
	bool terminal;
	/* Of a terminal: what makes us leave; NULL: the default. */
	const char *detach_keys;
	/* Clients that came later: nobody waits for them, who do not read are left behind. */
	bool late;
	/*
	 * The shim died: connects to another one that has taken the container over, and begins to
	 * wait there; both stay the caller's. >0: it has ended meanwhile, as ret tells. NULL: there
	 * is no other one.
	 */
	int (*find_next)(void *data, struct shim_client **ret_control,
			 struct shim_client **ret_waiter, struct shim_exit *ret);
	void *data;
};

/* Blocks the signals that attach_run() passes on, so that none is lost or fatal before. */
void attach_block_signals(void);

/* Says so, and returns the exit status that stands for it. */
int attach_tell_detached(const char *name);

/* 0 with its end in ret; 1 when the person typed the keys that leave it; -EINTR when the person
 * left it running; -ECONNRESET when its shim died. */
int attach_run(const struct attach_options *options, struct shim_exit *ret, struct err *err);
