/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying a plan out: clone, cellar-init from a sealed memfd, the conversation with it.
 *
 * Theory of operation. The parent clones a child into the new namespaces (and its cgroup2 folder),
 * the child executes cellar-init, which first of all writes "0" to the v1 `tasks` files that come
 * with the plan: what starting it takes is not charged to the container. Nothing else of ours runs
 * inside. Where a pid namespace is joined instead of made (exec too), cellar-init is
 * started in the host's namespaces, joins there, and clones the process with CLONE_PARENT, so that
 * no program of ours but cellar-init can be seen from inside. For exec that clone comes last, after
 * all privileges are dropped, so that a tracer inside finds none. Both sides walk the same numbered
 * list (isolation/init/protocol.h) over one SOCK_SEQPACKET pair:
 *
 *	1 parent writes id maps and sends the plan	2 init sets up namespaces and mounts
 *	3 init: HOOKS, parent runs `hooks`, answers	4 init enters the root, drops what it must
 *	5 init sends the terminal's master, if any	6 init: READY, and waits to be started
 *	7 init loads seccomp and executes the program; the socket (or exec fifo) closes: success
 *
 * A failure on either side ends the other; init's own sentence (struct err) reaches the caller.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "isolation/plan.h"
#include "spec/oci_state.h"

typedef int launch_stalled(void *data, pid_t pid, struct err *err);

struct launch_options {
	const struct plan *plan;
	int cgroup_fd;	     /* cgroup2 folder to be born in, or -1 */
	const int *task_fds; /* open v1 `tasks` files */
	size_t task_fds_count;
	const int *stdio; /* three fds, or NULL: inherited. Unused with a terminal. */
	/*
	 * Open O_PATH exec fifo (made mode 0622 here: the container's user opens it, its folder
	 * keeps others out): after READY init waits for a reader of it, whoever that is
	 * (launch_start). -1: it waits for launch_release() of this process.
	 */
	int exec_fifo_fd;
	/* Runs when the namespaces exist and before the root is entered; may be NULL. */
	int (*hooks)(void *data, pid_t pid, struct err *err);
	/*
	 * State document (JSON, owned by launch_create) for the createContainer (OCI_CREATING) and
	 * startContainer hooks (OCI_CREATED) that init runs. Asked for after `hooks`, and only
	 * when the plan has such hooks.
	 */
	int (*hook_state)(void *data, pid_t pid, enum oci_status status, char **ret,
			  struct err *err);
	/*
	 * For a filter with a listener: the socket of the agent that it is for, and what is said
	 * along with it (JSON); both then belong to launch_create().
	 */
	int (*listener)(void *data, pid_t pid, int *ret_socket, char **ret_state, struct err *err);
	/*
	 * Asked each second in which init says nothing: <0 ends the launch, and says why (its
	 * cgroup is frozen, so that it will say nothing). NULL: init is waited for.
	 */
	launch_stalled *stalled;
	void *hooks_data; /* of all four */
	/* Files on the host that the hooks of init append to; NULL: it goes into the error. */
	const char *hook_stdout, *hook_stderr;
	int target_pidfd; /* exec: init of the container, whose namespaces are joined; else -1 */
	bool no_subreaper;
	/*
	 * Init need not wait for launch_release(): nothing that the caller does before concerns the
	 * program. Saves a round trip between two processes. Without effect where we have to do
	 * something ourselves before the program may run.
	 */
	bool start_early;
};

struct launch {
	pid_t pid;	/* as seen from here */
	int pidfd;	/* owned */
	int sync_fd;	/* owned; -1 once init needs no more from us */
	int console_fd; /* owned; master of the terminal, or -1 */
	bool started;	/* it does not wait for launch_release() */
};

/* A launch that holds nothing. */
#define LAUNCH_NONE ((struct launch){ .pidfd = -1, .sync_fd = -1, .console_fd = -1 })

/*
 * Returns when init is READY. On failure the child is dead and reaped, and nothing is owned.
 * Used for new containers and, with target_pidfd, for exec.
 *
 * Here and below, an error has the code ENOENT only when the program was not found (exit status
 * 127), EACCES or ENOEXEC only when it could not be executed (126); what else would have those
 * codes comes as EIO. ENOMEM also where init was killed by SIGKILL, which a low limit may have
 * done.
 */
int launch_create(const struct launch_options *options, struct launch *ret, struct err *err);

/*
 * Lets a READY init that has no exec fifo execute its program; returns when it did, or with why it
 * could not: then the process has ended and is the caller's to reap. stalled, with data: as in
 * launch_options, may be NULL.
 */
int launch_release(struct launch *launch, launch_stalled *stalled, void *data, struct err *err);

/* The same through an exec fifo, from any process: dirfd/name is the fifo, pidfd the init. */
int launch_start(int dirfd, const char *name, int pidfd, struct err *err);

void launch_deinit(struct launch *launch); /* closes; kills nothing */
