/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/preempt.h"

#include <string.h>

#include "scheduler/core/pause.h"
#include "scheduler/core/ports.h"
#include "scheduler/core/room.h"
#include "scheduler/core/spread.h"

#define EXACT_MAX 10 /* evictable tasks on a machine up to which all subsets are tried */

/* The evictable tasks of one machine. */
struct lineup {
	uint32_t tasks[VICTIMS_MAX];
	double lost[VICTIMS_MAX];
	enum band band[VICTIMS_MAX];
	unsigned count;
	uint32_t can_pause; /* a bit for each that can be */
	uint32_t must_go;   /* a bit for each that holds a port which is asked for */
};

bool preempt_allowed(unsigned priority, unsigned victim)
{
	return victim < priority &&
	       !(band_of(priority) == BAND_PRODUCTION && band_of(victim) == BAND_PRODUCTION);
}

static bool within_budget(const struct class *class, const struct cell_job *job)
{
	return !job->budget || class->priority >= PRIORITY_MONITORING || job->down < job->budget;
}

bool preempt_might(struct cell *cell, struct class *class, uint32_t machine)
{
	struct amounts room = cell->machines[machine].free;

	if (cell->machines[machine].state != MACHINE_UP ||
	    !fit_kind(cell, class, cell->machines[machine].kind))
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

/* Lowest priority first, then least lost work: what a greedy choice takes first. */
static void insert(struct lineup *lineup, uint32_t task, double lost, enum band band)
{
	unsigned at = lineup->count < VICTIMS_MAX ? lineup->count++ : VICTIMS_MAX - 1;

	for (; at && (lineup->band[at - 1] > band ||
		      (lineup->band[at - 1] == band && lineup->lost[at - 1] > lost));
	     at--) {
		lineup->tasks[at] = lineup->tasks[at - 1];
		lineup->lost[at] = lineup->lost[at - 1];
		lineup->band[at] = lineup->band[at - 1];
	}
	lineup->tasks[at] = task;
	lineup->lost[at] = lost;
	lineup->band[at] = band;
}

static void line_up(const struct cell *cell, const struct class *class, uint32_t machine,
		    struct lineup *ret)
{
	*ret = (struct lineup){ 0 };
	for (uint32_t t = cell->more[machine].tasks; t != NONE; t = cell->tasks[t].next) {
		const struct task *task = &cell->tasks[t];
		unsigned priority = cell->classes[task->class].priority;

		if (preempt_allowed(class->priority, priority) &&
		    within_budget(class, &cell->jobs[task->job]))
			insert(ret, t, preempt_lost_work(cell, t), band_of(priority));
	}
	for (unsigned i = 0; i < ret->count; i++)
		ret->can_pause |= (uint32_t)pause_can(cell, ret->tasks[i]) << i;
}

/* Whoever holds a port that the class has chosen must go. False: one of them may not. */
static bool line_up_ports(const struct cell *cell, const struct class *class, uint32_t machine,
			  struct lineup *lineup)
{
	for (uint32_t p = 0; p < class->port_count; p++) {
		int64_t holder = ports_holder(cell, class, machine, p);
		unsigned i = 0;

		if (holder == -1)
			continue;
		/* A task in an alloc goes with it. */
		if (holder >= 0 && cell->tasks[holder].machine != machine)
			holder = cell->more[cell->tasks[holder].machine].alloc;
		while (i < lineup->count && lineup->tasks[i] != holder)
			i++;
		if (i == lineup->count)
			return false;
		lineup->must_go |= 1u << i;
	}
	return true;
}

/* The room there would be without the tasks of a set. */
static void room_without(const struct cell *cell, uint32_t machine, const struct lineup *lineup,
			 uint32_t set, bool pause, struct room *ret)
{
	room_of(cell, machine, ret);
	for (; set; set &= set - 1) {
		const struct task *t = &cell->tasks[lineup->tasks[__builtin_ctz(set)]];

		if (pause && lineup->can_pause & (set & -set))
			ret->free.of[RESOURCE_CPU] += pause_gain(cell, t);
		else
			room_add_task(cell, t, ret);
	}
}

static bool enough(const struct cell *cell, const struct class *class, uint32_t machine,
		   const struct lineup *lineup, uint32_t set, bool pause, struct grip *ret)
{
	struct room room;

	if (lineup->must_go & ~(pause ? set & ~lineup->can_pause : set))
		return false;
	room_without(cell, machine, lineup, set, pause, &room);
	if (cell->machines[machine].reclaimed && class->priority >= PRIORITY_PRODUCTION)
		amounts_subtract(&room.free, &cell->more[machine].held_back);
	return fit_room(cell->kinds[cell->machines[machine].kind], &class->request, &room, ret) ==
	       FIT_YES;
}

/* More victims of one job than its budget allows. */
static bool over_budget(const struct cell *cell, const struct class *class,
			const struct lineup *lineup, uint32_t set)
{
	for (uint32_t rest = set; rest; rest &= rest - 1) {
		uint32_t job = cell->tasks[lineup->tasks[__builtin_ctz(rest)]].job;
		uint32_t down = cell->jobs[job].down;

		for (uint32_t other = set; other; other &= other - 1)
			down += cell->tasks[lineup->tasks[__builtin_ctz(other)]].job == job;
		if (cell->jobs[job].budget && class->priority < PRIORITY_MONITORING &&
		    down > cell->jobs[job].budget)
			return true;
	}
	return false;
}

static void weigh(const struct cell *cell, const struct lineup *lineup, uint32_t set,
		  struct preemption *ret)
{
	ret->lost = 0;
	ret->count = 0;
	ret->band = BAND_FREE;
	for (; set; set &= set - 1) {
		int i = __builtin_ctz(set);

		ret->lost += ret->pause && lineup->can_pause & 1u << i
				     ? LOST_AT_LEAST_MS * cpu_of(cell, lineup->tasks[i])
				     : lineup->lost[i];
		ret->victims[ret->count++] = lineup->tasks[i];
		if (lineup->band[i] > ret->band)
			ret->band = lineup->band[i];
	}
}

static bool better(const struct preemption *a, const struct preemption *b)
{
	if (b->machine == NONE || a->band != b->band)
		return b->machine == NONE || a->band < b->band;
	return a->lost < b->lost;
}

static void consider(const struct cell *cell, const struct class *class, uint32_t machine,
		     const struct lineup *lineup, uint32_t set, struct preemption *best)
{
	for (int pause = (lineup->can_pause & set) != 0; pause >= 0; pause--) {
		struct preemption way = { .machine = machine, .pause = pause };

		weigh(cell, lineup, set, &way);
		if (better(&way, best) && !over_budget(cell, class, lineup, set) &&
		    enough(cell, class, machine, lineup, set, pause, &way.grip))
			*best = way;
	}
}

/* From the lowest upwards until there is room; then whoever need not go stays, the dearest first.
 */
static void greedy(const struct cell *cell, const struct class *class, uint32_t machine,
		   const struct lineup *lineup, struct preemption *best)
{
	struct grip grip;
	uint32_t set = lineup->must_go;

	for (unsigned i = 0; i < lineup->count; i++) {
		if (enough(cell, class, machine, lineup, set, false, &grip))
			break;
		set |= 1u << i;
		if (over_budget(cell, class, lineup, set))
			set &= ~(1u << i);
	}
	for (unsigned i = lineup->count; i-- > 0;)
		if (set & 1u << i &&
		    enough(cell, class, machine, lineup, set & ~(1u << i), false, &grip))
			set &= ~(1u << i);
	/* One alone may be cheaper than several. */
	for (unsigned i = 0; i < lineup->count; i++)
		consider(cell, class, machine, lineup, 1u << i, best);
	consider(cell, class, machine, lineup, set, best);
}

/* Returns whether the machine was a candidate. */
static bool look_at(struct cell *cell, struct class *class, uint32_t machine, bool whole,
		    struct preemption *best)
{
	struct lineup lineup;
	struct grip grip;

	if (!preempt_might(cell, class, machine) || !fit_domains(cell, class, machine) ||
	    !spread_allows(cell, class, machine))
		return false;
	line_up(cell, class, machine, &lineup);
	if (!lineup.count || !line_up_ports(cell, class, machine, &lineup))
		return false;
	if (whole)
		lineup.can_pause = 0;
	if (lineup.count > EXACT_MAX) {
		greedy(cell, class, machine, &lineup, best);
		return true;
	}
	if (!enough(cell, class, machine, &lineup, (1u << lineup.count) - 1, false, &grip))
		return false;
	for (uint32_t set = 1; set < 1u << lineup.count; set++)
		consider(cell, class, machine, &lineup, set, best);
	return true;
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

static void find(struct cell *cell, struct class *class, uint32_t avoid, bool whole,
		 struct preemption *ret)
{
	uint32_t count = (uint32_t)cell->machine_count, seen = 0, start;

	ret->machine = NONE;
	if (!count || !anybody_lower(cell, class->priority))
		return;
	start = (uint32_t)(cell_random(cell) % count);
	for (uint32_t i = 0; i < count && seen < PREEMPT_CANDIDATES; i++)
		if ((start + i) % count != avoid)
			seen += look_at(cell, class, (start + i) % count, whole, ret);
	if (ret->machine == NONE && avoid != NONE)
		look_at(cell, class, avoid, whole, ret);
}

void preempt_find(struct cell *cell, struct class *class, uint32_t avoid, struct preemption *ret)
{
	find(cell, class, avoid, false, ret);
}

void preempt_find_whole(struct cell *cell, struct class *class, uint32_t avoid,
			struct preemption *ret)
{
	find(cell, class, avoid, true, ret);
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
		const struct task *t = &cell->tasks[victims[i]];
		const struct cell_job *job = &cell->jobs[t->job];

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
