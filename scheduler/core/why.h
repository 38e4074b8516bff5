/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a task is pending: how many machines fail it and by what, its place in the queue, and the
 * smallest single change with which it would run. The change is one that was tried on the cell as
 * it is, not guessed. For a gang, or an alloc set, a change is one of all its tasks, and was tried
 * on a copy of the cell; amounts are then found to within a 256th.
 */
#pragma once

#include "scheduler/core/cell.h"
#include "scheduler/core/fit.h"

enum change_kind {
	CHANGE_NONE,	   /* nothing single helps */
	CHANGE_NOT_NEEDED, /* it fits, and waits for its turn only */
	CHANGE_AMOUNT,	   /* ask for `amount` of `resource` instead */
	CHANGE_DEVICES,	   /* ask for `amount` devices, or `amount` milli of one */
	CHANGE_CONSTRAINT, /* drop constraint `key` */
	CHANGE_SPREAD,	   /* drop the rule of kind `spread` over the domain `key` */
	CHANGE_PRIORITY,   /* have priority `amount` */
	CHANGE_PORT,	   /* leave out the chosen port `amount` */
	CHANGE_COUNT,	   /* of a gang: have `amount` tasks */
	CHANGE_MACHINE,	   /* add, or let back in, a machine: nothing about the task helps */
};

struct change {
	enum change_kind kind;
	enum resource resource;
	int64_t amount;
	const char *key;
	enum spread spread;
	/* How much of a change it is, 0 to 1: of an amount the part given up; a dropped constraint
	 * or rule is 1/2; a priority 1/4 and the rise as a part of all priorities. */
	double size;
};

#define WHY_CONSTRAINTS_MAX 16

/* What a pending task waits for first. */
enum wait_kind {
	WAIT_ROOM,    /* it stands in the queue */
	WAIT_BACKOFF, /* it crashed, or its machine was lost: until `until_ms` */
	WAIT_AFTER,   /* other jobs have to be over */
	WAIT_HELD,    /* best-effort batch: until the cell can take the job */
	WAIT_ALLOC,   /* the alloc that it ran in has to find a place */
};

struct why {
	uint32_t machines;	       /* real ones; for a task in an alloc set, its allocs */
	uint32_t by_reason[FIT_COUNT]; /* each machine once, by the first that fails */
	uint32_t by_constraint[WHY_CONSTRAINTS_MAX]; /* machines that fail the n-th alone or with
							others */
	uint32_t held;	 /* big enough, but held by tasks that may not be preempted for this one */
	uint32_t budget; /* of those: only a disruption budget protects them */
	uint32_t kept;	 /* kept for it, because it has waited so long; see claim.h */
	uint32_t ahead;	 /* tasks that come before it in the queue */
	enum wait_kind wait;
	int64_t until_ms;
	uint32_t jobs; /* WAIT_AFTER: how many */
	bool gang;     /* it starts with all of its job or not at all */
	struct change change;
};

/* The task must be pending. 0 or -ENOMEM. */
int cell_why(struct cell *cell, uint32_t task, struct why *ret, struct err *err);

/* Of that only what it waits for (wait, until_ms, jobs), which costs next to nothing. */
void cell_waits(const struct cell *cell, uint32_t task, struct why *ret);

/* One sentence for a person: "it would run with 3000 instead of 4000 millicores of CPU". Returns
 * its length, as snprintf does. */
int why_format_change(const struct cell *cell, uint32_t task, const struct change *change,
		      char *text, size_t size);
/* All of it, in lines. */
#define WHY_TEXT_SIZE 2048
void why_format(const struct cell *cell, uint32_t task, const struct why *why,
		char text[static WHY_TEXT_SIZE]);
