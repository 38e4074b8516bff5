/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks and their processes, as plain data of the shim. A task is a container: its init and the
 * processes executed in it later. A process goes one way only:
 *
 *	CREATED -> RUNNING -> STOPPED (reaped) -> reported (exit published) -> output delivered
 *	CREATED ------------^
 *
 * Invariants:
 *  1 A process that is STOPPED was reaped, once, and its exit time is set.
 *  2 Who waits for a process is answered when it is reported, and never before an answer to Start.
 *  3 The init is reported last: after every other process of its task that was started.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "runtime/container.h"
#include "runtime/shim/io.h"
#include "runtime/shim/log.h"
#include "runtime/shim/policy.h"
#include "runtime/shim/server.h"
#include "runtime/shim/spool.h"
#include "runtime/shim/task.pb-c.h"

struct adopted;
struct deadline;
struct oom_watch;
struct shim;
struct task;
struct work;
struct work_result;

struct process {
	struct task *task;
	struct process *next; /* of task->execs */
	char *exec_id;	      /* "" for the init */
	enum { PROCESS_CREATED, PROCESS_RUNNING, PROCESS_STOPPED } status;
	bool reported;
	bool terminal;
	char *stdin_path, *stdout_path, *stderr_path;
	char *spec; /* JSON of an exec, until it is started */
	size_t spec_len;
	struct io *io;		/* NULL when it was never opened, and after deletion */
	pid_t pid;		/* 0: none yet */
	int pidfd;		/* of an exec; -1 */
	uint32_t start_failure; /* exit code that a failed Start stands for (126, 127); 0: none */
	uint32_t exit_code;
	bool exit_unknown; /* nobody saw it: exit_code is 255 */
	int64_t started_ns, exited_ns;
	struct rpc_call *waiters;
	size_t waiters_count, waiters_kept; /* now; after those who gave up were last forgotten */
	struct rpc_call *starting;	    /* a Start that waits for a logger, or for hooks */
	struct rpc_call *deleting;	    /* a Delete that waits for the output */
	bool ended_early;		    /* reaped while something was done with it */
	int early_status;		    /* as in waitpid(2) */
	struct loop_source *delete_timer, *report_timer;
	bool overdue; /* is reported before its output is delivered */
};

struct health;
struct ports;
struct resolver;
struct task_restart {
	bool pending;	/* the init has ended, and is to run again; then it is not reported */
	bool forbidden; /* a person asked for the end */
	unsigned count;
	int64_t backoff_ns;
	struct loop_source *timer;
	bool wanted;		      /* one that was asked for, whatever the policy */
	struct rpc_call *asking;      /* who did; NULL: nobody who waits */
	struct loop_source *patience; /* then SIGKILL */
};

struct task {
	struct shim *shim;
	struct task *next;
	char *id, *bundle;
	void *handle; /* of the backend; NULL once destroyed */
	bool lost;    /* there may be a container all the same: settle.h */
	bool mounted; /* something is on BUNDLE/rootfs */
	bool paused, oom_killed, durable;
	bool remove, keep_stdin; /* as client.h says */
	bool no_pivot, no_new_keyring;
	enum container_cgroups cgroups;
	uid_t io_uid;
	gid_t io_gid;
	char *runtime_root, *log_path, *exit_path, *engine_root, *engine_runroot,
		*io_dir;		     /* or NULL */
	char *checkpoint;		     /* images that it comes from; NULL */
	char *criu_program, *criu_work_path; /* NULL: the usual ones */
	struct shim_policy policy;
	struct shim_log *log;	   /* NULL: none */
	struct ports *ports;	   /* task_network.h; NULL */
	struct resolver *resolver; /* the same */
	struct spool *spool;	   /* the same */
	uint64_t pipes[3];	   /* as the journal has them */
	int lock_fd;		   /* of the journal; -1 */
	struct task_restart restart;
	struct health *health;		/* health.h; NULL */
	struct deadline *deadline;	/* NULL: none */
	struct oom_watch *oom;		/* oom.h; NULL */
	struct loop_source *exit_timer; /* the exit file waits for room; NULL */
	bool exit_waited;		/* it did before */
	uint64_t oom_kills;		/* that were told of */
	struct adopted *adopted;	/* of one that was not made here; NULL */
	/* The request: while it is made, and of durable clients as long as it is there. */
	Task__CreateRequest *request;
	struct rpc_call *creator;	/* while it is made */
	bool undoing;			/* it is not going to be made */
	struct rpc_call *checkpointing; /* a Checkpoint that is under way */
	char *checkpoint_path;		/* of that */
	bool slow;			/* task_work_is_wanted() */
	struct work *work;		/* task_work.h; NULL */
	const char *work_name;
	void (*work_done)(struct task *task, struct work_result *result);
	void (*destroyed)(struct task *task, struct work_result *result); /* settle.h */
	int cancelled_fd;   /* pidfd of work that was called off, and may not be dead yet; -1 */
	bool destroy_again; /* the first child that was to destroy it died */
	void (*settled)(struct task *task); /* task_settle() */
	bool is_settled;
	struct err *failure;	     /* of a Create or Start that is being undone; NULL */
	struct rpc_call *cancellers; /* Deletes of what was being created */
	struct process init;
	struct process *execs;
};

/* A task without process, not yet in the shim's list. NULL: out of memory. */
struct task *task_new(struct shim *shim, const Task__CreateRequest *request);

/* What a Create request asks for in its options. */
int task_read_options(struct task *task, const Task__CreateRequest *request, struct err *err);

/* Of one that runs. */
int task_freeze(struct task *task, bool frozen, struct err *err);

/* Frees memory and descriptors, and takes it out of its list; what runs is not touched. */
void task_free(struct task *task);

struct process *process_new(struct task *task, const Task__ExecRequest *request);
void process_free(struct process *process); /* an exec; out of its task's list */

/* The sentences of the reference: clients match them. *ret is set with TTRPC_OK only. */
enum ttrpc_code task_find(struct shim *shim, const char *id, struct task **ret, struct err *err);
enum ttrpc_code process_find(struct shim *shim, const char *id, const char *exec_id,
			     struct process **ret, struct err *err);

/* Nothing of its output is left to deliver; for processes that have ended. */
bool process_is_drained(const struct process *process);
bool task_is_drained(const struct task *task);

static inline bool process_is_init(const struct process *process)
{
	return !*process->exec_id;
}
