/* SPDX-License-Identifier: Apache-2.0 */
/* A plan to resize, carried out: all that may fail first, then everybody leaves, then changes. */
#include <errno.h>

#include "base/arena.h"
#include "scheduler/core/alloc.h"
#include "scheduler/core/class.h"
#include "scheduler/core/demand.h"
#include "scheduler/core/place.h"
#include "scheduler/core/preempt.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/resize.h"
#include "scheduler/core/task.h"
#include "scheduler/core/tidy.h"

/* What a task becomes. */
struct change {
	uint32_t class, kind, was; /* kind: of its room; was: the machine it lay on */
};

static int prepare(struct cell *cell, const struct resize_plan *plan, const struct request *request,
		   struct change *changes)
{
	uint32_t from = NONE, to = NONE;
	uint64_t ports = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		const struct task *t = &cell->tasks[plan->steps[i].task];
		uint32_t owner = cell->jobs[t->job].owner;

		if (t->class != from) {
			from = t->class;
			r = class_with(cell, from, request, &to);
			if (r == 0)
				r = queue_reserve(cell, to, owner);
			if (r == 0 && cell->classes[to].joins != NONE)
				r = queue_reserve(cell, cell->classes[to].joins, owner);
		}
		ports += r == 0 ? demand_ports(&cell->classes[to]) : 0;
		changes[i] = (struct change){ .class = to, .was = t->machine };
		if (r == 0 && t->room != NONE)
			r = alloc_kind(cell, plan->steps[i].task, request, &changes[i].kind);
	}
	return r == 0 ? demand_reserve_tables(cell, ports, 0) : r;
}

static void clear_the_way(struct cell *cell, const struct resize_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct resize_step *step = &plan->steps[i];

		if (step->how == RESIZE_PREEMPT)
			preempt_evict(cell, step->task, step->machine,
				      &plan->victims[step->first_victim], step->victims);
		if (step->how == RESIZE_MOVE)
			cell_end_task(cell, step->task, END_DRAINED);
	}
}

static void tell(struct cell *cell, const struct resize_step *step)
{
	const struct task *t = &cell->tasks[step->task];

	cell_tell(cell, &(struct event){ .kind = EVENT_RESIZE,
					 .job = t->job,
					 .task = step->task,
					 .index = t->index,
					 .machine = step->machine,
					 .other = NOBODY,
					 .count = step->victims,
					 .priority = cell->classes[t->class].priority,
					 .detail = (int)step->how });
}

/* When memory is out it stays in the queue, where it stands with its new request. */
static void arrive(struct cell *cell, const struct resize_step *step)
{
	struct choice choice = { .machine = step->machine, .grip = step->grip };

	if (task_start(cell, step->task, step->machine, &step->grip) < 0)
		return;
	place_tell(cell, step->task, &choice);
	cell->placed++;
	alloc_offer(cell, step->task);
}

static void enact(struct cell *cell, const struct resize_plan *plan, const struct change *changes)
{
	clear_the_way(cell, plan);
	for (size_t i = 0; i < plan->count; i++) {
		const struct resize_step *step = &plan->steps[i];

		task_resize(cell, step->task, changes[i].class, &step->grip);
		if (cell->tasks[step->task].room != NONE)
			alloc_rekind(cell, step->task, changes[i].kind);
		tell(cell, step);
	}
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->steps[i].how == RESIZE_MOVE)
			arrive(cell, &plan->steps[i]);
		if (changes[i].was != NONE)
			class_wake(cell, changes[i].was);
	}
}

int cell_resize(struct cell *cell, uint32_t job, uint32_t index, const struct request *request,
		struct err *err)
{
	_cleanup_resize_plan_ struct resize_plan *plan = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct change *changes;

	if (tidy_is_due(cell))
		cell_tidy(cell);
	err_try(cell_resize_plan(cell, job, index, request, &plan, err));
	changes = arena ? arena_calloc(arena, plan->count, sizeof(*changes)) : NULL;
	if (!changes || prepare(cell, plan, request, changes) < 0)
		return err_set(err, ENOMEM, "resize job %s",
			       symbol_name(&cell->symbols, cell->jobs[job].name));
	enact(cell, plan, changes);
	return 0;
}
