/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * What a cell consists of; for the files of scheduler/core alone. Who owns which part:
 *
 *	machines, kinds		kind.c adds them; room.c changes what is free
 *	index			index.c: machines of a kind by what is free
 *	classes, shapes		class.c: tasks that cannot be told apart when placed
 *	queue			queue.c: lines of pending tasks
 *	demand			demand.c: what the present workload asks for; strand.c scores by it
 *	groups			spread.c: where the tasks of a spread rule lie
 *	rooms			alloc.c: allocs, as machines for the tasks in them
 *
 * Machines, kinds, classes, tasks, jobs stand in growing arrays and refer to each other by index.
 */
/* clang-format on */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "scheduler/core/cell.h"
#include "scheduler/core/symbol.h"

#define NONE UINT32_MAX

/* ---- machines ---- */

#define INDEX_SIDE 16 /* cells of the index along each of its two axes */

/* The first cache line of a machine: all that the search for room reads. */
struct machine {
	struct amounts free; /* capacity less reservations */
	uint32_t kind;
	uint32_t position;	      /* in its cell of the index */
	float strand;		      /* strand score of what is free now, as of: */
	uint32_t strand_epoch;	      /* see demand.h */
	uint8_t cell_cpu, cell_other; /* its cell of the index */
	uint8_t state;		      /* enum machine_state */
	uint8_t indexed;
	uint8_t reclaimed; /* more->held_back is not nothing */
	uint8_t claimed;   /* kept for the claim of band claimed - 1; 0 */
	uint32_t task_count;
} __attribute__((aligned(64)));

/* The rest. */
struct machine_more {
	uint32_t name;			/* symbol */
	uint32_t domain[DOMAIN_COUNT];	/* symbols; DOMAIN_MACHINE: the name */
	uint32_t tasks;			/* head of the list through task.next */
	uint32_t alloc;			/* whose room it is, see alloc.h; NONE: a real machine */
	uint32_t followers;		/* list through task.next; or the next free room */
	uint16_t first_port, next_port; /* see ports.h; next: counted from the first */
	bool hurried;			/* it is drained whatever the budgets say */
	uint16_t device_free[MACHINE_DEVICES_MAX];
	struct node_room {
		int64_t cpu, memory;
	} node_free[MACHINE_NODES_MAX];
	struct amounts held_back;	    /* limits of production beyond its reservations */
	struct amounts by_band[BAND_COUNT]; /* reservations of the tasks of each band */
};

struct index_cell {
	uint32_t *machines;
	uint32_t count, size;
};

/* The machines of a kind that may hold a request: those in cells from one on. */
struct index_part {
	const struct kind *kind;
	uint32_t count;
	uint8_t cpu, other; /* the cell */
};

/* Machines that differ in nothing but name and failure domain. */
struct kind {
	struct amounts capacity;
	unsigned node_count, device_count;
	struct node_room node[MACHINE_NODES_MAX];
	uint32_t device_model;
	uint32_t set; /* rooms of this alloc set (NONE: of one that is gone); 0: real machines */
	bool free;    /* for other machines, see tidy.h */
	struct pair {
		uint32_t key, value;
	} * attributes; /* by rising key */
	size_t attribute_count;
	double cpu_scale, other_scale; /* from an amount to the square of its place in the index */
	struct arena *lists;	       /* the machines of the cells; NULL: none yet */
	struct index_cell cells[INDEX_SIDE][INDEX_SIDE]; /* [CPU][memory, or devices] */
	uint16_t filled[INDEX_SIDE];			 /* a bit for each cell that is not empty */
	/* Machines in all cells from this one on along both axes; a row beyond the last is empty.
	 */
	uint32_t above[INDEX_SIDE + 1][INDEX_SIDE];
	uint8_t shift; /* the index has 16 >> shift cells a side */
	uint32_t machines, up;
};

/* ---- tasks ---- */

