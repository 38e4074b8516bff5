/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/room.h"

#include <assert.h>

#include "scheduler/core/index.h"

/* The request less what reclamation has taken of it. */
static struct amounts reserved(const struct task *task, const struct request *request)
{
	struct amounts amounts = request->amounts;

	amounts.of[RESOURCE_CPU] -= task->slack.cpu;
	amounts.of[RESOURCE_MEMORY] -= task->slack.memory;
	return amounts;
}

void room_add_task(const struct cell *cell, const struct task *task, struct room *room)
{
	const struct request *request = &cell->classes[task->class].request;
	struct amounts amounts = reserved(task, request);

	amounts_add(&room->free, &amounts);
	for (unsigned bits = task->devices; bits; bits &= bits - 1) {
		uint16_t *free = &room->device_free[__builtin_ctz(bits)];

		*free = (uint16_t)(*free + request->device_milli);
	}
	for (unsigned bits = task->nodes; bits; bits &= bits - 1) {
		struct node_room *free = &room->node_free[__builtin_ctz(bits)];

		free->cpu += request->amounts.of[RESOURCE_CPU] / request->nodes;
		free->memory += request->amounts.of[RESOURCE_MEMORY] / request->nodes;
	}
}

static void change_devices(struct machine_more *more, const struct task *task,
			   const struct request *request, int sign)
{
	for (unsigned bits = task->devices; bits; bits &= bits - 1) {
		uint16_t *free = &more->device_free[__builtin_ctz(bits)];

		*free = (uint16_t)(*free - sign * request->device_milli);
		assert(*free <= DEVICE_WHOLE);
	}
}

static void change_nodes(struct machine_more *more, const struct task *task,
			 const struct request *request, int sign)
{
	for (unsigned bits = task->nodes; bits; bits &= bits - 1) {
		struct node_room *free = &more->node_free[__builtin_ctz(bits)];

		free->cpu -= sign * (request->amounts.of[RESOURCE_CPU] / request->nodes);
		free->memory -= sign * (request->amounts.of[RESOURCE_MEMORY] / request->nodes);
	}
}

static void change_slack(struct machine *m, struct machine_more *more, const struct task *task,
			 int sign)
{
	more->held_back.of[RESOURCE_CPU] += sign * task->slack.cpu;
	more->held_back.of[RESOURCE_MEMORY] += sign * task->slack.memory;
	m->reclaimed =
		more->held_back.of[RESOURCE_CPU] > 0 || more->held_back.of[RESOURCE_MEMORY] > 0;
}

static void change(struct cell *cell, uint32_t task, int sign)
{
	struct task *t = &cell->tasks[task];
	const struct class *class = &cell->classes[t->class];
	struct machine *m = &cell->machines[t->machine];
	struct machine_more *more = &cell->more[t->machine];
	struct amounts amounts = reserved(t, &class->request);
	struct amounts *band = &more->by_band[band_of(class->priority)];

	if (sign > 0) {
		amounts_subtract(&m->free, &amounts);
		amounts_add(band, &amounts);
	} else {
		amounts_add(&m->free, &amounts);
		amounts_subtract(band, &amounts);
	}
	change_devices(more, t, &class->request, sign);
	if (t->nodes)
		change_nodes(more, t, &class->request, sign);
	if (class->priority >= PRIORITY_PRODUCTION && (t->slack.cpu || t->slack.memory))
		change_slack(m, more, t, sign);
	m->strand_epoch = 0;
	index_move(cell, t->machine);
}

void room_take(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];
	struct machine_more *more = &cell->more[t->machine];

	change(cell, task, 1);
	t->previous = NONE;
	t->next = more->tasks;
	if (more->tasks != NONE)
		cell->tasks[more->tasks].previous = task;
	more->tasks = task;
	cell->machines[t->machine].task_count++;
}

void room_give(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];
	struct machine_more *more = &cell->more[t->machine];

	change(cell, task, -1);
	if (t->previous != NONE)
		cell->tasks[t->previous].next = t->next;
	else
		more->tasks = t->next;
	if (t->next != NONE)
		cell->tasks[t->next].previous = t->previous;
	cell->machines[t->machine].task_count--;
}

void room_set_slack(struct cell *cell, uint32_t task, struct node_room slack)
{
	change(cell, task, -1);
	cell->tasks[task].slack = slack;
	change(cell, task, 1);
}
