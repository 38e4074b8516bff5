/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: how they come, are stopped, and go. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "scheduler/intake/intake.h"
#include "scheduler/master/calls.h"
#include "scheduler/master/inside.h"
#include "scheduler/master/rules.h"
#include "scheduler/master/secrets.h"

const char *job_name(const struct held_job *job)
{
	return job->file.job ? job->file.job : job->file.alloc_set;
}

static struct held_job *job_free(struct held_job *job)
{
	if (!job)
		return NULL;
	for (uint32_t i = 0; job->tasks && i < job->count; i++)
		task_free(&job->tasks[i]);
	free(job->tasks);
	free(job->file_name);
	free(job->refusal);
	free(job->warning);
	free(job->history);
	free(job->overrides);
	free(job->text);
	arena_free(job->arena);
	free(job);
	return NULL;
}

CLEANUP_DEFINE(struct held_job, held_job, job_free);

static int make_tasks(struct held_job *job)
{
	job->count = (uint32_t)(job->file.job ? job->file.tasks.count : job->file.allocs);
	job->tasks = calloc(job->count, sizeof(*job->tasks));
	for (uint32_t i = 0; job->tasks && i < job->count; i++)
		job->tasks[i] = (struct held_task){ .job = job,
						    .index = i,
						    .at = NOBODY,
						    .exit_code = -1,
						    .core = NOBODY,
						    .used_cpu_milli = -1,
						    .used_memory_bytes = -1 };
	return job->tasks ? 0 : -ENOMEM;
}

/* One from the store was accepted, by a version that may have been less strict. */
static int read_file(const struct master *master, struct held_job *job, struct err *err)
{
	struct err strict = { 0 };
	int r = job_file_parse(job->file_name, job->text, job->len, job->arena, &job->file,
			       master->loading ? &strict : err);

	if (r != -EINVAL || !master->loading)
		return r;
	r = job_file_parse_accepted(job->file_name, job->text, job->len, job->arena, &job->file,
				    err);
	if (r == 0)
		job->warning = strdup(strict.text);
	return r;
}

int job_make(struct master *master, const char *file_name, char *text, size_t len,
	     struct held_job **ret, struct err *err)
{
	_cleanup_(cleanup_held_job) struct held_job *job = calloc(1, sizeof(*job));

	if (!job) {
		free(text);
		return err_set(err, ENOMEM, "submit a job");
	}
	job->text = text;
	job->len = len;
	job->core = NOBODY;
	job->submitted_ms = master->outside.now_ms;
	job->file_name = strdup(file_name);
	job->arena = arena_new();
	if (!job->arena || !job->file_name)
		return err_set(err, ENOMEM, "submit a job");
	err_try(read_file(master, job, err));
	if (make_tasks(job) < 0 || names_add_job(master, job) < 0)
		return err_set(err, ENOMEM, "submit job %s", job_name(job));
	job->next = master->jobs;
	master->jobs = job;
	*ret = take_ptr(job);
	return 0;
}

int job_make_unreadable(struct master *master, const char *name, const char *text,
			const struct err *why, struct held_job **ret, struct err *err)
{
	_cleanup_(cleanup_held_job) struct held_job *job = calloc(1, sizeof(*job));

	if (!job)
		return err_set(err, ENOMEM, "load job %s", name);
	job->core = NOBODY;
	job->arena = arena_new();
	job->file_name = strdup(name);
	job->text = strdup(text);
	job->len = strlen(text);
	job->refusal = strdup(why->text);
	job->unreadable = true;
	job->file = (struct job_file){ .owner = "", .file = job->file_name, .tasks.count = 1 };
	job->file.job = job->arena ? arena_strdup(job->arena, name) : NULL;
	if (!job->file.job || !job->file_name || !job->text || !job->refusal ||
	    make_tasks(job) < 0 || names_add_job(master, job) < 0)
		return err_set(err, ENOMEM, "load job %s", name);
	job->next = master->jobs;
	master->jobs = job;
	*ret = take_ptr(job);
	return 0;
}

static int remember(struct master *master, struct held_job *job, struct err *err)
{
	if (job->core >= master->by_core_size) {
		size_t size = (job->core + 1) * (size_t)2;
		struct held_job **more = reallocarray(master->by_core, size, sizeof(*more));

		if (!more)
			return err_set(err, ENOMEM, "submit job %s", job_name(job));
		memset(more + master->by_core_size, 0,
		       (size - master->by_core_size) * sizeof(*more));
		master->by_core = more;
		master->by_core_size = size;
	}
	master->by_core[job->core] = job;
	return 0;
}

/* Jobs that it was to come after, and that have been stopped or forgotten since. */
static void leave_out_gone(struct master *master, struct job *asked, struct arena *arena)
{
	const char **left = arena_calloc(arena, asked->after_count + 1, sizeof(*left));
	size_t n = 0;

	for (size_t i = 0; left && i < asked->after_count; i++)
		if (cell_find_job(master->cell, asked->after[i]) != NOBODY)
			left[n++] = asked->after[i];
	asked->after = left;
	asked->after_count = left ? n : 0;
}

