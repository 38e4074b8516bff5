/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/lineup.h"

#include <stdlib.h>
#include <string.h>

#include "scheduler/core/pause.h"
#include "scheduler/core/ports.h"
#include "scheduler/core/room.h"

/* ---- who could go ---- */

static bool within_budget(const struct class *class, const struct cell_job *job)
{
	return !job->budget || class->priority >= PRIORITY_MONITORING || job->down < job->budget;
}

static bool may_go(const struct cell *cell, const struct class *class, enum way way,
		   const struct task *task)
{
	const struct class *is = &cell->classes[task->class];

	/* What is in the way of a claim goes of itself: rules that protect from a push do not
	 * count. But no other of the same gang, which has just been tried there. */
	if (way == WAY_CLAIM)
		return is->priority <= class->priority && (!class->gang || is->gang != class->gang);
	return preempt_allowed(class->priority, is->priority) &&
	       within_budget(class, &cell->jobs[task->job]);
}

static int by_band_and_lost(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->band != y->band)
		return x->band < y->band ? -1 : 1;
	if (x->lost != y->lost)
		return x->lost < y->lost ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void add(const struct cell *cell, uint32_t task, unsigned priority, struct lineup *ret)
{
	struct candidate *c = &ret->all[ret->count];

	*c = (struct candidate){
		.task = task,
		.lost = preempt_lost_work(cell, task),
		.order = (uint16_t)ret->count,
		.band = (uint8_t)band_of(priority),
		.can_pause = ret->way == WAY_PAUSE && pause_can(cell, task),
	};
	ret->pausing = ret->pausing || c->can_pause;
	ret->budgets = ret->budgets || cell->jobs[cell->tasks[task].job].budget;
	ret->count++;
}

/* Whoever holds a port that the class has chosen must go. False: one of them may not. */
static bool add_ports(const struct cell *cell, struct lineup *lineup)
{
	for (uint32_t p = 0; p < lineup->class->port_count; p++) {
		int64_t holder = ports_holder(cell, lineup->class, lineup->machine, p);
		unsigned i = 0;

		if (holder == -1)
			continue;
		/* A task in an alloc goes with it. */
		if (holder >= 0 && cell->tasks[holder].machine != lineup->machine)
			holder = cell->more[cell->tasks[holder].machine].alloc;
		while (i < lineup->count && lineup->all[i].task != holder)
			i++;
		if (i == lineup->count)
			return false;
		lineup->all[i].must_go = true;
	}
	return true;
}

bool lineup_fill(const struct cell *cell, const struct class *class, uint32_t machine, enum way way,
		 struct lineup *ret)
{
	ret->class = class;
	ret->machine = machine;
	ret->way = way;
	ret->count = 0;
	ret->budgets = ret->pausing = false;
	for (uint32_t t = cell->more[machine].tasks; t != NONE && ret->count < VICTIMS_MAX;
	     t = cell->tasks[t].next)
		if (may_go(cell, class, way, &cell->tasks[t]))
			add(cell, t, cell->classes[cell->tasks[t].class].priority, ret);
	qsort(ret->all, ret->count, sizeof(*ret->all), by_band_and_lost);
	return ret->count && add_ports(cell, ret);
}

/* ---- is that enough? ---- */

void lineup_room(const struct cell *cell, const struct lineup *lineup, bool pause, struct room *ret)
{
	room_of(cell, lineup->machine, ret);
	for (unsigned i = 0; i < lineup->count; i++) {
		const struct candidate *c = &lineup->all[i];
		const struct task *t = &cell->tasks[c->task];

		if (!c->goes)
			continue;
		if (pause && c->can_pause)
			ret->free.of[RESOURCE_CPU] += pause_gain(cell, t);
		else
			room_add_task(cell, t, ret);
	}
	if (cell->machines[lineup->machine].reclaimed &&
	    lineup->class->priority >= PRIORITY_PRODUCTION)
		amounts_subtract(&ret->free, &cell->more[lineup->machine].held_back);
}

static bool fits(const struct cell *cell, const struct lineup *lineup, const struct room *room,
		 struct grip *ret)
{
	return fit_room(cell->kinds[cell->machines[lineup->machine].kind], &lineup->class->request,
			room, ret) == FIT_YES;
}

static bool enough(const struct cell *cell, const struct lineup *lineup, bool pause,
		   struct grip *ret)
{
	struct room room;

	for (unsigned i = 0; i < lineup->count; i++)
		if (lineup->all[i].must_go &&
		    !(lineup->all[i].goes && !(pause && lineup->all[i].can_pause)))
			return false;
	lineup_room(cell, lineup, pause, &room);
	return fits(cell, lineup, &room, ret);
}

