/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another number of tasks for a job, or of allocs for a set. Of a set an alloc may go from the
 * middle: its index stays, over, until another alloc takes it or all behind it have gone, too.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/scale.h"
#include "scheduler/intake/intake.h"
#include "scheduler/master/inside.h"
#include "scheduler/master/rules.h"

#define KEY_SIZE (TASK_NAME_SIZE + 16)

static bool is_set(const struct held_job *job)
{
	return !job->file.job;
}

uint32_t job_size(const struct held_job *job)
{
	uint32_t size = 0;

	for (uint32_t i = 0; is_set(job) && i < job->count; i++)
		size += !job->tasks[i].over;
	return is_set(job) ? size : job->count;
}

/* The job's record, and the tasks that are no more. */
static int write_scaled(struct master *master, struct held_job *job, uint32_t was, struct err *err)
{
	uint32_t gone = was > job->count ? was - job->count : 0;
	_cleanup_free_ struct store_change *changes = calloc(gone + 1, sizeof(*changes));
	_cleanup_free_ char *keys = calloc(gone + 1, KEY_SIZE);
	size_t len = 0;
	_cleanup_free_ char *text = persist_job(job, &len);

	if (!changes || !keys || !text)
		return err_set(err, ENOMEM, "write job %s", job_name(job));
	for (uint32_t i = 0; i <= gone; i++) {
		changes[i].key = keys + (size_t)i * KEY_SIZE;
		snprintf(keys + (size_t)i * KEY_SIZE, KEY_SIZE, "task/%s/%" PRIu32, job_name(job),
			 job->count + i);
	}
	snprintf(keys + (size_t)gone * KEY_SIZE, KEY_SIZE, "job/%s", job_name(job));
	changes[gone].value = text;
	changes[gone].len = len;
	return master_commit(master, changes, gone + 1, err);
}

static void set_count(struct held_job *job, uint32_t count, bool amended)
{
	job->count = count;
	*(is_set(job) ? &job->file.allocs : &job->file.tasks.count) = count;
	job->amended = amended;
}

/* ---- more ---- */

/* Which allocs there are is as the core has it. */
static void follow_core(struct master *master, struct held_job *job)
{
	for (uint32_t i = 0; is_set(job) && i < job->count; i++) {
		struct held_task *task = &job->tasks[i];
		struct task_view view;

		cell_task(master->cell, task->core, &view);
		if (task->over == (view.state == TASK_ENDED))
			continue;
		task->over = !task->over;
		/* One that comes was never there. */
		task->incarnation = 0;
		task_changed(master, task);
	}
}

/* Who is to join a gang or a set must be known after a restart, too. */
static void write_joining(struct master *master, struct held_job *job)
{
	for (uint32_t i = 0; i < job->count; i++) {
		struct task_view view;

		cell_task(master->cell, job->tasks[i].core, &view);
		if (view.joining)
			task_changed(master, &job->tasks[i]);
	}
}

static bool *list_over(const struct held_job *job)
{
	bool *over = calloc(job->count, sizeof(*over));

	for (uint32_t i = 0; over && i < job->count; i++)
		over[i] = job->tasks[i].over;
	return over;
}

static void take_back(struct master *master, struct held_job *job, uint32_t was, const bool *over,
		      bool amended)
{
	set_count(job, was, amended);
	cell_scale_undo(master->cell, job->core, was, over);
	follow_core(master, job);
	tasks_undirty(master, job, was);
}

/* In the core first: it may refuse. */
static int grow(struct master *master, struct held_job *job, const struct job *asked,
		struct err *err)
{
	uint32_t was = job->count;
	_cleanup_free_ bool *over = list_over(job);
	/* Indexes that are over are taken first. */
	uint32_t count = is_set(job) && asked->count < was ? was : asked->count;
	bool amended = job->amended;
	int r;

	if (!over || tasks_grow(master, job, count) < 0)
		return err_set(err, ENOMEM, "scale job %s", job_name(job));
	set_count(job, count, true);
	r = cell_scale(master->cell, job->core, asked, err);
	if (r < 0) {
		set_count(job, was, amended);
		return r;
	}
	tasks_number(master, job, was);
	follow_core(master, job);
	write_joining(master, job);
	r = write_scaled(master, job, was, err);
	if (r < 0)
		take_back(master, job, was, over, amended);
	return r;
}

/* ---- fewer ---- */

struct shrinking {
	uint32_t was, count; /* indexes, before and after */
	bool *goes;	     /* by index */
	bool *unwritten;
	bool *over; /* as they were */
};

static void shrinking_deinit(struct shrinking *s)
{
	free(s->goes);
	free(s->unwritten);
	free(s->over);
}

static int find_leavers(struct master *master, const struct held_job *job, uint32_t count,
			struct shrinking *ret, struct err *err)
{
	ret->was = job->count;
	ret->goes = calloc(job->count, sizeof(*ret->goes));
	ret->unwritten = calloc(job->count, sizeof(*ret->unwritten));
	ret->over = calloc(job->count, sizeof(*ret->over));
	if (!ret->goes || !ret->unwritten || !ret->over)
		return err_set(err, ENOMEM, "scale job %s", job_name(job));
	cell_scale_leavers(master->cell, job->core, count, ret->goes);
	for (uint32_t i = 0; i < job->count; i++) {
		ret->unwritten[i] = job->tasks[i].dirty;
		ret->over[i] = job->tasks[i].over;
		if (!ret->goes[i] && (!is_set(job) || !ret->over[i]))
			ret->count = i + 1;
	}
	return 0;
}

