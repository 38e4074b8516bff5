/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/gang.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "scheduler/core/alloc.h"
#include "scheduler/core/claim.h"
#include "scheduler/core/class.h"
#include "scheduler/core/home.h"
#include "scheduler/core/place.h"
#include "scheduler/core/preempt.h"
#include "scheduler/core/task.h"

/* On what is free; with victims of lower priority; as if nobody were in the way, see claim.h. */
enum gang_way { GANG_FREE, GANG_PREEMPT, GANG_CLAIM };

/* A task of the gang, and what it was before it was tried. */
struct member {
	uint32_t task;
	struct choice choice;
	int64_t since_ms;
	bool down;
};

struct lifted {
	uint32_t victim, member; /* for whom it was */
	bool stays;
};

struct attempt {
	struct cell *cell;
	struct member *members;
	size_t count, started;
	struct lifted *lifted;
	size_t lifted_count, lifted_size;
	int error;
};

bool gang_is_whole(const struct cell *cell, uint32_t job)
{
	const struct cell_job *j = &cell->jobs[job];

	if (!j->gang || j->running)
		return false;
	for (uint32_t t = j->tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].timer != NONE || cell->tasks[t].follows != NONE)
			return false;
	return true;
}

static int list_members(struct attempt *a, uint32_t job, struct arena *arena)
{
	struct cell *cell = a->cell;

	a->members = arena_calloc(arena, cell->jobs[job].count + 1, sizeof(*a->members));
	if (!a->members)
		return -ENOMEM;
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state == TASK_PENDING)
			a->members[a->count++] =
				(struct member){ .task = t,
						 .since_ms = cell->tasks[t].since_ms,
						 .down = cell->tasks[t].down };
	return 0;
}

static const struct request *request_of(const struct cell *cell, uint32_t task)
{
	return &cell->classes[cell->tasks[task].class].request;
}

/* Devices first, then CPU, then memory. */
static int by_size(const void *x, const void *y, void *data)
{
	const struct cell *cell = data;
	const struct member *m = x, *n = y;
	const struct request *a = request_of(cell, m->task), *b = request_of(cell, n->task);
	int devices = b->device_count * b->device_milli - a->device_count * a->device_milli;

	if (devices)
		return devices;
	for (int r = RESOURCE_CPU; r <= RESOURCE_MEMORY; r++)
		if (a->amounts.of[r] != b->amounts.of[r])
			return a->amounts.of[r] > b->amounts.of[r] ? -1 : 1;
	return cell->tasks[m->task].sequence < cell->tasks[n->task].sequence ? -1 : 1;
}

/* ---- with preemption ---- */

