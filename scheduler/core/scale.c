/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/scale.h"

#include <errno.h>
#include <string.h>

#include "scheduler/core/admit.h"
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

static void shrink(struct cell *cell, uint32_t job, uint32_t count)
{
	for (uint32_t t = from_index(cell, job, count); t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state != TASK_ENDED)
			cell_end_task(cell, t, END_KILLED);
	admit_forget_from(cell, job, count);
	cell->jobs[job].count = count;
}

static int check_quota(struct cell *cell, uint32_t job, const struct job *asked, struct err *err)
{
	const struct cell_job *j = &cell->jobs[job];
	struct amounts more = { 0 };

	for (int r = 0; r < RESOURCE_COUNT; r++)
		more.of[r] = asked->request.amounts.of[r] * (int64_t)(asked->count - j->count);
	for (size_t i = 0; i < asked->override_count; i++) {
		if (asked->overrides[i].index < j->count ||
		    asked->overrides[i].index >= asked->count)
			continue;
		amounts_add(&more, &asked->overrides[i].request.amounts);
		amounts_subtract(&more, &asked->request.amounts);
	}
	return quota_check_more(cell, j, &more, err);
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
	quota_charge(cell, job, &class->request);
	if (job->held)
		amounts_add(&cell->held_back, &class->request.amounts);
	if (job->held || job->waiting)
		timer_set(cell, task, INT64_MAX);
	else
		queue_push(cell, task);
}

static int grow(struct cell *cell, uint32_t job, const struct job *asked, struct err *err)
{
	uint32_t was = cell->jobs[job].count;

	if (asked->count > ADMIT_TASKS_MAX)
		return err_say(err, ERANGE, "job %s: %u is no number of tasks (1 to %d)",
			       asked->name, asked->count, ADMIT_TASKS_MAX);
	err_try(check_quota(cell, job, asked, err));
	if (admit_make_from(cell, asked, job, was) < 0) {
		admit_forget_from(cell, job, was);
		return err_set(err, ENOMEM, "scale job %s", asked->name);
	}
	cell->jobs[job].count = asked->count;
	for (uint32_t t = from_index(cell, job, was); t != NONE; t = cell->tasks[t].next_in_job)
		begin(cell, t);
	return 0;
}

int cell_scale(struct cell *cell, uint32_t job, const struct job *asked, struct err *err)
{
	const struct cell_job *j = &cell->jobs[job];

	if (j->gang || !asked->count)
		return err_say(err, EINVAL,
			       j->gang ? "%s starts as a whole: stop it, and run it with another "
					 "number of tasks"
				       : "job %s: a job has at least one task",
			       asked->name);
	if (asked->count < j->count)
		shrink(cell, job, asked->count);
	return asked->count > j->count ? grow(cell, job, asked, err) : 0;
}
