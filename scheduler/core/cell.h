/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cell: machines, jobs, and the decisions which task runs where. Pure: no system call, no clock,
 * no randomness and no output but through struct outside; the same calls give the same decisions,
 * byte for byte. It allocates when machines and jobs come, never when it decides.
 *
 *	struct outside outside = { .random = seed };
 *	cell_new(&options, &outside, &cell, err);
 *	cell_add_machine(cell, &machine, &m, err);
 *	cell_submit(cell, &job, &j, err);
 *	while (cell_decide(cell))
 *		;
 *
 * Machines, jobs and tasks are numbers. A task's number is free again once its job is forgotten.
 *The allocs of an alloc set (see alloc.h) have numbers among the machines, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "scheduler/core/event.h"
#include "scheduler/core/job.h"
#include "scheduler/core/machine.h"
#include "scheduler/core/policy.h"

struct cell;

/* All that comes in from outside and goes out, but for the calls themselves. */
struct outside {
	int64_t now_ms;	 /* the caller sets it before a call; never runs backwards */
	uint64_t random; /* state of the generator; the caller seeds it once */
	void (*event)(void *data, const struct event *event); /* NULL: nobody listens */
	void *data;
};

struct cell_options {
	enum policy policy;
	const char *name; /* of the cell; NULL: jobs that name cells are refused */
	bool no_preemption;
	bool quota;		 /* refuse jobs above priority 0 whose owner has none left */
	bool quota_where_set;	 /* the same for those alone who have any in that band */
	double production_share; /* of the cell that production may be promised; 0 stands for 1 */
	/* Best-effort batch jobs are held back, each as a whole, until all that is let in asks for
	 * no more than this part of the cell; 0: they are not. */
	double batch_share;
	/* How long a class of tasks may get nowhere before machines are kept for it, see claim.h.
	 * 0 stands for 5 min; below 0: for ever. */
	int64_t patience_ms;
};

/* options->name is copied. */
int cell_new(const struct cell_options *options, struct outside *outside, struct cell **ret,
	     struct err *err);
struct cell *cell_free(struct cell *cell);

/* Refuses duplicate names and absurd capacities with a sentence. */
int cell_add_machine(struct cell *cell, const struct machine_spec *spec, uint32_t *ret_machine,
		     struct err *err);
/* Down: its tasks are lost and pend again. Draining: they are moved by and by. Neither goes faster
 * than drain.h allows, so that a lost switch makes no storm. */
void cell_set_machine(struct cell *cell, uint32_t machine, enum machine_state state);
/* Of one that is draining: whether disruption budgets hold no task there any more. It lasts as long
 * as the state. */
void cell_hurry_drain(struct cell *cell, uint32_t machine, bool hurry);

/* Does the machine hold the image? Jobs that run from it prefer those that do. 0 or -ENOMEM. */
int cell_set_image(struct cell *cell, uint32_t machine, const char *image, bool held,
		   struct err *err);

/* Admission: the whole job or a sentence why not. */
int cell_submit(struct cell *cell, const struct job *job, uint32_t *ret_job, struct err *err);

#define QUOTA_UNLIMITED INT64_MAX

/* Replaces the owner's quota in a band; of a resource it may be QUOTA_UNLIMITED. A promise to
 * production beyond the cell is refused. What is there already is charged, and stays. */
int cell_set_quota(struct cell *cell, const char *owner, enum band band,
		   const struct amounts *limit, struct err *err);

/* What counts against it; false where there is none. */
bool cell_quota_used(const struct cell *cell, const char *owner, enum band band,
		     struct amounts *ret);

enum quota_demand { QUOTA_OF_NOBODY, QUOTA_WHERE_SET, QUOTA_OF_ALL };
/* Who is held to quota from now on, in place of what the options said. */
void cell_demand_quota(struct cell *cell, enum quota_demand demand);

enum task_state { TASK_PENDING, TASK_RUNNING, TASK_ENDED };