static int lift(struct attempt *a, const struct preemption *way)
{
	for (unsigned i = 0; i < way->count; i++) {
		if (state_grow(a->lifted, a->lifted_count, a->lifted_size) < 0)
			return -ENOMEM;
		a->lifted[a->lifted_count++] = (struct lifted){ .victim = way->victims[i],
								.member = (uint32_t)a->started };
		task_lift(a->cell, way->victims[i]);
	}
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

/* Whoever need not have gone stays, the dearest first. */
static void spare(struct attempt *a)
{
	for (size_t n = 0; n < a->lifted_count; n++) {
		struct lifted *dearest = NULL;
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

static bool start_one(struct attempt *a, enum gang_way how)
{
	struct cell *cell = a->cell;
	struct member *m = &a->members[a->started];
	struct class *class = &cell->classes[cell->tasks[m->task].class];
	struct preemption way = { .machine = NONE };

	place_choose(cell, class, cell->tasks[m->task].avoid, &m->choice);
	if (m->choice.machine == NONE && how != GANG_FREE) {
		preempt_find(cell, class, cell->tasks[m->task].avoid,
			     how == GANG_CLAIM ? WAY_CLAIM : WAY_LEAVE, &way);
		if (way.machine != NONE)
			a->error = lift(a, &way);
		m->choice.machine = way.machine;
		m->choice.grip = way.grip;
		m->choice.score = 0;
	}
	if (m->choice.machine == NONE || a->error)
		return false;
	a->error = task_start(cell, m->task, m->choice.machine, &m->choice.grip);
	return !a->error;
}

static void take_back(struct attempt *a)
{
	while (a->started) {
		struct member *m = &a->members[--a->started];
		struct task *t = &a->cell->tasks[m->task];

		task_unstart(a->cell, m->task);
		t->since_ms = m->since_ms;
		a->cell->jobs[t->job].down += (uint32_t)m->down - t->down;
		t->down = m->down;
	}
}

static void put_back(struct attempt *a)
{
	for (size_t i = a->lifted_count; i-- > 0;)
		if (!a->lifted[i].stays)
			task_put_back(a->cell, a->lifted[i].victim);
}

/* All have a place, and run; or none does. */
static bool try_all(struct attempt *a, enum gang_way how)
{
	/* The homes of the first are those of all; with victims lifted none is guessed. */
	if (how == GANG_FREE)
		home_choose(a->cell, a->members[0].task);
	while (a->started < a->count && start_one(a, how))
		a->started++;
	if (a->started == a->count)
		return true;
	home_forget(a->cell, a->members[0].task);
	return false;
}

static bool may_preempt(struct attempt *a)
{
	struct cell *cell = a->cell;
	bool held = false;

	for (size_t i = 0; i < a->count; i++)
		held = held || cell->tasks[a->members[i].task].preempted_in == cell->pass + 1;
	for (size_t i = 0; held && i < a->count; i++) {
		struct class *class = &cell->classes[cell->tasks[a->members[i].task].class];

		cell->depth_held += !class->depth_held;
		class->depth_held = true;
	}
	return !held && !cell->options.no_preemption;
}

/* ---- the decision ---- */

static void tell_all(struct attempt *a)
{
	for (size_t i = 0; i < a->count; i++) {
		place_tell(a->cell, a->members[i].task, &a->members[i].choice);
		a->cell->placed++;
		claim_moved_on(a->cell,
			       &a->cell->classes[a->cell->tasks[a->members[i].task].class]);
	}
	for (size_t i = 0; i < a->count; i++)
		alloc_offer(a->cell, a->members[i].task);
}

/* What the attempt has shown to go, for real. */
static int enact(struct attempt *a)
{
	int r = 0;

	a->started = a->count;
	take_back(a);
	put_back(a);
	for (size_t i = 0; i < a->lifted_count; i++) {
		struct member *m = &a->members[a->lifted[i].member];
		uint32_t notice_ms;

		if (a->lifted[i].stays)
			continue;
		notice_ms =
			preempt_evict(a->cell, m->task, a->cell->tasks[a->lifted[i].victim].machine,
				      &a->lifted[i].victim, 1);
		if (notice_ms > m->choice.notice_ms)
			m->choice.notice_ms = notice_ms;
	}
	for (size_t i = 0; r == 0 && i < a->count; i++)
		r = task_start(a->cell, a->members[i].task, a->members[i].choice.machine,
			       &a->members[i].choice.grip);
	if (r == 0)
		tell_all(a);
	return r;
}

static void give_up(struct attempt *a, const struct member *failed)
{
	struct choice nowhere = { .machine = NONE, .examined = failed->choice.examined };

	for (size_t i = 0; i < a->count; i++) {
		uint32_t class = a->cell->tasks[a->members[i].task].class;

		class_block(a->cell, class);
		claim_stuck(a->cell, &a->cell->classes[class]);
	}
	place_tell(a->cell, failed->task, &nowhere);
	a->cell->infeasible++;
}

static int decide(struct attempt *a)
{
	uint32_t failed;

	if (try_all(a, GANG_FREE)) {
		tell_all(a);
		return 1;
	}
	failed = (uint32_t)a->started;
	take_back(a);
	if (!a->error && may_preempt(a)) {
		qsort_r(a->members, a->count, sizeof(*a->members), by_size, a->cell);
		if (try_all(a, GANG_PREEMPT)) {
			spare(a);
			a->error = enact(a);
			return a->error ? a->error : 1;
		}
		failed = (uint32_t)a->started;
		take_back(a);
		put_back(a);
	}
	if (a->error)
		return a->error;
	give_up(a, &a->members[failed]);
	return 1;
}

int gang_decide(struct cell *cell, uint32_t job)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct attempt a = { .cell = cell };
	int r = arena ? list_members(&a, job, arena) : -ENOMEM;

	if (r == 0)
		r = decide(&a);
	free(a.lifted);
	return r;
}

static uint32_t list_machines(const struct attempt *a, uint32_t *ret)
{
	uint32_t count = 0;

	for (size_t i = 0; i < a->started; i++) {
		uint32_t k = 0;

		while (k < count && ret[k] != a->members[i].choice.machine)
			k++;
		if (k == count)
			ret[count++] = a->members[i].choice.machine;
	}
	return count;
}

uint32_t gang_find_room(struct cell *cell, uint32_t job, uint32_t *ret_machines)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct attempt a = { .cell = cell };
	uint32_t count = 0;

	if (!arena || list_members(&a, job, arena) < 0)
		return 0;
	qsort_r(a.members, a.count, sizeof(*a.members), by_size, cell);
	if (try_all(&a, GANG_CLAIM))
		count = list_machines(&a, ret_machines);
	take_back(&a);
	put_back(&a);
	free(a.lifted);
	return count;
}
