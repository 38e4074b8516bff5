/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/gang_attempt.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "scheduler/core/home.h"
#include "scheduler/core/preempt.h"
#include "scheduler/core/task.h"

int attempt_init(struct gang_attempt *a, struct cell *cell, uint32_t task, struct arena *arena)
{
	uint32_t job = cell->tasks[task].job;
	bool joining = is_joining(cell, task);

	*a = (struct gang_attempt){ .cell = cell, .arena = arena };
	a->members = arena_calloc(arena, cell->jobs[job].count + 1, sizeof(*a->members));
	if (!a->members)
		return -ENOMEM;
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state == TASK_PENDING && is_joining(cell, t) == joining)
			a->members[a->count++] =
				(struct gang_member){ .task = t,
						      .since_ms = cell->tasks[t].since_ms,
						      .rather = cell->tasks[t].rather,
						      .down = cell->tasks[t].down };
	return 0;
}

bool attempt_goes_back(const struct gang_attempt *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->members[i].rather != NONE)
			return true;
	return false;
}

static const struct request *request_of(const struct cell *cell, uint32_t task)
{
	return &cell->classes[cell->tasks[task].class].request;
}

/* Devices first, then CPU, then memory. */
static int by_size(const void *x, const void *y, void *data)
{
	const struct cell *cell = data;
	const struct gang_member *m = x, *n = y;
	const struct request *a = request_of(cell, m->task), *b = request_of(cell, n->task);
	int devices = b->device_count * b->device_milli - a->device_count * a->device_milli;

	if (devices)
		return devices;
	for (int r = RESOURCE_CPU; r <= RESOURCE_MEMORY; r++)
		if (a->amounts.of[r] != b->amounts.of[r])
			return a->amounts.of[r] > b->amounts.of[r] ? -1 : 1;
	return cell->tasks[m->task].sequence < cell->tasks[n->task].sequence ? -1 : 1;
}

void attempt_sort(struct gang_attempt *a)
{
	qsort_r(a->members, a->count, sizeof(*a->members), by_size, a->cell);
}

/* ---- with preemption ---- */

static int lift(struct gang_attempt *a, uint32_t victim, uint32_t member)
{
	/* Nobody is lifted twice. */
	if (!a->lifted) {
		a->lifted_size = a->cell->running + 1;
		a->lifted = arena_calloc(a->arena, a->lifted_size, sizeof(*a->lifted));
	}
	if (!a->lifted)
		return -ENOMEM;
	assert(a->lifted_count < a->lifted_size);
	a->lifted[a->lifted_count++] = (struct gang_lifted){ .victim = victim, .member = member };
	task_lift(a->cell, victim);
	return 0;
}

/* Its own place is free again: that much room, those very devices, nodes and ports. */
static bool could_stay(const struct cell *cell, uint32_t victim)
{
	const struct task *t = &cell->tasks[victim];
	const struct class *class = &cell->classes[t->class];
	const struct machine_more *more = &cell->more[t->machine];
	const struct request *request = &class->request;

	/* What lends part of its limit is not judged: it goes. */
	if (t->slack.cpu || t->slack.memory ||
	    !amounts_fit(&request->amounts, &cell->machines[t->machine].free) ||
	    !task_could_be_put_back(cell, victim))
		return false;
	for (unsigned bits = t->devices; bits; bits &= bits - 1)
		if (more->device_free[__builtin_ctz(bits)] < request->device_milli)
			return false;
	for (unsigned bits = t->nodes; bits; bits &= bits - 1) {
		const struct node_room *node = &more->node_free[__builtin_ctz(bits)];

		if (node->cpu < request->amounts.of[RESOURCE_CPU] / request->nodes ||
		    node->memory < request->amounts.of[RESOURCE_MEMORY] / request->nodes)
			return false;
	}
	return true;
}

void attempt_spare(struct gang_attempt *a)
{
	for (size_t n = 0; n < a->lifted_count; n++) {
		struct gang_lifted *dearest = NULL;
		double most = -1;

		for (size_t i = 0; i < a->lifted_count; i++) {
			double lost = preempt_lost_work(a->cell, a->lifted[i].victim);

			if (!a->lifted[i].stays && lost > most &&
			    could_stay(a->cell, a->lifted[i].victim)) {
				most = lost;
				dearest = &a->lifted[i];
			}
		}
		if (!dearest)
			return;
		dearest->stays = true;
		task_put_back(a->cell, dearest->victim);
	}
}