int job_admit(struct master *master, struct held_job *job, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct job asked;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "submit job %s", job_name(job));
	err_try(intake_job(&job->file, arena, &asked, err));
	if (master->loading)
		leave_out_gone(master, &asked, arena);
	err_try(cell_submit(master->cell, &asked, &job->core, err));
	r = remember(master, job, err);
	if (r < 0) {
		cell_remove_job(master->cell, job->core);
		job->core = NOBODY;
	}
	tasks_number(master, job, 0);
	return r;
}

/* Out of the core; nothing of it runs any more. */
static void leave_core(struct master *master, struct held_job *job)
{
	for (uint32_t i = 0; i < job->count; i++)
		task_unplace(master, &job->tasks[i]);
	if (job->core == NOBODY)
		return;
	master->by_core[job->core] = NULL;
	cell_remove_job(master->cell, job->core);
	job->core = NOBODY;
	tasks_number(master, job, 0);
}

void job_drop(struct master *master, struct held_job *job)
{
	struct held_job **p = &master->jobs;

	leave_core(master, job);
	tasks_undirty(master, job, 0);
	names_remove_job(master, job);
	while (*p != job)
		p = &(*p)->next;
	*p = job->next;
	job_free(job);
}

/* ---- what people ask for ---- */

#define KEY_SIZE (TASK_NAME_SIZE + 16)

/* Changes that remove all tasks of a job, and one more to fill in. */
struct changes {
	struct store_change *items;
	char *keys;
	size_t count;
};

static void changes_deinit(struct changes *changes)
{
	free(changes->items);
	free(changes->keys);
}

static struct store_change *changes_begin(const struct held_job *job, struct changes *ret)
{
	size_t tasks = job ? job->count : 0;

	*ret = (struct changes){
		.items = calloc(tasks + 1, sizeof(*ret->items)),
		.keys = calloc(tasks + 1, KEY_SIZE),
		.count = tasks + 1,
	};
	if (!ret->items || !ret->keys)
		return NULL;
	for (size_t i = 0; i <= tasks; i++)
		ret->items[i].key = ret->keys + i * KEY_SIZE;
	for (size_t i = 0; i < tasks; i++)
		snprintf(ret->keys + i * KEY_SIZE, KEY_SIZE, "task/%s/%zu", job_name(job), i);
	return &ret->items[tasks];
}

/* old: a job of that name, of which nothing stays; or NULL. */
static int write_job(struct master *master, const struct held_job *job, const struct held_job *old,
		     struct err *err)
{
	_cleanup_(changes_deinit) struct changes changes = { 0 };
	struct store_change *change = changes_begin(old, &changes);
	size_t len = 0;
	_cleanup_free_ char *text = persist_job(job, &len);

	if (!change || !text)
		return err_set(err, ENOMEM, "write job %s", job_name(job));
	snprintf((char *)change->key, KEY_SIZE, "job/%s", job_name(job));
	change->value = text;
	change->len = len;
	return master_commit(master, changes.items, changes.count, err);
}

static int erase_job(struct master *master, const struct held_job *job, struct err *err)
{
	_cleanup_(changes_deinit) struct changes changes = { 0 };
	struct store_change *change = changes_begin(job, &changes);

	if (!change)
		return err_set(err, ENOMEM, "purge job %s", job_name(job));
	snprintf((char *)change->key, KEY_SIZE, "job/%s", job_name(job));
	return master_commit(master, changes.items, changes.count, err);
}

int job_write(struct master *master, const struct held_job *job, struct err *err)
{
	return write_job(master, job, NULL, err);
}

/* What the core does not know of: whose alloc set it is. */
static int check_alloc_set(struct master *master, const struct job_file *file, struct err *err)
{
	const struct held_job *set = file->in ? job_find(master, file->in) : NULL;

	if (set && !set->file.job && strcmp(set->file.owner, file->owner) != 0)
		return err_say(err, EPERM, "%s:%d:%d: alloc set %s belongs to %s, and job %s to %s",
			       file->file, file->name_at.line, file->name_at.column, file->in,
			       set->file.owner, file->job, file->owner);
	return 0;
}

int job_check(struct master *master, const struct caller *caller, struct held_job *job,
	      struct err *err)
{
	if (caller->role == CALLER_TASK)
		err_try(calls_check_file(master, caller, job, err));
	err_try(rules_check_file(master, caller, &job->file, err));
	err_try(check_alloc_set(master, &job->file, err));
	return secrets_check(master, &job->file, err);
}

/* To take the place of another owner's stopped job is to purge it. */
static int check_succession(struct master *master, const struct caller *caller,
			    const struct held_job *old, struct err *err)
{
	if (caller->role == CALLER_TASK)
		return err_say(err, EPERM, "job %s is another owner's", job_name(old));
	return rules_check_owner(master, caller, old->file.owner, err);
}

