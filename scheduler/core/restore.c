/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/restore.h"

#include <errno.h>

#include "scheduler/core/alloc.h"
#include "scheduler/core/pause.h"
#include "scheduler/core/ports.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/task.h"
#include "scheduler/core/timer.h"

/* What of the task must be lent for it to be there. */
static struct node_room lent(const struct cell *cell, const struct class *class, uint32_t machine,
			     bool paused)
{
	const int64_t *asked = class->request.amounts.of, *free = cell->machines[machine].free.of;
	struct node_room ret = { 0 };

	if (class->priority >= PRIORITY_PRODUCTION || class->request.nodes)
		return ret;
	if (paused)
		ret.cpu = asked[RESOURCE_CPU];
	else if (asked[RESOURCE_CPU] > free[RESOURCE_CPU])
		ret.cpu = asked[RESOURCE_CPU] - (free[RESOURCE_CPU] > 0 ? free[RESOURCE_CPU] : 0);
	if (asked[RESOURCE_MEMORY] > free[RESOURCE_MEMORY])
		ret.memory = asked[RESOURCE_MEMORY] -
			     (free[RESOURCE_MEMORY] > 0 ? free[RESOURCE_MEMORY] : 0);
	return ret;
}

static enum fit fits(struct cell *cell, struct class *class, uint32_t machine,
		     struct node_room slack, struct grip *ret)
{
	struct machine *m = &cell->machines[machine];
	struct amounts free = m->free;
	enum fit fit;

	if (!fit_kind(cell, class, m->kind))
		return FIT_CAPACITY;
	/* For this one look. */
	m->free.of[RESOURCE_CPU] += slack.cpu;
	m->free.of[RESOURCE_MEMORY] += slack.memory;
	fit = fit_machine(cell, class, machine, ret);
	m->free = free;
	return fit;
}

static void pause_again(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];

	t->paused = t->down = 1;
	cell->jobs[t->job].down++;
	cell->paused++;
}

int cell_restore_task(struct cell *cell, uint32_t task, uint32_t machine, const uint16_t *ports,
		      uint32_t port_count, bool paused)
{
	struct class *class = &cell->classes[cell->tasks[task].class];
	struct node_room slack;
	struct grip grip = { 0 };
	int r;

	paused = paused && pause_can(cell, task);
	slack = lent(cell, class, machine, paused);
	if (fits(cell, class, machine, slack, &grip) != FIT_YES)
		return -EAGAIN;
	/* One that was to wait for another job, or for the end of a hold. */
	if (cell->tasks[task].timer != NONE) {
		timer_cancel(cell, task);
		queue_push(cell, task);
	}
	cell->tasks[task].slack = slack;
	r = task_start(cell, task, machine, &grip);
	if (r < 0)
		cell->tasks[task].slack = (struct node_room){ 0 };
	else if (paused)
		pause_again(cell, task);
	/* Numbers of the job's own choice are what they are. */
	for (uint32_t i = 0; r == 0 && i < port_count; i++)
		ports_change(cell, task, i, ports[i]);
	if (r == 0)
		alloc_offer(cell, task);
	return r;
}

void cell_prefer(struct cell *cell, uint32_t task, uint32_t machine)
{
	if (cell->tasks[task].state == TASK_PENDING)
		cell->tasks[task].rather = machine;
}
