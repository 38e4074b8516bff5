/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/scale.h"

#include <errno.h>
#include <string.h>

#include "scheduler/core/admit.h"
#include "scheduler/core/alloc.h"
#include "scheduler/core/class.h"
#include "scheduler/core/demand.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/quota.h"
#include "scheduler/core/timer.h"

/* The first task with that index or a higher one; NONE. */
static uint32_t from_index(const struct cell *cell, uint32_t job, uint32_t index)
{
	uint32_t t = cell->jobs[job].tasks;

	while (t != NONE && cell->tasks[t].index < index)
		t = cell->tasks[t].next_in_job;
	return t;
}

/* Of a set the indexes of allocs that have gone do not count. */
uint32_t cell_scale_size(const struct cell *cell, uint32_t job)
{
	const struct cell_job *j = &cell->jobs[job];

	return j->reserves ? j->alive : j->count;
}

/* ---- fewer ---- */

/* Who goes first: what is not reserved, what is empty, what holds tasks. */
enum rank { RANK_WAITS, RANK_EMPTY, RANK_HOLDS, RANK_COUNT };

static bool has_rank(const struct cell *cell, uint32_t task, enum rank rank)
{
	const struct task *t = &cell->tasks[task];
	bool holds = t->room != NONE &&
		     (cell->machines[t->room].task_count || cell->more[t->room].followers != NONE);

	return t->state != TASK_ENDED && rank == (holds			     ? RANK_HOLDS
						  : t->state == TASK_RUNNING ? RANK_EMPTY
									     : RANK_WAITS);
}

/* The last so many of a rank. What goes before it changes nobody's rank. */
static uint32_t each_of_rank(struct cell *cell, uint32_t job, enum rank rank, uint32_t most,
			     void (*fn)(struct cell *cell, uint32_t task, void *data), void *data)
{
	uint32_t count = 0, skip;

	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		count += has_rank(cell, t, rank);
	most = most < count ? most : count;
	skip = count - most;
	for (uint32_t t = cell->jobs[job].tasks; most && t != NONE; t = cell->tasks[t].next_in_job)
		if (has_rank(cell, t, rank) && !skip)
			fn(cell, t, data);
		else if (has_rank(cell, t, rank))
			skip--;
	return most;
}

static void each_leaver(struct cell *cell, uint32_t job, uint32_t count,
			void (*fn)(struct cell *cell, uint32_t task, void *data), void *data)
{
	uint32_t more = cell->jobs[job].alive > count ? cell->jobs[job].alive - count : 0;

	for (int rank = 0; rank < RANK_COUNT; rank++)
		more -= each_of_rank(cell, job, (enum rank)rank, more, fn, data);
}

/* Those in it get their notice, and pend; it is none of their doing. */
static void drop_alloc(struct cell *cell, uint32_t task, void *data)
{
	uint32_t room = cell->tasks[task].room;

	(void)data;
	while (room != NONE && cell->more[room].tasks != NONE)
		cell_end_task(cell, cell->more[room].tasks, END_DRAINED);
	cell_end_task(cell, task, END_KILLED);
}

static uint32_t last_alive(const struct cell *cell, uint32_t job)
{
	uint32_t last = 0;

	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state != TASK_ENDED)
			last = cell->tasks[t].index;
	return last;
}

static void shrink(struct cell *cell, uint32_t job, uint32_t count)
{
	struct cell_job *j = &cell->jobs[job];

	if (j->reserves) {
		each_leaver(cell, job, count, drop_alloc, NULL);
		count = last_alive(cell, job) + 1;
	}
	for (uint32_t t = from_index(cell, job, count); t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state != TASK_ENDED)
			cell_end_task(cell, t, END_KILLED);
	admit_forget_from(cell, job, count);
	j->count = count;
	/* Fewer of a gang may fit. */
	for (uint32_t t = j->tasks; j->gang && t != NONE; t = cell->tasks[t].next_in_job)
		class_unblock(cell, cell->tasks[t].class);
}