static int take_in(struct master *master, const struct caller *caller, struct held_job *job,
		   struct held_job *old, struct err *err)
{
	if (old && !old->stopped)
		return err_say(err, EEXIST, "there is a job called %s already; stop it first",
			       job_name(job));
	err_try(job_check(master, caller, job, err));
	if (old && strcmp(old->file.owner, job->file.owner) != 0)
		err_try(check_succession(master, caller, old, err));
	err_try(share_check(master, job, err));
	err_try(job_admit(master, job, err));
	if (old)
		history_inherit(job, old);
	history_add(master, job, caller, "submitted with %" PRIu32 " %s", job->count,
		    job->file.job ? "tasks" : "allocs");
	return write_job(master, job, old, err);
}

#define KEY_MAX 128

static int check_key(const char *key, struct err *err)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < len; i++)
		if (key[i] <= ' ' || key[i] > '~')
			len = 0;
	return len && len <= KEY_MAX
		       ? 0
		       : err_say(err, EINVAL,
				 "Idempotency-Key: 1 to %d printable characters are needed",
				 KEY_MAX);
}

/* 1: it was handed in already, by the same caller with that key. */
static int is_repeated(const struct held_job *old, const struct caller *caller, const char *key,
		       const char *text, size_t len, struct err *err)
{
	if (!key || !old || !old->key || strcmp(old->key, key) != 0 ||
	    strcmp(old->key_by, caller->name) != 0)
		return 0;
	return old->len == len && memcmp(old->text, text, len) == 0
		       ? 1
		       : err_say(err, EEXIST,
				 "job %s was handed in with this Idempotency-Key and another file",
				 job_name(old));
}

static int keep_key(struct held_job *job, const struct caller *caller, const char *key,
		    struct err *err)
{
	if (!key)
		return 0;
	job->key = arena_strdup(job->arena, key);
	job->key_by = arena_strdup(job->arena, caller->name);
	return job->key && job->key_by ? 0 : err_set(err, ENOMEM, "submit a job");
}

static int submit(struct master *master, const struct caller *caller, const char *key,
		  const char *name, const char *text, size_t len, const char **ret_job,
		  struct err *err)
{
	char *copy = malloc(len + 1);
	struct held_job *job, *old;
	int r;

	if (!copy)
		return err_set(err, ENOMEM, "submit a job");
	if (key && (r = check_key(key, err)) < 0) {
		free(copy);
		return r;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	master_tick(master);
	err_try(job_make(master, name, copy, len, &job, err));
	old = names_older_job(job);
	r = is_repeated(old, caller, key, text, len, err);
	if (r > 0) {
		job_drop(master, job);
		*ret_job = job_name(old);
		return 0;
	}
	if (r == 0)
		r = keep_key(job, caller, key, err);
	if (r == 0)
		r = take_in(master, caller, job, old, err);
	if (r < 0) {
		job_drop(master, job);
		return r;
	}
	if (old)
		job_drop(master, old);
	journal_job(master, job, JOURNAL_JOB_SUBMITTED, caller->name, NULL);
	*ret_job = job_name(job);
	master_settle(master);
	return 0;
}

int master_submit(struct master *master, const struct caller *caller, const char *name,
		  const char *text, size_t len, const char **ret_job, struct err *err)
{
	return master_submit_once(master, caller, NULL, name, text, len, ret_job, err);
}

int master_submit_once(struct master *master, const struct caller *caller, const char *key,
		       const char *name, const char *text, size_t len, const char **ret_job,
		       struct err *err)
{
	int r = submit(master, caller, key, name, text, len, ret_job, err);

	return master_audit(master, caller, r, err, "run %s", r < 0 ? name : *ret_job);
}

static int stop(struct master *master, const struct caller *caller, const char *name, bool purge,
		struct err *err)
{
	struct held_job *job = job_find(master, name);
	int r;

	if (!job)
		return err_say(err, ENOENT, "there is no job called %s", name);
	err_try(rules_check_owner(master, caller, job->file.owner, err));
	master_tick(master);
	if (purge) {
		/* Its fences are to be on the disk when the job is not any more. */
		leave_job(master, job);
		r = erase_job(master, job, err);
		if (r < 0) {
			leave_job_not(master, job);
		} else {
			journal_job(master, job, JOURNAL_JOB_PURGED, caller->name, NULL);
			job_drop(master, job);
		}
	} else {
		bool was = job->stopped;

		job->stopped = true;
		history_add(master, job, caller, "stopped");
		r = write_job(master, job, NULL, err);
		if (r < 0) {
			job->stopped = was;
			history_undo(job);
		} else {
			journal_job(master, job, JOURNAL_JOB_STOPPED, caller->name, NULL);
			leave_core(master, job);
		}
	}
	if (r == 0)
		master_settle(master);
	return r;
}

int master_stop(struct master *master, const struct caller *caller, const char *name, bool purge,
		struct err *err)
{
	int r = stop(master, caller, name, purge, err);

	return master_audit(master, caller, r, err, "%s job %s", purge ? "purge" : "stop", name);
}