/* More victims of one job than its budget allows. */
static bool over_budget(const struct cell *cell, const struct lineup *lineup)
{
	if (!lineup->budgets || lineup->way == WAY_CLAIM ||
	    lineup->class->priority >= PRIORITY_MONITORING)
		return false;
	for (unsigned i = 0; i < lineup->count; i++) {
		uint32_t job = cell->tasks[lineup->all[i].task].job;
		uint32_t down = cell->jobs[job].down;

		if (!lineup->all[i].goes || !cell->jobs[job].budget)
			continue;
		for (unsigned k = 0; k < lineup->count; k++)
			down += lineup->all[k].goes && cell->tasks[lineup->all[k].task].job == job;
		if (down > cell->jobs[job].budget)
			return true;
	}
	return false;
}

/* ---- which is best ---- */

static void weigh(const struct cell *cell, const struct lineup *lineup, bool pause,
		  enum band *ret_band, double *ret_lost)
{
	*ret_band = BAND_FREE;
	*ret_lost = 0;
	for (unsigned i = 0; i < lineup->count; i++) {
		const struct candidate *c = &lineup->all[i];

		if (!c->goes)
			continue;
		*ret_lost += pause && c->can_pause ? preempt_least_work(cell, c->task) : c->lost;
		if (c->band > *ret_band)
			*ret_band = (enum band)c->band;
	}
}

static void keep(const struct lineup *lineup, bool pause, struct preemption *best)
{
	best->machine = lineup->machine;
	best->pause = pause;
	best->count = 0;
	for (unsigned i = 0; i < lineup->count; i++)
		if (lineup->all[i].goes)
			best->victims[best->count++] = lineup->all[i].task;
}

/* The set that is marked, with pauses and without. */
static void consider(const struct cell *cell, const struct lineup *lineup, struct preemption *best)
{
	for (int pause = lineup->pausing; pause >= 0; pause--) {
		enum band band;
		double lost;
		struct grip grip;

		weigh(cell, lineup, pause, &band, &lost);
		if (best->machine != NONE &&
		    (band > best->band || (band == best->band && lost >= best->lost)))
			continue;
		if (over_budget(cell, lineup) || !enough(cell, lineup, pause, &grip))
			continue;
		keep(lineup, pause, best);
		best->band = band;
		best->lost = lost;
		best->grip = grip;
	}
}

static void mark_all(struct lineup *lineup, bool goes)
{
	for (unsigned i = 0; i < lineup->count; i++)
		lineup->all[i].goes = goes || lineup->all[i].must_go;
}

/* From the lowest upwards until there is room. */
static void take_lowest(const struct cell *cell, struct lineup *lineup)
{
	struct room room;
	struct grip grip;

	mark_all(lineup, false);
	lineup_room(cell, lineup, false, &room);
	for (unsigned i = 0; i < lineup->count && !fits(cell, lineup, &room, &grip); i++) {
		struct candidate *c = &lineup->all[i];

		if (c->goes)
			continue;
		c->goes = true;
		if (over_budget(cell, lineup))
			c->goes = false;
		else
			room_add_task(cell, &cell->tasks[c->task], &room);
	}
}

/* Whoever need not go stays, the dearest first. */
static void spare(const struct cell *cell, struct lineup *lineup)
{
	const struct request *request = &lineup->class->request;
	struct room room;
	struct grip grip;

	lineup_room(cell, lineup, false, &room);
	for (unsigned i = lineup->count; i-- > 0;) {
		struct candidate *c = &lineup->all[i];
		struct amounts left = room.free;

		if (!c->goes)
			continue;
		/* A look at its limit saves most of the recounts where they are many. */
		amounts_subtract(&left, &cell->classes[cell->tasks[c->task].class].request.amounts);
		if (lineup->count > LINEUP_EXACT * 4 && !amounts_fit(&request->amounts, &left))
			continue;
		c->goes = false;
		if (enough(cell, lineup, false, &grip))
			lineup_room(cell, lineup, false, &room);
		else
			c->goes = true;
	}
}

static void choose_greedily(const struct cell *cell, struct lineup *lineup, struct preemption *best)
{
	take_lowest(cell, lineup);
	spare(cell, lineup);
	consider(cell, lineup, best);
	/* One alone may be cheaper than several. */
	for (unsigned i = 0; i < lineup->count; i++) {
		mark_all(lineup, false);
		lineup->all[i].goes = true;
		consider(cell, lineup, best);
	}
}

bool lineup_choose(const struct cell *cell, struct lineup *lineup, struct preemption *best)
{
	struct grip grip;

	mark_all(lineup, true);
	if (!enough(cell, lineup, false, &grip))
		return false;
	if (lineup->count > LINEUP_EXACT) {
		choose_greedily(cell, lineup, best);
		return true;
	}
	for (uint32_t set = 1; set < 1u << lineup->count; set++) {
		for (unsigned i = 0; i < lineup->count; i++)
			lineup->all[i].goes = set & 1u << i;
		consider(cell, lineup, best);
	}
	return true;
}
