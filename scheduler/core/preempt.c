/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/preempt.h"

#include "scheduler/core/claim.h"
#include "scheduler/core/lineup.h"
#include "scheduler/core/pause.h"
#include "scheduler/core/spread.h"

bool preempt_allowed(unsigned priority, unsigned victim)
{
	return victim < priority &&
	       !(band_of(priority) == BAND_PRODUCTION && band_of(victim) == BAND_PRODUCTION);
}

bool preempt_might(struct cell *cell, struct class *class, uint32_t machine)
{
	struct amounts room = cell->machines[machine].free;

	if (cell->machines[machine].state != MACHINE_UP ||
	    !fit_kind(cell, class, cell->machines[machine].kind) ||
	    claim_bars(cell, class, machine))
		return false;
	for (int b = 0; b < BAND_COUNT && b <= (int)band_of(class->priority); b++)
		amounts_add(&room, &cell->more[machine].by_band[b]);
	return amounts_fit(&class->request.amounts, &room) &&
	       cell->machines[machine].task_count > 0;
}

/* The second millisecond makes fewer victims of equal ones better. */
#define LOST_AT_LEAST_MS 2

static double cpu_of(const struct cell *cell, uint32_t task)
{
	return (double)cell->classes[cell->tasks[task].class].request.amounts.of[RESOURCE_CPU];
}

double preempt_least_work(const struct cell *cell, uint32_t task)
{
	return LOST_AT_LEAST_MS * cpu_of(cell, task);
}

double preempt_lost_work(const struct cell *cell, uint32_t task)
{
	const struct task *t = &cell->tasks[task];
	const struct cell_job *job = &cell->jobs[t->job];
	int64_t ms = cell->outside->now_ms - t->since_ms;

	if (job->on_preemption == PREEMPTION_CHECKPOINT)
		ms = 0;
	/* Of two that lose the same, batch goes before what somebody waits for. */
	return cpu_of(cell, task) * (double)(ms + LOST_AT_LEAST_MS + job->latency_sensitive);
}

/* Returns whether the machine was a candidate. */
static bool look_at(struct cell *cell, struct class *class, uint32_t machine, enum way way,
		    struct lineup *lineup, struct preemption *best)
{
	return preempt_might(cell, class, machine) && fit_domains(cell, class, machine) &&
	       spread_allows(cell, class, machine) &&
	       lineup_fill(cell, class, machine, way, lineup) && lineup_choose(cell, lineup, best);
}

static bool anybody_lower(const struct cell *cell, unsigned priority)
{
	unsigned below = band_of(priority) == BAND_PRODUCTION ? PRIORITY_PRODUCTION : priority;

	for (unsigned w = 0; w * 64 < below; w++) {
		uint64_t bits = cell->running_at_filled[w];

		if (below - w * 64 < 64)
			bits &= (1ull << (below - w * 64)) - 1;
		if (bits)
			return true;
	}
	return false;
}

void preempt_find(struct cell *cell, struct class *class, uint32_t avoid, enum way way,
		  struct preemption *ret)
{
	uint32_t count = (uint32_t)cell->machine_count, seen = 0, start;
	struct lineup lineup; /* large */

	ret->machine = NONE;
	if (!count || (way != WAY_CLAIM && !anybody_lower(cell, class->priority)))
		return;
	start = (uint32_t)(cell_random(cell) % count);
	for (uint32_t i = 0; i < count && seen < PREEMPT_CANDIDATES; i++)
		if ((start + i) % count != avoid)
			seen += look_at(cell, class, (start + i) % count, way, &lineup, ret);
	if (ret->machine == NONE && avoid != NONE)
		look_at(cell, class, avoid, way, &lineup, ret);
}

uint32_t preempt_carry_out(struct cell *cell, uint32_t task, const struct preemption *way)
{
	uint32_t most_ms = 0;

	for (unsigned i = 0; i < way->count; i++) {
		uint32_t notice_ms = 0;

		if (way->pause && pause_can(cell, way->victims[i]))
			pause_task(cell, way->victims[i], task);
		else
			notice_ms = preempt_evict(cell, task, way->machine, &way->victims[i], 1);
		most_ms = notice_ms > most_ms ? notice_ms : most_ms;
	}
	return most_ms;
}

uint32_t preempt_evict(struct cell *cell, uint32_t task, uint32_t machine, const uint32_t *victims,
		       unsigned count)
{
	uint32_t most_ms = 0;

	for (unsigned i = 0; i < count; i++) {
		struct task *t = &cell->tasks[victims[i]];
		const struct cell_job *job = &cell->jobs[t->job];

		if (job->on_preemption == PREEMPTION_CHECKPOINT)
			t->rather = machine;
		most_ms = job->notice_ms > most_ms ? job->notice_ms : most_ms;
		cell_tell(cell, &(struct event){ .kind = EVENT_PREEMPT,
						 .job = t->job,
						 .task = victims[i],
						 .index = t->index,
						 .machine = machine,
						 .other = task,
						 .count = job->notice_ms,
						 .priority = cell->classes[t->class].priority,
						 .detail = job->on_preemption == PREEMPTION_PAUSE
								   ? PREEMPTION_KILL
								   : job->on_preemption });
		cell_end_task(cell, victims[i], END_PREEMPTED);
		cell->preempted++;
	}
	return most_ms;
}