struct class_constraint {
	uint32_t key, value;
	uint8_t comparison, soft;
	int8_t domain;	/* enum domain that the key names; -1: an attribute of the kind */
	uint8_t unused; /* no padding: constraints are hashed */
};

#define FITS 0x100
#define CLASS_GROUPS 2

/* Tasks that no placement can tell apart: equal requests, constraints, rule and priority. */
struct class
{
	struct request request;
	unsigned priority;
	struct class_constraint *constraints;
	size_t constraint_count;
	uint32_t groups[CLASS_GROUPS]; /* of its spread rules, filled from the front; NONE */
	uint32_t division;
	uint32_t port_count;
	uint16_t *ports; /* of the machine, by number; see ports.h */
	uint32_t image;	 /* it runs from; 0 */
	uint32_t gang;	 /* name of the job whose tasks start all or none; 0 */
	uint32_t set;	 /* name of the alloc set it runs in; 0 */
	/* Of what is to join a gang that runs: the class that it is of once it has; NONE. */
	uint32_t joins;
	uint32_t shape; /* NONE: the class is free, see tidy.h */
	/* By kind: 0 where capacity or attributes never do, else FITS and the first cell of the
	 * index that may hold the request (unshifted). */
	uint16_t *eligible;
	size_t eligible_count;
	uint32_t lines;	     /* head of its lines in the queue */
	uint32_t tasks;	     /* alive */
	bool per_machine;    /* wishes, or constraints on failure domains: look at each machine */
	bool depth_held;     /* blocked until the next pass */
	bool stuck;	     /* see claim.h */
	uint8_t claim;	     /* it has the claim of band claim - 1; 0 */
	uint8_t doublings;   /* of the time that its claim stands */
	int64_t stuck_ms;    /* since when */
	bool blocked;	     /* proven to fit nowhere; until room comes */
	uint32_t blocked_at; /* its place in cell.blocked */
	uint32_t next;	     /* of the same hash */
};

/* One request, whatever its priority and constraints: what demand is counted in. */
struct shape {
	struct request request;
	uint64_t tasks; /* alive */
	uint64_t free;	/* for another request */
};

struct group {
	uint32_t name; /* 0: free */
	enum spread kind;
	enum domain domain;
	uint32_t most;
	uint32_t placed;
	uint32_t home; /* SPREAD_TOGETHER: the domain taken; 0 */
	uint32_t soft; /* a wish */
};

struct task {
	uint32_t job, index, class, machine;
	uint32_t next, previous; /* on its machine, or in its line */
	uint32_t next_in_job;
	uint32_t avoid;	  /* machine on which it crashed last */
	uint32_t timer;	  /* its place among the timers; NONE */
	uint32_t room;	  /* of an alloc: the machine that it is for others; NONE */
	uint32_t follows; /* the room with whose alloc it comes back; NONE */
	uint32_t failures;
	uint16_t devices;      /* a bit for each device it holds */
	uint8_t nodes;	       /* a bit for each NUMA node it holds */
	uint8_t state;	       /* enum task_state */
	uint8_t down;	       /* by our doing: counted in its job */
	uint8_t ending;	       /* an alloc that is about to go for good */
	uint8_t over_memory;   /* uses more than its limit */
	uint8_t paused;	       /* see pause.h */
	uint32_t preempted_in; /* the pass in which it was, plus 1 */
	uint32_t rather;       /* machine where its checkpoint lies; NONE */
	int64_t since_ms, due_ms, reported_ms;
	uint64_t sequence;	/* order of submission */
	struct node_room slack; /* limit less reservation */
};

