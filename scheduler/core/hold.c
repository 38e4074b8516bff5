/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/hold.h"

#include "scheduler/core/queue.h"
#include "scheduler/core/timer.h"

static void sum_job(const struct cell *cell, uint32_t job, struct amounts *ret)
{
	*ret = (struct amounts){ 0 };
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state != TASK_ENDED)
			amounts_add(ret, &cell->classes[cell->tasks[t].class].request.amounts);
}

static bool comes_before(const struct cell *cell, uint32_t a, uint32_t b)
{
	const struct cell_job *x = &cell->jobs[a], *y = &cell->jobs[b];

	return x->priority != y->priority
		       ? x->priority > y->priority
		       : cell->tasks[x->tasks].sequence < cell->tasks[y->tasks].sequence;
}

bool hold_job(struct cell *cell, uint32_t job)
{
	struct cell_job *j = &cell->jobs[job];
	uint32_t *link = &cell->held_jobs;
	struct amounts sum;

	if (!(cell->options.batch_share > 0) || band_of(j->priority) != BAND_BATCH || j->set)
		return false;
	while (*link != NONE && comes_before(cell, *link, job))
		link = &cell->jobs[*link].next_held;
	j->next_held = *link;
	j->held = true;
	*link = job;
	sum_job(cell, job, &sum);
	amounts_add(&cell->held_back, &sum);
	cell->held_room[0] = INT64_MIN;
	return true;
}

/* What may be let in. */
static void measure(const struct cell *cell, int64_t ret[2])
{
	for (int r = 0; r < 2; r++)
		ret[r] = (int64_t)(cell->options.batch_share * (double)cell->capacity.of[r]) -
			 (cell->demand.wanted.of[r] - cell->held_back.of[r]);
}

static bool fits(const struct cell *cell, const struct amounts *sum)
{
	int64_t room[2];

	measure(cell, room);
	return sum->of[RESOURCE_CPU] <= room[RESOURCE_CPU] &&
	       sum->of[RESOURCE_MEMORY] <= room[RESOURCE_MEMORY];
}

bool hold_is_idle(const struct cell *cell)
{
	for (unsigned p = PRIORITY_BATCH; p < PRIORITY_MID; p++)
		if (cell->running_at[p])
			return false;
	return cell->held_jobs != NONE;
}

/* Nothing fitted, and there is no more room since. */
static bool in_vain(struct cell *cell)
{
	int64_t room[2];

	measure(cell, room);
	return room[0] <= cell->held_room[0] && room[1] <= cell->held_room[1];
}

static void take_out(struct cell *cell, uint32_t *link)
{
	struct cell_job *job = &cell->jobs[*link];
	struct amounts sum;

	sum_job(cell, *link, &sum);
	amounts_subtract(&cell->held_back, &sum);
	*link = job->next_held;
	job->next_held = NONE;
	job->held = false;
}

static void let_in(struct cell *cell, uint32_t job)
{
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state == TASK_PENDING && cell->tasks[t].timer != NONE &&
		    !cell->jobs[job].waiting) {
			timer_cancel(cell, t);
			queue_push(cell, t);
		}
}

void hold_release(struct cell *cell)
{
	uint32_t *link = &cell->held_jobs;
	bool idle = hold_is_idle(cell);

	if (*link == NONE || (!idle && in_vain(cell)))
		return;
	while (*link != NONE) {
		uint32_t job = *link;
		struct amounts sum;

		sum_job(cell, job, &sum);
		if (!idle && !fits(cell, &sum)) {
			link = &cell->jobs[job].next_held;
			continue;
		}
		take_out(cell, link);
		let_in(cell, job);
		idle = false;
	}
	measure(cell, cell->held_room);
}

void hold_forget(struct cell *cell, uint32_t job)
{
	struct cell_job *j = &cell->jobs[job];
	uint32_t *link = &cell->held_jobs;

	if (!j->held)
		return;
	while (*link != job)
		link = &cell->jobs[*link].next_held;
	take_out(cell, link);
}
