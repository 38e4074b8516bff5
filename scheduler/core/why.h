/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a task is pending: how many machines fail it and by what, its place in the queue, and the
 * smallest single change with which it would run. The change is one that was tried on the cell as
 * it is, not guessed. For a gang it speaks of one task alone.
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
	CHANGE_SPREAD,	   /* drop the spread rule */
	CHANGE_PRIORITY,   /* have priority `amount` */
	CHANGE_MACHINE,	   /* add, or let back in, a machine: nothing about the task helps */
};

struct change {
	enum change_kind kind;
	enum resource resource;
	int64_t amount;
	const char *key;
	/* How much of a change it is, 0 to 1: of an amount the part given up; a dropped constraint
	 * or rule is 1/2; a priority 1/4 and the rise as a part of all priorities. */
	double size;
};

#define WHY_CONSTRAINTS_MAX 16

struct why {
	uint32_t machines;	       /* real ones; for a task in an alloc set, its allocs */
	uint32_t by_reason[FIT_COUNT]; /* each machine once, by the first that fails */
	uint32_t by_constraint[WHY_CONSTRAINTS_MAX]; /* machines that fail the n-th alone or with
							others */
	uint32_t held;	 /* big enough, but held by tasks that may not be preempted for this one */
	uint32_t budget; /* of those: only a disruption budget protects them */
	uint32_t ahead;	 /* tasks that come before it in the queue */
	struct change change;
};

/* The task must be pending. 0 or -ENOMEM. */
int cell_why(struct cell *cell, uint32_t task, struct why *ret, struct err *err);

/* One sentence for a person: "fits with 3000 of 4000 millicores". Returns its length. */
int why_format_change(const struct cell *cell, uint32_t task, const struct change *change,
		      char *text, size_t size);
