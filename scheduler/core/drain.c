/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/drain.h"

#define SLOT_US 20000
#define BURST 100

/* The next slot of a bucket that holds BURST of them at most. */
static int64_t take_slot(int64_t *slot_us, int64_t now_us)
{
	if (*slot_us < now_us - (int64_t)BURST * SLOT_US)
		*slot_us = now_us - (int64_t)BURST * SLOT_US;
	*slot_us += SLOT_US;
	return *slot_us;
}

int64_t drain_lost_ms(struct cell *cell)
{
	int64_t now_ms = cell->outside->now_ms;
	int64_t slot_ms = take_slot(&cell->lost_slot_us, now_ms * 1000) / 1000;

	return slot_ms > now_ms ? slot_ms : now_ms;
}

static uint32_t movable(const struct cell *cell, uint32_t machine)
{
	for (uint32_t t = cell->more[machine].tasks; t != NONE; t = cell->tasks[t].next) {
		const struct cell_job *job = &cell->jobs[cell->tasks[t].job];

		/* To move one that is paused takes nobody down. */
		if (!job->budget || job->down - cell->tasks[t].paused < job->budget ||
		    cell->more[machine].hurried)
			return t;
	}
	return NONE;
}

void cell_hurry_drain(struct cell *cell, uint32_t machine, bool hurry)
{
	cell->more[machine].hurried = hurry && cell->machines[machine].state == MACHINE_DRAINING;
}

void drain_step(struct cell *cell)
{
	int64_t now_us = cell->outside->now_ms * 1000;

	for (uint32_t m = 0; cell->draining && m < cell->machine_count; m++) {
		uint32_t task;

		if (cell->machines[m].state != MACHINE_DRAINING)
			continue;
		while (cell->drain_slot_us + SLOT_US <= now_us &&
		       (task = movable(cell, m)) != NONE) {
			take_slot(&cell->drain_slot_us, now_us);
			cell_end_task(cell, task, END_DRAINED);
		}
	}
}

int64_t drain_next_ms(const struct cell *cell)
{
	for (uint32_t m = 0; cell->draining && m < cell->machine_count; m++)
		if (cell->machines[m].state == MACHINE_DRAINING && movable(cell, m) != NONE)
			return (cell->drain_slot_us + SLOT_US + 999) / 1000;
	return INT64_MAX;
}
