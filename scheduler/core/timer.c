/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/timer.h"

#include <errno.h>
#include <stdlib.h>

int timer_reserve(struct cell *cell)
{
	uint32_t *more;

	if (cell->timer_size >= cell->task_size)
		return 0;
	more = reallocarray(cell->timers, cell->task_size, sizeof(*more));
	if (!more)
		return -ENOMEM;
	cell->timers = more;
	cell->timer_size = cell->task_size;
	return 0;
}

static bool before(const struct cell *cell, uint32_t a, uint32_t b)
{
	const struct task *x = &cell->tasks[a], *y = &cell->tasks[b];

	return x->due_ms != y->due_ms ? x->due_ms < y->due_ms : x->sequence < y->sequence;
}

static void put(struct cell *cell, size_t at, uint32_t task)
{
	cell->timers[at] = task;
	cell->tasks[task].timer = (uint32_t)at;
}

static void rise(struct cell *cell, size_t at)
{
	uint32_t task = cell->timers[at];

	for (; at && before(cell, task, cell->timers[(at - 1) / 2]); at = (at - 1) / 2)
		put(cell, at, cell->timers[(at - 1) / 2]);
	put(cell, at, task);
}

static void sink(struct cell *cell, size_t at)
{
	uint32_t task = cell->timers[at];

	for (size_t child; (child = 2 * at + 1) < cell->timer_count; at = child) {
		if (child + 1 < cell->timer_count &&
		    before(cell, cell->timers[child + 1], cell->timers[child]))
			child++;
		if (!before(cell, cell->timers[child], task))
			break;
		put(cell, at, cell->timers[child]);
	}
	put(cell, at, task);
}

void timer_set(struct cell *cell, uint32_t task, int64_t due_ms)
{
	cell->tasks[task].due_ms = due_ms;
	put(cell, cell->timer_count, task);
	rise(cell, cell->timer_count++);
}

void timer_cancel(struct cell *cell, uint32_t task)
{
	size_t at = cell->tasks[task].timer;
	uint32_t last;

	if (at == NONE)
		return;
	cell->tasks[task].timer = NONE;
	last = cell->timers[--cell->timer_count];
	if (last == task)
		return;
	put(cell, at, last);
	rise(cell, at);
	sink(cell, cell->tasks[last].timer);
}

uint32_t timer_due(struct cell *cell)
{
	uint32_t task;

	if (!cell->timer_count || cell->tasks[cell->timers[0]].due_ms > cell->outside->now_ms)
		return NONE;
	task = cell->timers[0];
	timer_cancel(cell, task);
	return task;
}