static void mark_leaver(struct cell *cell, uint32_t task, void *data)
{
	bool *goes = data;

	goes[cell->tasks[task].index] = true;
}

void cell_scale_leavers(struct cell *cell, uint32_t job, uint32_t count, bool *ret_goes)
{
	memset(ret_goes, 0, cell->jobs[job].count * sizeof(*ret_goes));
	if (cell->jobs[job].reserves)
		each_leaver(cell, job, count, mark_leaver, ret_goes);
	for (uint32_t i = count; !cell->jobs[job].reserves && i < cell->jobs[job].count; i++)
		ret_goes[i] = true;
}

/* ---- more ---- */

static int check_quota(struct cell *cell, uint32_t job, const struct job *asked, struct err *err)
{
	const struct cell_job *j = &cell->jobs[job];
	uint32_t was = cell_scale_size(cell, job);
	struct amounts more = { 0 };

	for (int r = 0; r < RESOURCE_COUNT; r++)
		more.of[r] = asked->request.amounts.of[r] * (int64_t)(asked->count - was);
	for (size_t i = 0; i < asked->override_count; i++) {
		if (asked->overrides[i].index < was || asked->overrides[i].index >= asked->count)
			continue;
		amounts_add(&more, &asked->overrides[i].request.amounts);
		amounts_subtract(&more, &asked->request.amounts);
	}
	return quota_check_more(cell, j, &more, err);
}

/* Until it has joined: it must be able to be of both classes without an allocation. */
static int make_joining(struct cell *cell, uint32_t task)
{
	uint32_t owner = cell->jobs[cell->tasks[task].job].owner, class;
	int r = class_joining(cell, cell->tasks[task].class, &class);

	if (r == 0)
		r = queue_reserve(cell, class, owner);
	if (r == 0)
		cell->tasks[task].class = class;
	return r;
}

/* One that was just made: it asks, and stands in line unless its whole job stands aside. */
static void begin(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];
	struct cell_job *job = &cell->jobs[t->job];
	struct class *class = &cell->classes[t->class];

	demand_add(cell, class);
	class->tasks++;
	job->alive++;
	job->joining += is_joining(cell, task);
	quota_charge(cell, job, &class->request);
	if (job->held)
		amounts_add(&cell->held_back, &class->request.amounts);
	/* One of a gang that was proven not to fit: another number may. */
	if (job->gang)
		class_unblock(cell, t->class);
	if (job->held || job->waiting)
		timer_set(cell, task, INT64_MAX);
	else
		queue_push(cell, task);
}

/* Indexes that allocs have left, for those that come: what they need, and no change yet. */
static int reserve_again(struct cell *cell, uint32_t job, const struct job *asked, uint32_t again,
			 uint32_t *ret_class, uint32_t *ret_kind)
{
	uint64_t ports, places;
	uint32_t plain;
	int r = class_find(cell, asked, &asked->request, &plain);

	*ret_class = plain;
	if (r == 0)
		r = queue_reserve(cell, plain, cell->jobs[job].owner);
	if (r == 0 && cell->jobs[job].running)
		r = class_joining(cell, plain, ret_class);
	if (r == 0)
		r = queue_reserve(cell, *ret_class, cell->jobs[job].owner);
	if (r == 0)
		r = alloc_kind(cell, cell->jobs[job].tasks, &cell->classes[plain].request,
			       ret_kind);
	if (r < 0)
		return r;
	ports = (uint64_t)demand_ports(&cell->classes[plain]) * (asked->count + again);
	places = (uint64_t)demand_places(&cell->classes[plain]) * (asked->count + again);
	return demand_reserve_tables(cell, ports, places);
}

static void begin_again(struct cell *cell, uint32_t task, uint32_t class, uint32_t kind)
{
	struct task *t = &cell->tasks[task];
	struct task made = admit_new(cell, t->job, t->index, class);

	made.room = t->room;
	made.next_in_job = t->next_in_job;
	*t = made;
	alloc_rekind(cell, task, kind);
	begin(cell, task);
}

