/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/pause.h"

#include "scheduler/core/class.h"
#include "scheduler/core/room.h"

bool pause_can(const struct cell *cell, uint32_t task)
{
	const struct task *t = &cell->tasks[task];

	return cell->jobs[t->job].on_preemption == PREEMPTION_PAUSE && !t->paused &&
	       t->room == NONE && !t->nodes &&
	       cell->classes[t->class].priority < PRIORITY_PRODUCTION;
}

int64_t pause_gain(const struct cell *cell, const struct task *task)
{
	return cell->classes[task->class].request.amounts.of[RESOURCE_CPU] - task->slack.cpu;
}

static void tell(struct cell *cell, enum event_kind kind, uint32_t task, uint32_t other)
{
	const struct task *t = &cell->tasks[task];

	cell_tell(cell, &(struct event){ .kind = kind,
					 .job = t->job,
					 .task = task,
					 .index = t->index,
					 .machine = t->machine,
					 .other = other,
					 .priority = cell->classes[t->class].priority,
					 .detail = kind == EVENT_PREEMPT ? PREEMPTION_PAUSE : 0 });
}

void pause_task(struct cell *cell, uint32_t task, uint32_t other)
{
	struct task *t = &cell->tasks[task];
	struct node_room slack = t->slack;

	slack.cpu += pause_gain(cell, t);
	room_set_slack(cell, task, slack);
	t->paused = 1;
	cell->jobs[t->job].down += !t->down;
	t->down = 1;
	cell->paused++;
	cell->preempted++;
	tell(cell, EVENT_PREEMPT, task, other);
	/* It may free more than the other takes. */
	class_wake(cell, t->machine);
}

void pause_over(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];

	if (!t->paused)
		return;
	t->paused = 0;
	cell->paused--;
}

/* The highest of a machine that can go on; NONE. */
static uint32_t next(const struct cell *cell, uint32_t machine)
{
	uint32_t best = NONE;

	for (uint32_t t = cell->more[machine].tasks; t != NONE; t = cell->tasks[t].next)
		if (cell->tasks[t].paused &&
		    cell->tasks[t].slack.cpu <= cell->machines[machine].free.of[RESOURCE_CPU] &&
		    (best == NONE || cell->classes[cell->tasks[t].class].priority >
					     cell->classes[cell->tasks[best].class].priority))
			best = t;
	return best;
}

bool pause_resume(struct cell *cell)
{
	uint32_t before = cell->paused;

	for (uint32_t m = 0; cell->paused && m < cell->machine_count; m++) {
		uint32_t task;

		while (cell->machines[m].task_count && (task = next(cell, m)) != NONE) {
			struct task *t = &cell->tasks[task];
			struct node_room slack = { .memory = t->slack.memory };

			room_set_slack(cell, task, slack);
			pause_over(cell, task);
			t->down = 0;
			cell->jobs[t->job].down--;
			tell(cell, EVENT_RESUME, task, NOBODY);
			/* Its budget allows one more. */
			if (cell->jobs[t->job].budget)
				class_wake_all(cell);
		}
	}
	return cell->paused < before;
}
