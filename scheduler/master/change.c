/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that change while they run: other amounts. Another number of tasks: scale.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/resize.h"
#include "scheduler/intake/intake.h"
#include "scheduler/master/inside.h"
#include "scheduler/master/rules.h"

int job_find_to_change(struct master *master, const struct caller *caller, const char *name,
		       struct held_job **ret, struct err *err)
{
	struct held_job *job = job_find(master, name);

	if (!job)
		return err_say(err, ENOENT, "there is no job called %s", name);
	err_try(rules_check_owner(master, caller, job->file.owner, err));
	if (job->core == NOBODY)
		return err_say(err, EINVAL, "job %s %s; run it again to change it", name,
			       job->stopped ? "was stopped" : "could not be taken up");
	*ret = job;
	return 0;
}

/* ---- other amounts ---- */

static void write_victims(struct master *master, const struct resize_plan *plan,
			  const struct resize_step *step, struct json_writer *w)
{
	json_key(w, "victims");
	json_open_array(w);
	for (uint32_t i = 0; i < step->victims; i++) {
		char text[TASK_NAME_SIZE + 16];
		struct task_view view;

		cell_task(master->cell, plan->victims[step->first_victim + i], &view);
		snprintf(text, sizeof(text), "%s/%" PRIu32, cell_job_name(master->cell, view.job),
			 view.index);
		json_put_string(w, text);
	}
	json_close_array(w);
}

static void write_plan(struct master *master, const struct held_job *job,
		       const struct resize_plan *plan, struct json_writer *w)
{
	static const char *const hows[] = {
		[RESIZE_WAITING] = "waiting",
		[RESIZE_IN_PLACE] = "in place",
		[RESIZE_PREEMPT] = "in the place of others",
		[RESIZE_MOVE] = "moves",
	};

	json_field_string(w, "job", job_name(job));
	json_key(w, "steps");
	json_open_array(w);
	for (size_t i = 0; i < plan->count; i++) {
		const struct resize_step *step = &plan->steps[i];
		uint32_t machine =
			step->machine == NOBODY ? NOBODY : machine_of_core(master, step->machine);
		struct task_view view;

		cell_task(master->cell, step->task, &view);
		json_open_object(w);
		json_field_u64(w, "index", view.index);
		json_field_string(w, "how", hows[step->how]);
		if (machine != NOBODY)
			json_field_string(w, "machine", master->machines[machine].name);
		write_victims(master, plan, step, w);
		json_close_object(w);
	}
	json_close_array(w);
}

/* The new request, as the core knows it. */
static int ask(const struct held_job *job, const struct master_resize *resize, struct arena *arena,
	       struct job_file *ret_file, struct request *ret, struct err *err)
{
	struct job asked;

	err_try(amend_resources(job, resize->index, resize->cpu_milli, resize->memory_bytes, arena,
				ret_file, err));
	err_try(intake_job(ret_file, arena, &asked, err));
	*ret = asked.request;
	for (size_t i = 0; i < asked.override_count; i++)
		if (asked.overrides[i].index == resize->index)
			*ret = asked.overrides[i].request;
	return 0;
}

/* Of its own, for as long as the job has it; NULL where there are none. */
static int copy_overrides(const struct job_file *file, struct job_override **ret)
{
	const struct field_list *list = &file->tasks.overrides;

	*ret = NULL;
	if (!list->count)
		return 0;
	*ret = calloc(list->count, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, list->items, list->count * sizeof(**ret));
	return 0;
}

static int carry_out(struct master *master, struct held_job *job,
		     const struct master_resize *resize, const struct job_file *file,
		     const struct request *request, struct err *err)
{
	_cleanup_free_ struct job_override *overrides = NULL;
	struct job_file was = job->file;
	bool amended = job->amended;
	int r;

	if (copy_overrides(file, &overrides) < 0)
		return err_set(err, ENOMEM, "resize job %s", job_name(job));
	job->file = *file;
	job->file.tasks.overrides.items = overrides;
	job->amended = true;
	r = job_write(master, job, err);
	if (r == 0)
		r = cell_resize(master->cell, job->core, resize->index, request, err);
	if (r < 0) {
		job->file = was;
		job->amended = amended;
		return r;
	}
	free(job->overrides);
	job->overrides = take_ptr(overrides);
	for (uint32_t i = 0; i < job->count; i++)
		if (job->tasks[i].at != NOBODY)
			master->machines[job->tasks[i].at].news = true;
	return 0;
}

static int resize_job(struct master *master, const struct caller *caller, const char *name,
		      const struct master_resize *resize, struct json_writer *w, struct err *err)
{
	_cleanup_resize_plan_ struct resize_plan *plan = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct request request;
	struct held_job *job;
	struct job_file file;
	char which[32] = "";
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "resize job %s", name);
	err_try(job_find_to_change(master, caller, name, &job, err));
	if (resize->cpu_milli < 0 || resize->memory_bytes < 0 ||
	    (!resize->cpu_milli && !resize->memory_bytes))
		return err_say(err, EINVAL, "resize job %s: say how much CPU or memory", name);
	if (resize->index != NOBODY && resize->index >= job->count)
		return err_say(err, ENOENT,
			       "job %s has no task %" PRIu32 ", but %" PRIu32 " of them", name,
			       resize->index, job->count);
	master_tick(master);
	err_try(ask(job, resize, arena, &file, &request, err));
	err_try(cell_resize_plan(master->cell, job->core, resize->index, &request, &plan, err));
	json_open_object(w);
	write_plan(master, job, plan, w);
	json_field_bool(w, "done", !resize->plan);
	json_close_object(w);
	if (resize->plan)
		return 0;
	err_try(share_check_resize(master, job, resize->index, &request.amounts, err));
	if (resize->index != NOBODY)
		snprintf(which, sizeof(which), "task %" PRIu32 " ", resize->index);
	history_add(master, job, caller, "%sresized to %" PRId64 "m of CPU, %" PRId64 " bytes",
		    which, request.amounts.of[RESOURCE_CPU], request.amounts.of[RESOURCE_MEMORY]);
	r = carry_out(master, job, resize, &file, &request, err);
	if (r < 0) {
		history_undo(job);
		return r;
	}
	journal_job(master, job, JOURNAL_JOB_RESIZED, caller->name,
		    "%s%" PRId64 "m, %" PRId64 " bytes", which, request.amounts.of[RESOURCE_CPU],
		    request.amounts.of[RESOURCE_MEMORY]);
	master_settle(master);
	return 0;
}

/* ---- and who did ---- */

int master_resize(struct master *master, const struct caller *caller, const char *name,
		  const struct master_resize *resize, struct json_writer *w, struct err *err)
{
	int r = resize_job(master, caller, name, resize, w, err);

	if (resize->plan)
		return r;
	return master_audit(master, caller, r, err, "resize %s to %" PRId64 "m, %" PRId64 " bytes",
			    name, resize->cpu_milli, resize->memory_bytes);
}