/* ---- one attempt ---- */

static bool start_one(struct gang_attempt *a, enum gang_way how)
{
	struct cell *cell = a->cell;
	struct gang_member *m = &a->members[a->started];
	struct class *class = &cell->classes[cell->tasks[m->task].class];
	struct preemption way = { .machine = NONE };

	if (how != GANG_BACK || m->rather == NONE ||
	    !place_choose_at(cell, class, m->rather, &m->choice))
		place_choose(cell, class, cell->tasks[m->task].avoid, &m->choice);
	if (m->choice.machine == NONE && how > GANG_FREE) {
		preempt_find(cell, class, cell->tasks[m->task].avoid,
			     how == GANG_CLAIM ? WAY_CLAIM : WAY_LEAVE, &way);
		for (unsigned i = 0; way.machine != NONE && i < way.count && !a->error; i++)
			a->error = lift(a, way.victims[i], (uint32_t)a->started);
		m->choice.machine = way.machine;
		m->choice.grip = way.grip;
		m->choice.score = 0;
	}
	if (m->choice.machine == NONE || a->error)
		return false;
	a->error = task_start(cell, m->task, m->choice.machine, &m->choice.grip);
	return !a->error;
}

static void take_back(struct gang_attempt *a)
{
	while (a->started) {
		struct gang_member *m = &a->members[--a->started];
		struct task *t = &a->cell->tasks[m->task];

		task_unstart(a->cell, m->task);
		t->since_ms = m->since_ms;
		t->rather = m->rather;
		a->cell->jobs[t->job].down += (uint32_t)m->down - t->down;
		t->down = m->down;
	}
}

static void put_back(struct gang_attempt *a)
{
	for (size_t i = a->lifted_count; i-- > 0;)
		if (!a->lifted[i].stays)
			task_put_back(a->cell, a->lifted[i].victim);
}

bool attempt_all(struct gang_attempt *a, enum gang_way how)
{
	/* The homes of the first are those of all; with victims lifted none is guessed. */
	if (how <= GANG_FREE)
		home_choose(a->cell, a->members[0].task);
	while (a->started < a->count && start_one(a, how))
		a->started++;
	if (a->started == a->count)
		return true;
	home_forget(a->cell, a->members[0].task);
	return false;
}

/* Victims are lifted for the first who sits where they were. */
static void lift_for_seating(struct gang_attempt *a, const struct gang_seating *seating)
{
	for (size_t i = 0; i < seating->victim_count && !a->error; i++) {
		uint32_t machine = a->cell->tasks[seating->victims[i]].machine, member = 0;

		while (seating->machines[member] != machine)
			member++;
		a->error = lift(a, seating->victims[i], member);
	}
}

bool attempt_seating(struct gang_attempt *a, const struct gang_seating *seating)
{
	lift_for_seating(a, seating);
	for (; a->started < a->count && !a->error; a->started++) {
		struct gang_member *m = &a->members[a->started];
		struct class *class = &a->cell->classes[a->cell->tasks[m->task].class];

		m->choice = (struct choice){ .machine = seating->machines[a->started] };
		if (fit_machine(a->cell, class, m->choice.machine, &m->choice.grip) != FIT_YES)
			return false;
		a->error = task_start(a->cell, m->task, m->choice.machine, &m->choice.grip);
		if (a->error)
			return false;
	}
	return !a->error;
}

void attempt_undo(struct gang_attempt *a)
{
	take_back(a);
	put_back(a);
}

static enum band weigh(const struct gang_attempt *a, double *ret_lost)
{
	enum band highest = BAND_FREE;

	*ret_lost = 0;
	for (size_t i = 0; i < a->lifted_count; i++) {
		uint32_t victim = a->lifted[i].victim;
		enum band band = band_of(a->cell->classes[a->cell->tasks[victim].class].priority);

		if (a->lifted[i].stays)
			continue;
		*ret_lost += preempt_lost_work(a->cell, victim);
		highest = band > highest ? band : highest;
	}
	return highest;
}

bool attempt_is_better(const struct gang_attempt *a, const struct gang_attempt *b)
{
	double lost_a, lost_b;
	enum band band_a = weigh(a, &lost_a), band_b = weigh(b, &lost_b);

	return band_a != band_b ? band_a < band_b : lost_a < lost_b;
}