enum task_end {
	END_FINISHED,  /* by itself, for good, unless its job starts again whatever ends */
	END_FAILED,    /* crashed: it pends again, later each time, and avoids that machine; for
			* good, where its job does not start again */
	END_KILLED,    /* by its owner, for good */
	END_LOST,      /* its machine went away: it pends again */
	END_PREEMPTED, /* a higher one took its place: it pends again */
	END_DRAINED,   /* its machine drains: it pends again */
};

void cell_end_task(struct cell *cell, uint32_t task, enum task_end end);
/* Ends what has not ended of the job, and forgets it. What runs in an alloc set that goes is lost,
 * and pends until a set of that name comes again. */
void cell_remove_job(struct cell *cell, uint32_t job);

/* A running task is down for a while by our doing (it is started anew in its place), or is up
 * again: until then it counts against its job's disruption budget. Nothing else changes. */
void cell_set_down(struct cell *cell, uint32_t task, bool down);

/*
 * Makes one decision: places the next runnable task or proves that it fits nowhere. Returns 1, or 0
 * when there is nothing to decide. Wait for changes or for cell_next_ms() then.
 */
int cell_decide(struct cell *cell);
/* When to decide again though nothing changes (a backoff ends; a victim may preempt in a new pass);
 * INT64_MAX: never. */
int64_t cell_next_ms(const struct cell *cell);

/* Forgets names, requests and rules that nobody refers to any more. It is done when enough of them
 * may have come together, so nobody has to call this. */
void cell_tidy(struct cell *cell);

/* ---- reading ---- */

struct cell_totals {
	uint32_t machines, jobs, pending, running;
	struct amounts capacity; /* of machines that are not down */
	struct amounts used;	 /* by limits */
	uint32_t devices;	 /* capacity, whole ones */
	uint64_t devices_used_milli;
	/* What lies free and no task of the present workload could use, expected over it. */
	double stranded_cpu_milli, stranded_memory_bytes;
	uint64_t placed, infeasible, preempted;
};
void cell_totals(struct cell *cell, struct cell_totals *ret);
/* The two of them that cost nothing. */
void cell_use(const struct cell *cell, struct amounts *ret_used, struct amounts *ret_capacity);

struct task_view {
	enum task_state state;
	uint32_t job, index, machine; /* machine: NOBODY while pending */
	int64_t since_ms;	      /* of the state */
	unsigned priority;
	const struct request *request; /* the same one for tasks that are alike in every way */
	uint32_t room;		       /* of an alloc: the machine that it is for others; NOBODY */
	bool paused;		       /* preempted in its place: it holds all but its CPU */
	bool joining;		       /* it is to join a gang that ran when it came, see gang.h */
};
void cell_task(const struct cell *cell, uint32_t task, struct task_view *ret);
/* The i-th port number of a running task: those that its job has chosen come first. 0: none. */
uint32_t cell_task_port(const struct cell *cell, uint32_t task, uint32_t i);
/* A job by name; NOBODY where there is none. Its name lives as long as the job. */
uint32_t cell_find_job(const struct cell *cell, const char *name);
const char *cell_job_name(const struct cell *cell, uint32_t job);
/* The task of a job by index; NOBODY where there is none. */
uint32_t cell_job_task(const struct cell *cell, uint32_t job, uint32_t index);
/* The task of the same job with the next index; NOBODY. */
uint32_t cell_next_task(const struct cell *cell, uint32_t task);

struct machine_view {
	const char *name, *rack;
	struct amounts capacity, free;
	unsigned device_count;
	uint16_t device_free[MACHINE_DEVICES_MAX];
	enum machine_state state;
	uint32_t tasks;
	uint32_t alloc; /* whose room it is: the task of an alloc set; NOBODY: a real machine */
};
/* 0, or -ENOENT where there is none of that number. */
int cell_machine(const struct cell *cell, uint32_t machine, struct machine_view *ret);

/*
 * Recounts everything and compares: capacity never exceeded, no task lost or doubled, index,
 * queue and counters as they should be. 0, or -EUCLEAN with what is wrong.
 */
int cell_check(struct cell *cell, struct err *err);

CLEANUP_DEFINE(struct cell, cell, cell_free);
#define _cleanup_cell_ _cleanup_(cleanup_cell)
