/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task on this machine, in one incarnation: its container, and where it stands. It goes from
 * waiting (for the room of others that are ending) to starting, running, stopping, ended; whatever
 * happens to the agent in between, the container's labels tell the next one enough.
 */
#pragma once

#include <sched.h>

#include "cgroups/cgroup.h"
#include "runtime/engine/engine.h"
#include "scheduler/agent/agent.h"
#include "scheduler/agent/work.h"
#include "runtime/shim/client.h"

#define BOX_LABEL_CELL "cellar.cell"
#define BOX_LABEL_TASK "cellar.task"
#define BOX_LABEL_INCARNATION "cellar.incarnation"
#define BOX_LABEL_GRACE "cellar.grace-ms"
#define BOX_LABEL_ALLOC "cellar.alloc"
#define BOX_LABEL_PRIORITY "cellar.priority" /* "200 latency-sensitive", "100" */
#define BOX_LABEL_CORES "cellar.cores"	     /* those that it has to itself */
#define BOX_LABEL_CGROUP "cellar.cgroup"     /* that its own lies in, or "" */
#define BOX_LABEL_PROGRAM "cellar.program"   /* program_hash() */
#define BOX_LABEL_FENCE "cellar.fence"	     /* "true": it has one */

enum box_state { BOX_WAITING, BOX_STARTING, BOX_RUNNING, BOX_STOPPING, BOX_ENDED };

struct box {
	struct agent *agent;
	struct box *next;
	char task[TASK_NAME_SIZE];
	char container[TASK_NAME_SIZE + 32];
	uint64_t incarnation;
	enum box_state state;
	bool wanted; /* by the master's last word */
	bool paused; /* as the master wants it */
	bool is_paused;
	bool pausing;		 /* what pause_work makes it, or made it last */
	struct arena *arena;	 /* of the program and the ports */
	struct program *program; /* NULL: adopted */
	int64_t cpu_milli, memory_bytes, grace_ms;
	unsigned priority;
	bool latency_sensitive;
	char cgroup[CGROUP_PATH_MAX]; /* for cgroup_open(); "": not known */
	/* See usage.h; -1: unknown. */
	int64_t used_cpu_milli, used_memory_bytes, usage_read_ns;
	uint64_t cpu_used_ns;
	bool usage_is_new;
	int64_t notice_ms; /* instead of grace_ms, when it has to leave; -1: not said */
	bool checkpoint;   /* then its memory is to be written to the disk: */
	bool to_keep;	   /* it ran when it was stopped */
	uint64_t kept;	   /* incarnation from whose checkpoint it is to go on; 0 */
	char *from;	   /* container with that checkpoint, or NULL; see kept.h */
	bool restored;
	char *no_checkpoint; /* why not, or NULL */
	uint64_t program_hash;
	/* Until when it may run, and what its shim knows of that, CLOCK_BOOTTIME; 0: no fence. */
	int64_t fence_ns, fence_told_ns;
	bool was_fenced; /* of an adopted one: it was started with a fence */
	bool evicted;	 /* the machine has ended it, not itself */
	bool has_cores;	 /* to itself: */
	cpu_set_t cores;
	struct work *fence_work, *cores_work, *pause_work, *limit_work;
	int64_t limit_cpu_milli, limit_memory_bytes; /* that limit_work gives it; 0: as they are */
	struct work *work;
	struct shim_client *waiter; /* answers when it ends */
	struct loop_source *source;
	int exit_code;
	bool oom;
	char *reason; /* why it could not run, or NULL */
	char *address;
	struct report_port *ports;
	size_t port_count;
	bool to_end;   /* its end has been asked for; it stays for its log */
	char *dir;     /* of the container, or NULL */
	char *illness; /* why it is unhealthy, or NULL */
	enum report_health health;
	struct loop_source *health_timer;  /* see box_health.c */
	int64_t health_seen_ns;		   /* the record that was read last was written then */
	bool has_pocket;		   /* see pocket.h */
	const char *const *secret_targets; /* of a new one */
	size_t secret_count;
	struct task_socket *socket; /* to the cell, or NULL */
	char *alloc;		    /* that it runs in, or NULL */
	uint64_t secrets; /* the version of them that lies in the pocket; 0: none, or unknown */
};

/* Copies the program. fence_ns: until when it may run, or 0. NULL when out of memory. */
struct box *box_new(struct agent *agent, const struct want *want, int64_t fence_ns);
/* Of a container that an earlier agent made; it is watched, or has ended. NULL: it is no task of
 * this cell, or was never started (then it is removed). */
struct box *box_adopt(struct agent *agent, const struct engine_container *container);
/* Its container goes on. */
struct box *box_free(struct box *box);

void box_start(struct box *box);
/* Freezes or thaws a running one, as the master wants it; is_paused says when that is done. What
 * fails is tried again by the next answer. */
void box_pause(struct box *box);
/* Kills a running one at once, which is no failure of its own. */
void box_evict(struct box *box, const char *reason);
/* Ends the container of a running one, which stays for its log. */
void box_end(struct box *box);
/* Gives a running one other limits, where the master wants others. It is tried again by the next
 * answer when it fails. */
void box_limit(struct box *box, int64_t cpu_milli, int64_t memory_bytes);
/* Ends and removes the container; the box goes with it (agent_forget). */
void box_stop(struct box *box);
/* Removes what there is of its container, and of that with the checkpoint from which it was to go
 * on, which did not work. It blocks. */
int box_discard(const struct box *box, struct err *err);
/* What it uses is told once. */
void box_report(struct box *box, struct report *ret);

/* ---- box_health.c ---- */

/* The container runs from now on, or does so no more. */
void box_health_start(struct box *box, const struct engine_container *container);
void box_health_stop(struct box *box);
