/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/gang.h"

#include <errno.h>
#include <stdlib.h>

#include "scheduler/core/alloc.h"
#include "scheduler/core/claim.h"
#include "scheduler/core/class.h"
#include "scheduler/core/gang_attempt.h"
#include "scheduler/core/preempt.h"
#include "scheduler/core/task.h"

bool gang_is_whole(const struct cell *cell, uint32_t task)
{
	const struct cell_job *j = &cell->jobs[cell->tasks[task].job];
	bool joining = is_joining(cell, task);

	if (!j->gang || (j->running && !joining))
		return false;
	for (uint32_t t = j->tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if ((cell->tasks[t].timer != NONE || cell->tasks[t].follows != NONE) &&
		    is_joining(cell, t) == joining)
			return false;
	return true;
}

/* Those that join come after what they join, unless that is over. */
static bool waits_for_gang(const struct cell *cell, uint32_t task)
{
	const struct cell_job *j = &cell->jobs[cell->tasks[task].job];

	return is_joining(cell, task) && !j->running && j->alive > j->joining;
}

void gang_wake_joining(struct cell *cell, uint32_t job)
{
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (is_joining(cell, t))
			class_unblock(cell, cell->tasks[t].class);
}

static bool may_preempt(struct gang_attempt *a)
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

/* From now on they are members like the others. */
static void join(struct gang_attempt *a)
{
	for (size_t i = 0; i < a->count; i++) {
		uint32_t task = a->members[i].task, was = a->cell->tasks[task].class;

		if (!is_joining(a->cell, task))
			continue;
		task_resize(a->cell, task, a->cell->classes[was].joins, &a->members[i].choice.grip);
		a->cell->jobs[a->cell->tasks[task].job].joining--;
		if (!a->cell->classes[was].tasks)
			class_unblock(a->cell, was);
	}
}

static void tell_all(struct gang_attempt *a)
{
	for (size_t i = 0; i < a->count; i++) {
		place_tell(a->cell, a->members[i].task, &a->members[i].choice);
		a->cell->placed++;
		claim_moved_on(a->cell,
			       &a->cell->classes[a->cell->tasks[a->members[i].task].class]);
	}
	join(a);
	for (size_t i = 0; i < a->count; i++)
		alloc_offer(a->cell, a->members[i].task);
}

/* What the attempt has shown to go, for real. */
static int enact(struct gang_attempt *a)
{
	int r = 0;

	for (size_t i = 0; i < a->lifted_count; i++) {
		struct gang_member *m = &a->members[a->lifted[i].member];
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

static void give_up(struct gang_attempt *a, const struct gang_member *failed)
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

/* The way that loses least work, once each task has taken its cheapest; they must fit on the same
 * machines in turn. 1: found, in *ret. */
static int search(struct gang_attempt *a, uint32_t task, struct arena *arena,
		  struct gang_attempt *ret)
{
	uint32_t *tasks = arena_calloc(arena, a->count, sizeof(*tasks));
	struct gang_seating seating;
	int r = tasks ? attempt_init(ret, a->cell, task, arena) : -ENOMEM;

	if (r < 0)
		return r;
	attempt_sort(ret);
	for (size_t i = 0; i < ret->count; i++)
		tasks[i] = ret->members[i].task;
	r = gang_search(a->cell, tasks, ret->count, arena, &seating);
	if (r <= 0)
		return r;
	r = attempt_seating(ret, &seating);
	if (r)
		attempt_spare(ret);
	attempt_undo(ret);
	return ret->error ? ret->error : r;
}

/* 1: started. 0: there is no way. */
static int preempt(struct gang_attempt *a, uint32_t task, struct arena *arena, uint32_t *ret_failed)
{
	struct gang_attempt other = { .cell = a->cell };
	bool found;
	int r;

	attempt_sort(a);
	found = attempt_all(a, GANG_PREEMPT);
	if (found)
		attempt_spare(a);
	*ret_failed = (uint32_t)a->started;
	attempt_undo(a);
	r = a->error ? a->error : search(a, task, arena, &other);
	if (r > 0 && (!found || attempt_is_better(&other, a)))
		r = enact(&other);
	else if (r >= 0 && found)
		r = enact(a);
	else if (r >= 0)
		r = -EAGAIN;
	return r == -EAGAIN ? 0 : r < 0 ? r : 1;
}

/* Where all cannot run with some in their old places, they run without. */
static bool start_free(struct gang_attempt *a)
{
	if (attempt_goes_back(a)) {
		if (attempt_all(a, GANG_BACK))
			return true;
		attempt_undo(a);
	}
	return !a->error && attempt_all(a, GANG_FREE);
}

static int decide(struct gang_attempt *a, uint32_t task, struct arena *arena)
{
	uint32_t failed;
	int r = 0;

	if (start_free(a)) {
		tell_all(a);
		return 1;
	}
	failed = (uint32_t)a->started;
	attempt_undo(a);
	if (!a->error && may_preempt(a))
		r = preempt(a, task, arena, &failed);
	if (a->error || r)
		return a->error ? a->error : r;
	give_up(a, &a->members[failed]);
	return 1;
}

int gang_decide(struct cell *cell, uint32_t task)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct gang_attempt a = { .cell = cell };
	int r = arena ? attempt_init(&a, cell, task, arena) : -ENOMEM;

	if (r == 0 && waits_for_gang(cell, task)) {
		for (size_t i = 0; i < a.count; i++)
			class_block(cell, cell->tasks[a.members[i].task].class);
		return 1;
	}
	return r == 0 ? decide(&a, task, arena) : r;
}

/* ---- for a claim ---- */

static uint32_t list_machines(const struct gang_attempt *a, uint32_t *ret)
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

uint32_t gang_find_room(struct cell *cell, uint32_t task, uint32_t *ret_machines)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct gang_attempt a;
	uint32_t count = 0;

	if (!arena || attempt_init(&a, cell, task, arena) < 0)
		return 0;
	attempt_sort(&a);
	if (attempt_all(&a, GANG_CLAIM))
		count = list_machines(&a, ret_machines);
	attempt_undo(&a);
	return count;
}
