/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/after.h"

#include <errno.h>
#include <stdlib.h>

#include "scheduler/core/queue.h"
#include "scheduler/core/timer.h"

static uint32_t find_job(const struct cell *cell, const char *name)
{
	uint32_t symbol = symbol_find(&cell->symbols, name);

	return symbol ? map_get(&cell->job_of, symbol) : MAP_NONE;
}

int after_check(const struct cell *cell, const struct job *job, struct err *err)
{
	for (size_t i = 0; i < job->after_count; i++)
		if (find_job(cell, job->after[i]) == MAP_NONE)
			return err_say(err, EINVAL,
				       "job %s: it is to start after %s, and there is no such job",
				       job->name, job->after[i]);
	return 0;
}

static uint32_t new_wait(struct cell *cell)
{
	uint32_t w = cell->free_waits;

	if (w != NONE)
		cell->free_waits = cell->waits[w].next;
	else
		w = (uint32_t)cell->wait_count++;
	return w;
}

int after_add(struct cell *cell, const struct job *job, uint32_t j)
{
	size_t need = cell->wait_count + job->after_count;

	if (need > cell->wait_size) {
		struct wait *more = reallocarray(cell->waits, need * 2, sizeof(*more));

		if (!more)
			return -ENOMEM;
		cell->waits = more;
		cell->wait_size = need * 2;
	}
	for (size_t i = 0; i < job->after_count; i++) {
		struct cell_job *other = &cell->jobs[find_job(cell, job->after[i])];
		uint32_t w;

		if (!other->alive)
			continue;
		w = new_wait(cell);
		cell->waits[w] = (struct wait){ .job = j, .next = other->waiters };
		other->waiters = w;
		cell->jobs[j].waiting++;
	}
	return 0;
}

static void let_in(struct cell *cell, uint32_t job)
{
	/* Held back it may be still, see hold.h. */
	if (cell->jobs[job].held)
		return;
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state == TASK_PENDING && cell->tasks[t].timer != NONE) {
			timer_cancel(cell, t);
			queue_push(cell, t);
		}
}

void after_release(struct cell *cell, uint32_t job)
{
	for (uint32_t w = cell->jobs[job].waiters, next; w != NONE; w = next) {
		uint32_t waiter = cell->waits[w].job;

		next = cell->waits[w].next;
		cell->waits[w] = (struct wait){ .job = NONE, .next = cell->free_waits };
		cell->free_waits = w;
		if (waiter != NONE && !--cell->jobs[waiter].waiting)
			let_in(cell, waiter);
	}
	cell->jobs[job].waiters = NONE;
}

void after_forget(struct cell *cell, uint32_t job)
{
	for (size_t w = 0; cell->jobs[job].waiting && w < cell->wait_count; w++)
		if (cell->waits[w].job == job) {
			cell->waits[w].job = NONE;
			cell->jobs[job].waiting--;
		}
}
