/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation between the runtime and cellar-init over one SOCK_SEQPACKET pair. Both sides
 * walk the same numbered list:
 *
 *	   runtime				init
 *	1  BEGIN, with plan and fds ->		joins the v1 cgroups, checks the plan
 *	2					stage only: joins, clones, <- CHILD with a pidfd
 *	3  writes id maps, MAPPED ->		becomes root of its user namespace
 *	4  (runs hooks)				<- HOOKS, namespaces and mounts are there
 *	5  HOOKS_DONE, with state files ->	runs createContainer hooks, enters the root
 *	   (connects, makes the state)		<- LISTENER, where seccomp has one
 *	   LISTENER_DONE, with both ->
 *	6  sets limits that init may not	<- READY, with the terminal's master
 *	7  START ->				or by the exec fifo, without a runtime there, or
 *						at once, where BEGIN said so and READY asks for
 *						no limits
 *	8					startContainer hooks, <- EXECUTING, executes
 *
 * A process that enters a running container (exec) is cloned late: CHILD comes just before READY.
 *
 * FAILED takes the place of any message of init, after which it is gone. The end of the socket
 * after EXECUTING means that the program runs.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SYNC_FDS_MAX 250      /* the kernel takes 253 a message */
#define SYNC_INLINE_MAX 98304 /* larger plans come in a memfd */

enum sync_type {
	SYNC_BEGIN = 1,
	SYNC_CHILD,
	SYNC_MAPPED,
	SYNC_HOOKS,
	SYNC_HOOKS_DONE,
	SYNC_LISTENER,
	SYNC_LISTENER_DONE,
	SYNC_READY,
	SYNC_START,
	SYNC_EXECUTING,
	SYNC_FAILED,
};

/* What the fds of BEGIN are, by their place in the message; -1: not there. */
struct sync_begin {
	uint32_t type;
	uint32_t plan_size; /* the plan follows in the same message unless plan_fd */
	uint32_t want_hooks;
	int32_t plan_fd;
	int32_t fifo_fd;
	int32_t target_pidfd;
	int32_t namespace_fds; /* first of one per plan->namespaces */
	int32_t rootfs_fd;     /* the root's mount, detached */
	int32_t mount_fds;     /* first of one per bind mount of the plan, in its order */
	uint32_t start_early;
	int32_t task_fds; /* first of those of the v1 cgroups to join */
	uint32_t task_fds_count;
	int32_t hook_stdout_fd; /* files that collect what hooks say */
	int32_t hook_stderr_fd;
	uint32_t unused;
};

/* Everything else. Only what is used of it is sent. */
struct sync_message {
	uint32_t type;
	int32_t value; /* CHILD: the pid; HOOKS_DONE: state files; READY: limits that init may not
			  set */
	uint32_t step; /* FAILED: enum init_step */
	uint32_t unused;
	struct err err; /* FAILED */
};

#define SYNC_SHORT offsetof(struct sync_message, err)

/*
 * Errors of the file system code that a caller must not take for "program not found" (127) and
 * "program not executable" (126): only looking the program up and executing it give ENOENT and
 * EACCES.
 */
static inline int sync_code(int code, int is_program)
{
	enum { ENOENT_ = 2, EIO_ = 5, EACCES_ = 13 };

	return !is_program && (code == ENOENT_ || code == EACCES_) ? EIO_ : code;
}

/* The steps of init, in their order; their names are what `--debug` shows. */
#define INIT_STEPS(X)                                   \
	X(BEGIN, "receive the plan")                    \
	X(STAGE, "join namespaces and clone")           \
	X(USER, "become root of the user namespace")    \
	X(JOIN, "join namespaces by path")              \
	X(SESSION, "session and keyring")               \
	X(HOST, "loopback, host name, kernel settings") \
	X(ROOT, "prepare the root file system")         \
	X(MOUNTS, "mounts")                             \
	X(DEVICES, "devices")                           \
	X(TERMINAL, "terminal")                         \
	X(HOOKS, "hooks")                               \
	X(MASKS, "masked and read-only paths")          \
	X(ENTER, "enter the root")                      \
	X(SCHEDULING, "scheduler and memory policy")    \
	X(IDENTITY, "user, groups, capabilities")       \
	X(PROGRAM, "look the program up")               \
	X(CLONE, "clone into the container")            \
	X(READY, "wait to be started")                  \
	X(START, "start")

enum init_step {
#define INIT_STEP_ENUM(name, text) INIT_STEP_##name,
	INIT_STEPS(INIT_STEP_ENUM)
#undef INIT_STEP_ENUM
		INIT_STEP_COUNT
};