/* The tasks from that index up to asked->count, and their rooms. */
static int make_from(struct cell *cell, uint32_t job, const struct job *asked, uint32_t from)
{
	bool joins = cell->jobs[job].gang && cell->jobs[job].running;
	int r = admit_make_from(cell, asked, job, from);

	if (r == 0 && cell->jobs[job].reserves)
		r = alloc_make(cell, job, from);
	for (uint32_t t = from_index(cell, job, from); joins && r == 0 && t != NONE;
	     t = cell->tasks[t].next_in_job)
		r = make_joining(cell, t);
	return r;
}

static int grow(struct cell *cell, uint32_t job, const struct job *asked, struct err *err)
{
	struct cell_job *j = &cell->jobs[job];
	uint32_t was = j->count, more = asked->count - cell_scale_size(cell, job);
	uint32_t again = j->reserves ? j->count - j->alive : 0;
	uint32_t class = NONE, kind = NONE;
	struct job with = *asked;
	int r = 0;

	if (asked->count > ADMIT_TASKS_MAX)
		return err_say(err, ERANGE, "job %s: %u is no number of tasks (1 to %d)",
			       asked->name, asked->count, ADMIT_TASKS_MAX);
	err_try(check_quota(cell, job, asked, err));
	again = again < more ? again : more;
	with.count = was + more - again;
	if (with.count > was)
		r = make_from(cell, job, &with, was);
	if (r == 0 && again)
		r = reserve_again(cell, job, asked, again, &class, &kind);
	if (r < 0) {
		admit_forget_from(cell, job, was);
		return err_set(err, ENOMEM, "scale job %s", asked->name);
	}
	j->count = with.count;
	for (uint32_t t = j->tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].index >= was)
			begin(cell, t);
		else if (again && cell->tasks[t].state == TASK_ENDED && again--)
			begin_again(cell, t, class, kind);
	return 0;
}

int cell_scale(struct cell *cell, uint32_t job, const struct job *asked, struct err *err)
{
	uint32_t was = cell_scale_size(cell, job);

	if (!asked->count)
		return err_say(err, EINVAL, "%s %s has at least one %s",
			       cell->jobs[job].reserves ? "alloc set" : "job", asked->name,
			       cell->jobs[job].reserves ? "alloc" : "task");
	if (asked->count < was)
		shrink(cell, job, asked->count);
	return asked->count > was ? grow(cell, job, asked, err) : 0;
}

void cell_scale_undo(struct cell *cell, uint32_t job, uint32_t was, const bool *had_ended)
{
	struct cell_job *j = &cell->jobs[job];

	for (uint32_t t = j->tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state != TASK_ENDED &&
		    (cell->tasks[t].index >= was || had_ended[cell->tasks[t].index]))
			cell_end_task(cell, t, END_KILLED);
	admit_forget_from(cell, job, was);
	j->count = was;
	for (uint32_t t = j->tasks; j->gang && t != NONE; t = cell->tasks[t].next_in_job)
		class_unblock(cell, cell->tasks[t].class);
}

/* ---- after a restart ---- */

int cell_scale_rejoin(struct cell *cell, uint32_t job, const bool *joining)
{
	struct cell_job *j = &cell->jobs[job];
	int r = 0;

	for (uint32_t t = j->tasks; r == 0 && t != NONE; t = cell->tasks[t].next_in_job) {
		struct task *task = &cell->tasks[t];
		bool queued = task->timer == NONE;
		uint32_t was = task->class;

		if (!j->gang || !joining[task->index] || task->state != TASK_PENDING ||
		    task->follows != NONE || is_joining(cell, t))
			continue;
		if (queued)
			queue_remove(cell, t);
		r = make_joining(cell, t);
		cell->classes[was].tasks--;
		cell->classes[task->class].tasks++;
		j->joining += is_joining(cell, t);
		if (queued)
			queue_push(cell, t);
	}
	return r;
}