struct cell_job {
	uint32_t name, owner;
	unsigned priority;
	uint32_t tasks;			      /* head of the list through task.next_in_job */
	uint32_t count, alive, running, down; /* down: by our doing */
	uint32_t budget;
	uint32_t joining;	   /* of a gang: its tasks that are to join it, see gang.h */
	uint32_t waiters, waiting; /* see after.h */
	uint32_t set;		   /* name of the alloc set it runs in; 0 */
	uint32_t next_held;	   /* list of the jobs that are held back, see hold.h; NONE */
	uint32_t notice_ms;
	bool gang, reserves, latency_sensitive, held;
	uint8_t on_preemption, restart; /* enum restart */
	uint32_t restart_most;
	int64_t backoff_ms, backoff_max_ms;
};

/* ---- the queue ---- */

/* Pending tasks of one class and owner, first come first. */
struct line {
	uint32_t class, turn; /* class: NONE: free */
	uint32_t head, tail;  /* tasks */
	uint32_t next_of_class;
	uint32_t next, previous; /* among the runnable lines of its turn */
	bool runnable;
};

/* An owner's turn at one priority. */
struct turn {
	uint32_t owner; /* 0: free */
	unsigned priority;
	uint32_t lines;		 /* runnable ones */
	uint32_t next, previous; /* ring of its level, while it has runnable lines */
};

struct queue {
	struct line *lines;
	struct turn *turns;
	size_t line_count, line_size, turn_count, turn_size;
	size_t line_hole, turn_hole;	  /* none below is free */
	struct map line_of, turn_of;	  /* class and owner; priority and owner */
	uint32_t level[PRIORITY_MAX + 1]; /* the turn that is next; NONE */
	uint64_t filled[PRIORITY_MAX / 64 + 1];
	uint32_t pending;
};

/* ---- demand ---- */

#define DEMAND_PLAIN 16	  /* representatives without devices: a multiple of 4 */
#define DEMAND_DEVICES 64 /* and with */

/* A request that stands for those like it. */
struct demand_device {
	float inverse_cpu, inverse_memory; /* 1 / request, per millicore and per MiB */
	float gain;			   /* its chance times its value */
	float chance;			   /* its share in the value of all that is asked for */
	uint16_t count, milli;
	uint32_t model;
};

struct demand_sum {
	uint64_t key; /* requests that are alike */
	uint32_t shape;
	double weight, heaviest;
};

/* See demand.h. */
struct demand {
	/* Unused ones have no chance and fit nowhere. Aligned for four at a time. */
	_Alignas(16) float inverse_cpu[DEMAND_PLAIN];
	_Alignas(16) float inverse_memory[DEMAND_PLAIN];
	_Alignas(16) float gain[DEMAND_PLAIN];
	_Alignas(16) float chance[DEMAND_PLAIN];
	struct demand_device device[DEMAND_DEVICES];
	unsigned device_count;
	float price_cpu, price_memory, price_device; /* of a millicore, a MiB, a milli */
	uint32_t epoch;				     /* rises when any of it changes */
	struct amounts wanted;			     /* by all tasks alive */
	uint64_t wanted_devices_milli;
	uint64_t tasks, changes; /* alive; since the last count */
	/* Numbers of ports, places in groups: of all tasks alive, those in allocs too. The tables
	 * of both have room for as many. */
	uint64_t ports, places;
	struct demand_sum *sums; /* room for one a shape */
	size_t sum_size;
};

/* A job that waits for another. */
struct wait {
	uint32_t job, next;
};

struct quota {
	uint32_t owner;
	enum band band;
	struct amounts limit, used;
};

/* Of a band, see claim.h. */
struct claim {
	int64_t until_ms;
	uint32_t class;
	uint32_t machines; /* 0: there is none */
	unsigned priority;
	uint32_t unused;
};

struct cell {
	struct cell_options options;
	uint32_t name; /* symbol */
	struct outside *outside;
	struct symbols symbols;

	struct machine *machines;
	struct machine_more *more;
	struct kind **kinds;
	size_t machine_count, machine_size, kind_count, kind_size;
	uint32_t free_rooms; /* list through followers */
	uint32_t following;  /* tasks that wait for their alloc */
	struct map machine_of, kind_of;
	uint32_t up;		 /* machines in state up */
	struct amounts capacity; /* of machines that are not down */
	struct amounts used;	 /* by limits of running tasks */
	uint64_t devices, devices_used_milli;
	struct index_part *search; /* room for one a kind */