/* On the disk as they will be. */
static int write_shrunk(struct master *master, struct held_job *job, const struct shrinking *s,
			struct err *err)
{
	bool amended = job->amended;
	int r;

	for (uint32_t i = 0; i < s->count; i++)
		if (s->goes[i]) {
			job->tasks[i].over = true;
			task_changed(master, &job->tasks[i]);
		}
	/* What is about to go has nothing left to write. */
	tasks_undirty(master, job, s->count);
	set_count(job, s->count, true);
	r = write_scaled(master, job, s->was, err);
	set_count(job, s->was, r < 0 ? amended : true);
	for (uint32_t i = 0; r < 0 && i < s->was; i++) {
		job->tasks[i].over = s->over[i];
		if (s->unwritten[i])
			task_changed(master, &job->tasks[i]);
	}
	return r;
}

/* On the disk first: the core cannot refuse. */
static int shrink(struct master *master, struct held_job *job, const struct job *asked,
		  struct err *err)
{
	_cleanup_(shrinking_deinit) struct shrinking s = { 0 };

	err_try(find_leavers(master, job, asked->count, &s, err));
	err_try(write_shrunk(master, job, &s, err));
	cell_scale(master->cell, job->core, asked, NULL);
	for (uint32_t i = 0; i < s.was; i++)
		if (s.goes[i] || i >= s.count)
			task_unplace(master, &job->tasks[i]);
	tasks_undirty(master, job, s.count);
	for (uint32_t i = s.count; i < s.was; i++)
		task_free(&job->tasks[i]);
	set_count(job, s.count, true);
	return 0;
}

/* ---- what is asked for ---- */

/* The job as the core is to have it, where it may be scaled so. */
static int ask(struct master *master, const struct caller *caller, const char *name, uint32_t count,
	       struct arena *arena, struct held_job **ret_job, struct job *ret, struct err *err)
{
	struct held_job *job;
	struct job_file file;

	if (!arena)
		return err_set(err, ENOMEM, "scale job %s", name);
	err_try(job_find_to_change(master, caller, name, &job, err));
	if (!count || count > JOB_TASKS_MAX)
		return err_say(err, ERANGE, "%" PRIu32 " is no number of %s (1 to %d)", count,
			       is_set(job) ? "allocs" : "tasks", JOB_TASKS_MAX);
	master_tick(master);
	file = job->file;
	*(is_set(job) ? &file.allocs : &file.tasks.count) = count;
	err_try(intake_job(&file, arena, ret, err));
	*ret_job = job;
	return share_check_scale(master, job, count, err);
}

static int scale_job(struct master *master, const struct caller *caller, const char *name,
		     uint32_t count, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct held_job *job;
	const char *what;
	struct job asked;
	uint32_t was;
	int r;

	err_try(ask(master, caller, name, count, arena, &job, &asked, err));
	was = job_size(job);
	if (count == was)
		return 0;
	what = is_set(job) ? "allocs" : "tasks";
	history_add(master, job, caller, "scaled from %" PRIu32 " to %" PRIu32 " %s", was, count,
		    what);
	r = count > was ? grow(master, job, &asked, err) : shrink(master, job, &asked, err);
	if (r < 0) {
		history_undo(job);
		return r;
	}
	journal_job(master, job, JOURNAL_JOB_SCALED, caller->name,
		    "from %" PRIu32 " to %" PRIu32 " %s", was, count, what);
	master_settle(master);
	return 0;
}

int master_scale(struct master *master, const struct caller *caller, const char *name,
		 uint32_t count, struct err *err)
{
	int r = scale_job(master, caller, name, count, err);

	return master_audit(master, caller, r, err, "scale %s to %" PRIu32, name, count);
}

int master_plan_scale(struct master *master, const struct caller *caller, const char *name,
		      uint32_t count, struct json_writer *w, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct held_job *job;
	struct job asked;

	err_try(ask(master, caller, name, count, arena, &job, &asked, err));
	return plan_scale(master, job, &asked, w, err);
}

/* ---- after a restart ---- */

static int rejoin(struct master *master, const struct held_job *job, struct err *err)
{
	_cleanup_free_ bool *joining = calloc(job->count, sizeof(*joining));
	bool any = false;

	if (!joining)
		return err_set(err, ENOMEM, "load job %s", job_name(job));
	for (uint32_t i = 0; i < job->count; i++) {
		joining[i] = job->tasks[i].joining && !job->tasks[i].over;
		any |= joining[i];
	}
	return any && cell_scale_rejoin(master->cell, job->core, joining) < 0
		       ? err_set(err, ENOMEM, "load job %s", job_name(job))
		       : 0;
}

int scale_rejoin(struct master *master, struct err *err)
{
	int r = 0;

	for (struct held_job *job = master->jobs; r == 0 && job; job = job->next)
		if (job->core != NOBODY && (is_set(job) || job->file.gang))
			r = rejoin(master, job, err);
	return r;
}
