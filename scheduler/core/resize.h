/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resize: a job, one of its tasks, or an alloc set asks for more or less. Each running task gets it
 * in place where it fits; else lower tasks of its machine go, as preemption allows; else it moves
 * to another machine. Either all tasks get it or none does, and nothing has changed.
 *
 * All of it is decided in a plan, on a copy of what is free; the plan can be had alone.
 */
#pragma once

#include "scheduler/core/cell.h"
#include "scheduler/core/fit.h"

enum resize_how {
	RESIZE_WAITING,	 /* it pends, and asks for the new amounts from now on */
	RESIZE_IN_PLACE, /* where it runs */
	RESIZE_PREEMPT,	 /* where it runs, in the place of victims */
	RESIZE_MOVE,	 /* it ends there, and starts on `machine` */
};

struct resize_step {
	uint32_t task, machine; /* machine: where it lies afterwards; NOBODY */
	enum resize_how how;
	struct grip grip;
	uint32_t first_victim, victims; /* of resize_plan.victims */
};

struct resize_plan {
	struct resize_step *steps; /* by index of the tasks */
	uint32_t *victims;
	size_t count, victim_count, victim_size;
};

/* index: of one task, or NOBODY for all that have not ended. -ENOSPC: not all can have it; -EDQUOT;
 * -ENOENT: no such task; -EINVAL, -ERANGE: no request that can be. */
int cell_resize_plan(struct cell *cell, uint32_t job, uint32_t index, const struct request *request,
		     struct resize_plan **ret, struct err *err);
struct resize_plan *resize_plan_free(struct resize_plan *plan);

/* Makes the plan and carries it out. An EVENT_RESIZE a task tells how (its detail). */
int cell_resize(struct cell *cell, uint32_t job, uint32_t index, const struct request *request,
		struct err *err);

CLEANUP_DEFINE(struct resize_plan, resize_plan, resize_plan_free);
#define _cleanup_resize_plan_ _cleanup_(cleanup_resize_plan)
