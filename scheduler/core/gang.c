/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/gang.h"

#include <errno.h>

#include "base/arena.h"
#include "scheduler/core/alloc.h"
#include "scheduler/core/class.h"
#include "scheduler/core/place.h"
#include "scheduler/core/task.h"

bool gang_is_whole(const struct cell *cell, uint32_t job)
{
	const struct cell_job *j = &cell->jobs[job];

	if (!j->gang || j->running)
		return false;
	for (uint32_t t = j->tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].timer != NONE || cell->tasks[t].follows != NONE)
			return false;
	return true;
}

/* Starts pending tasks in order until one does not fit: that one; NONE when all run. */
static uint32_t start_all(struct cell *cell, uint32_t job, struct choice *choices,
			  uint32_t *ret_started)
{
	*ret_started = 0;
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job) {
		struct choice *choice = &choices[*ret_started];

		if (cell->tasks[t].state != TASK_PENDING)
			continue;
		place_choose(cell, &cell->classes[cell->tasks[t].class], NONE, choice);
		if (choice->machine == NONE ||
		    task_start(cell, t, choice->machine, &choice->grip) < 0)
			return t;
		++*ret_started;
	}
	return NONE;
}

static void tell_all(struct cell *cell, uint32_t job, const struct choice *choices)
{
	for (uint32_t t = cell->jobs[job].tasks, i = 0; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state == TASK_RUNNING) {
			place_tell(cell, t, &choices[i++]);
			cell->placed++;
		}
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state == TASK_RUNNING)
			alloc_offer(cell, t);
}

/* Nobody was told: the tasks have never run. */
static void take_back(struct cell *cell, uint32_t job)
{
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state == TASK_RUNNING)
			task_unstart(cell, t);
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state == TASK_PENDING)
			class_block(cell, cell->tasks[t].class);
}

int gang_decide(struct cell *cell, uint32_t job)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct choice *choices =
		arena ? arena_calloc(arena, cell->jobs[job].count + 1, sizeof(*choices)) : NULL;
	struct choice nowhere = { .machine = NONE };
	uint32_t started, failed;

	if (!choices)
		return -ENOMEM;
	failed = start_all(cell, job, choices, &started);
	if (failed == NONE) {
		tell_all(cell, job, choices);
		return 1;
	}
	nowhere.examined = choices[started].examined;
	take_back(cell, job);
	place_tell(cell, failed, &nowhere);
	cell->infeasible++;
	return 1;
}
