/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: one process that holds one container, or all containers of a pod, and serves the
 * Task API for them until it is told to end or has nothing left to hold.
 *
 * Its end. With an exit file (ctr's containers) the shim cleans up by itself when the init has
 * ended, network and address included, and leaves when nobody is connected any more and the file
 * is written, for which a full disk has to get room; with a removal asked for it removes the
 * container first and then leaves at once, so that the connection's end tells that all is gone.
 * Otherwise (containerd) it stays until Shutdown. One that was never given a container leaves with
 * its last client, or after ten seconds without any.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"
#include "runtime/shim/backend.h"
#include "runtime/shim/events.h"
#include "runtime/shim/reaper.h"
#include "runtime/shim/resolver.h"
#include "runtime/shim/server.h"
#include "runtime/shim/task.h"

/* What the program does for ctr's containers: engine_remove(), engine_release(), event_tell(). */
struct shim_engine {
	/* ended: of its processes, cgroup and state nothing is left. */
	int (*remove)(const char *root, const char *runroot, const char *id, bool ended,
		      struct err *err);
	void (*release)(const char *root, const char *runroot, const char *id);
	/* NULL: nobody is told of events. attributes: key, value, ..., NULL */
	void (*tell)(const char *root, const char *runroot, const char *id, const char *action,
		     const char *const *attributes);
	resolver_find_fn resolve; /* engine_resolve(); NULL: names of containers are unknown */
};

struct shim_options {
	const char *namespace_;
	const char *socket_path;   /* unlinked at the end; NULL */
	const char *ttrpc_address; /* of containerd's events; NULL */
	const struct backend_ops *backend;
	const char *adopt;		  /* bundle of a container whose shim is dead; NULL */
	const Upgrade__State *upgrade;	  /* left by another program in this process; NULL */
	const struct shim_engine *engine; /* NULL: only containerd is served */
};

struct shim {
	const struct shim_options *options;
	struct loop *loop;
	struct server *server;
	struct events *events;
	struct reaper *reaper;
	struct task *tasks;
	struct task *creating; /* those that are being made: nobody finds them */
	bool had_task;
	bool durable;	   /* a client like containerd made a task: stay until Shutdown */
	bool leave_wanted; /* a Shutdown came while the last container was being undone */
	bool ending, unlisted;
	/* An upgrade (upgrade.h) that waits for its turn; NULL: none. */
	struct rpc_call *upgrade;
	char *upgrade_binary;
	struct loop_source *upgrade_turn;
	struct loop_source *leaving;	  /* shim_leave() that waits; NULL */
	struct loop_source *first_client; /* what happens when none comes; NULL: one came */
	struct loop_source *sweep;	  /* fifo_sweep.h; NULL: nothing to look for */
	unsigned sweep_looks;		  /* since a client was last seen to go */
	struct loop_source *trim;	  /* NULL: nothing was done since the last time */
	bool trim_again;		  /* more was done since that was set */
};

/* Serves until the end; owns listen_fd. 0, or -errno where it could not begin. */
int shim_serve(const struct shim_options *options, int listen_fd, struct err *err);

/* The parts of it, for tests that run the loop themselves. */
int shim_init(struct shim *shim, struct loop *loop, const struct shim_options *options,
	      int listen_fd, struct err *err);
void shim_deinit(struct shim *shim);

/* Leaves the loop if the rules above say so; called whenever one of their conditions changed. */
void shim_check_end(struct shim *shim);

/* Something was done: a second later, all memory that it took is given back. */
void shim_trim_soon(struct shim *shim);

/* From here on nobody finds the shim; who is connected stays so. */
void shim_stop_listening(struct shim *shim);

/* Leaves the loop once the events are out. */
void shim_end(struct shim *shim);

/*
 * The same on request. With no container left who else is connected may be about to create one: it
 * was told by `start` that this shim is its group's. So that has two seconds, and a Create calls it
 * off.
 */
void shim_leave(struct shim *shim);
