/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks that are started anew where they are, as somebody asked for. A job with a disruption budget
 * is never down by more tasks than that for it: the next ones go when earlier ones are up (and
 * healthy, where they are checked). What does not come up again stops it, and is started anew when
 * it does. Which tasks are left is in the store.
 *
 * The core is told who is down for it, so that a drain and a restart share one budget. After a
 * restart of the master all of a job that has a budget count as down until they are heard of.
 */
#include <errno.h>
#include <inttypes.h>

#include "scheduler/master/inside.h"

bool restart_is_up(const struct held_task *task)
{
	return task->live && !task->paused && task->reported && task->state == REPORT_RUNNING &&
	       (task->health == REPORT_UNCHECKED || task->health == REPORT_HEALTHY);
}

uint32_t restart_left(const struct held_job *job)
{
	uint32_t left = 0;

	for (uint32_t i = 0; job->rolling && i < job->count; i++)
		left += job->tasks[i].to_restart && job->tasks[i].live;
	return left;
}

static void await(struct master *master, struct held_task *task)
{
	uint32_t core = task_core(master, task);

	if (core == NOBODY)
		return;
	task->restarting = task->job->awaited = master->rolling = true;
	cell_set_down(master->cell, core, true);
}

static void look_who_is_up(struct master *master, struct held_job *job)
{
	bool awaited = false;

	for (uint32_t i = 0; i < job->count; i++) {
		struct held_task *task = &job->tasks[i];
		uint32_t core = task_core(master, task);

		if (task->restarting && task->live && !restart_is_up(task)) {
			awaited = true;
			continue;
		}
		if (task->restarting && core != NOBODY)
			cell_set_down(master->cell, core, false);
		task->restarting = false;
	}
	job->awaited = awaited;
}

void restart_loaded(struct master *master)
{
	for (struct held_job *job = master->jobs; job; job = job->next)
		for (uint32_t i = 0; i < job->count; i++)
			/* At its last task a restart is not rolling any more. Allocs are never
			 * heard of. */
			if (job->tasks[i].live && job->file.job &&
			    (job->rolling || job->file.disruption_budget))
				await(master, &job->tasks[i]);
}

/* A new incarnation in the same place: its machine ends the old one, and starts this one then. */
static void start_anew(struct master *master, struct held_task *task)
{
	leave_task(master, task, -1, false);
	kept_forget(master, task);
	task->incarnation = ++master->incarnations;
	task->told = false;
	task->to_restart = false;
	task_forget_report(task);
	task->told_running = false;
	task_changed(master, task);
	master->machines[task->at].news = true;
	await(master, task);
}

/* Those that are known to be down anyway go first, and cost nothing; of whom nothing is known, as
 * after a restart of the master, counts as down. */
static void step(struct master *master, struct held_job *job)
{
	int64_t budget = job->file.disruption_budget, down = 0;
	bool left = false;

	for (uint32_t i = 0; i < job->count; i++) {
		struct held_task *task = &job->tasks[i];
		bool is_up = restart_is_up(task);

		down += !is_up && !task->over;
		if (task->to_restart && task->live && task->reported && !is_up)
			start_anew(master, task);
	}
	for (uint32_t i = 0; i < job->count; i++) {
		struct held_task *task = &job->tasks[i];

		if (!task->to_restart || !task->live)
			continue;
		if (budget && down >= budget) {
			left = true;
			break;
		}
		start_anew(master, task);
		down++;
	}
	job->rolling = left;
}

void restart_step(struct master *master)
{
	bool rolling = false;

	if (!master->rolling)
		return;
	for (struct held_job *job = master->jobs; job; job = job->next) {
		if (job->awaited)
			look_who_is_up(master, job);
		if (job->rolling)
			step(master, job);
		rolling |= job->rolling || job->awaited;
	}
	master->rolling = rolling;
}

static int check(const struct held_job *job, uint32_t index, struct err *err)
{
	const char *name = job_name(job);
	uint32_t count = 0;

	if (!job->file.job)
		return err_say(err, EINVAL, "alloc set %s: nothing runs for it", name);
	if (index != NOBODY && index >= job->count)
		return err_say(err, ENOENT,
			       "job %s has no task %" PRIu32 ", but %" PRIu32 " of them", name,
			       index, job->count);
	for (uint32_t i = 0; i < job->count; i++)
		count += (index == NOBODY || i == index) && job->tasks[i].live;
	return count ? 0 : err_say(err, EINVAL, "job %s: no task that was meant runs", name);
}

/* Which are meant; one that was named goes at once, it is its owner's choice. */
static void mark(struct master *master, struct held_job *job, uint32_t index)
{
	if (index != NOBODY) {
		start_anew(master, &job->tasks[index]);
		return;
	}
	for (uint32_t i = 0; i < job->count; i++)
		if (job->tasks[i].live) {
			job->tasks[i].to_restart = true;
			task_changed(master, &job->tasks[i]);
		}
	job->rolling = master->rolling = true;
	restart_step(master);
}

static int restart_job(struct master *master, const struct caller *caller, const char *name,
		       uint32_t index, struct err *err)
{
	struct held_job *job;
	int r;

	err_try(job_find_to_change(master, caller, name, &job, err));
	err_try(check(job, index, err));
	master_tick(master);
	if (index == NOBODY)
		history_add(master, job, caller, "restarted");
	else
		history_add(master, job, caller, "task %" PRIu32 " restarted", index);
	mark(master, job, index);
	r = job_write(master, job, err);
	/* Not on the disk, nobody is told; it is tried again with whatever comes next. */
	if (r < 0) {
		history_undo(job);
		master_settle(master);
		return r;
	}
	if (index == NOBODY)
		journal_job(master, job, JOURNAL_JOB_RESTARTED, caller->name, NULL);
	else
		journal_job(master, job, JOURNAL_JOB_RESTARTED, caller->name, "task %" PRIu32,
			    index);
	master_settle(master);
	return 0;
}

int master_restart(struct master *master, const struct caller *caller, const char *name,
		   uint32_t index, struct err *err)
{
	int r = restart_job(master, caller, name, index, err);

	return master_audit(master, caller, r, err, "restart job %s", name);
}