	struct class *classes;
	struct shape *shapes;
	struct group *groups;
	size_t class_count, class_size, shape_count, shape_size, group_count, group_size;
	struct map class_of, shape_of, group_of;
	struct map group_at;		/* group and domain: tasks there */
	struct map port_taken, port_of; /* see ports.h */
	struct map image_at;		/* image and machine */
	uint32_t *blocked;		/* classes */
	size_t blocked_count, blocked_size;

	struct task *tasks;
	struct cell_job *jobs;
	size_t task_count, task_size, job_count, job_size;
	uint32_t free_tasks, free_jobs; /* lists through next_in_job, tasks */
	struct map job_of;
	uint64_t sequence;

	struct wait *waits;
	size_t wait_count, wait_size;
	uint32_t free_waits;
	uint32_t held_jobs;	  /* by rank, see hold.h; NONE */
	struct amounts held_back; /* what they ask for */
	int64_t held_room[2];	  /* CPU, memory: when none of them fitted; see hold.c */
	struct quota *quotas;
	size_t quota_count, quota_size;
	struct map quota_of;

	struct queue queue;
	struct demand demand;
	uint32_t *timers; /* a heap of tasks by due_ms and sequence */
	size_t timer_count, timer_size;

	uint64_t placed, infeasible, preempted;
	uint32_t running;
	uint32_t running_at[PRIORITY_MAX + 1]; /* by priority */
	uint64_t running_at_filled[PRIORITY_MAX / 64 + 1];
	uint32_t unchecked; /* decisions, see check.h */
	uint32_t pass;	    /* of decisions, from one end of the queue to the next */
	bool in_pass;
	int64_t lost_slot_us, drain_slot_us;		      /* see drain.h */
	uint32_t draining;				      /* machines */
	uint32_t paused;				      /* tasks */
	uint64_t made, tidy_at;				      /* see tidy.h */
	size_t class_hole, shape_hole, group_hole, kind_hole; /* none below is free */
	struct claim claims[BAND_COUNT];
	int64_t claim_next_ms; /* when to look at them again */
	uint32_t claims_made;
	uint32_t depth_held; /* classes blocked only because a victim may not preempt */
};

/* Makes room for one more in a growing array. 0 or -ENOMEM. */
#define state_grow(array, count, size)                                                        \
	({                                                                                    \
		int grow_r_ = 0;                                                              \
		if ((count) == (size)) {                                                      \
			size_t grow_size_ = (size) ? (size)*2 : 16;                           \
			void *grow_more_ = reallocarray(array, grow_size_, sizeof(*(array))); \
			if (grow_more_) {                                                     \
				(array) = grow_more_;                                         \
				(size) = grow_size_;                                          \
			} else {                                                              \
				grow_r_ = -ENOMEM;                                            \
			}                                                                     \
		}                                                                             \
		grow_r_;                                                                      \
	})

static inline uint64_t cell_random(struct cell *cell)
{
	/* A Weyl sequence, mixed: splitmix's way. */
	cell->outside->random += 0x9e3779b97f4a7c15u;
	return hash_mix(cell->outside->random);
}

/* A machine that is an alloc's room, not a real one. */
static inline bool is_room(const struct cell *cell, uint32_t machine)
{
	return cell->kinds[cell->machines[machine].kind]->set;
}

/* Is it to join a gang that runs, see gang.h? */
static inline bool is_joining(const struct cell *cell, uint32_t task)
{
	return cell->classes[cell->tasks[task].class].joins != NONE;
}

static inline void cell_tell(struct cell *cell, struct event *event)
{
	event->time_ms = cell->outside->now_ms;
	if (cell->outside->event)
		cell->outside->event(cell->outside->data, event);
}
