/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would happen if a job came now. The cell is copied as a checkpoint, randomness and clock
 * with it, and the copy is given the job: it decides as the cell itself will.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scheduler/core/checkpoint.h"
#include "scheduler/core/scale.h"
#include "scheduler/intake/intake.h"
#include "scheduler/master/inside.h"

/* Somebody else's task that has to leave, or that finds a place by that. */
struct effect {
	uint32_t job, index, machine;
	uint32_t by; /* index of ours for whom it goes; NOBODY: it comes */
	enum on_preemption how;
	uint32_t notice_ms;
};

struct plan {
	struct master *master;
	struct outside outside;
	struct cell *cell;
	bool listening;
	uint32_t job; /* ours, in the copy; NOBODY */
	struct effect *effects;
	size_t count, size;
	bool failed;
};

static void plan_deinit(struct plan *plan)
{
	cell_free(plan->cell);
	free(plan->effects);
}

static void add(struct plan *plan, const struct effect *effect)
{
	if (plan->count == plan->size) {
		size_t size = plan->size ? plan->size * 2 : 16;
		struct effect *more = reallocarray(plan->effects, size, sizeof(*more));

		plan->failed |= !more;
		if (!more)
			return;
		plan->effects = more;
		plan->size = size;
	}
	plan->effects[plan->count++] = *effect;
}

static void on_event(void *data, const struct event *event)
{
	struct plan *plan = data;
	struct effect effect = { event->job, event->index, event->machine, NOBODY, 0, 0 };
	struct task_view view;

	if (!plan->listening)
		return;
	if (event->kind == EVENT_PLACE && event->job != plan->job)
		add(plan, &effect);
	if (event->kind != EVENT_PREEMPT || event->other == NOBODY)
		return;
	cell_task(plan->cell, event->other, &view);
	effect.by = view.index;
	effect.how = (enum on_preemption)event->detail;
	effect.notice_ms = event->count;
	if (view.job == plan->job)
		add(plan, &effect);
}

static int copy_cell(struct plan *plan, struct err *err)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t len;

	err_try(cell_save(plan->master->cell, &bytes, &len, err));
	plan->outside = (struct outside){ .event = on_event, .data = plan };
	return cell_load(bytes, len, &plan->outside, &plan->cell, err);
}

static int decide(struct plan *plan, struct err *err)
{
	plan->listening = true;
	while (cell_decide(plan->cell))
		;
	plan->listening = false;
	return plan->failed ? err_set(err, ENOMEM, "plan a job") : 0;
}

/* The copy with the job in it, and all that follows decided. */
static int try_out(struct plan *plan, const struct job_file *file, const struct held_job *old,
		   struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct job asked;

	if (!arena)
		return err_set(err, ENOMEM, "plan job %s", file->file);
	err_try(copy_cell(plan, err));
	if (old && old->core != NOBODY)
		cell_remove_job(plan->cell, old->core);
	err_try(intake_job(file, arena, &asked, err));
	err_try(cell_submit(plan->cell, &asked, &plan->job, err));
	return decide(plan, err);
}

/* ---- telling ---- */

static int write_change(void *data, const char *path, const char *from, const char *to)
{
	struct json_writer *w = data;

	json_open_object(w);
	json_field_string(w, "field", path);
	json_field_string(w, "from", from);
	json_field_string(w, "to", to);
	json_close_object(w);
	return 0;
}

static void write_difference(const struct held_job *old, const struct job_file *file,
			     struct json_writer *w)
{
	json_field_string(w, "now",
			  !old		 ? "is not there"
			  : old->stopped ? "was stopped"
					 : "is there already: it has to be stopped first");
	json_key(w, "changes");
	json_open_array(w);
	if (old && !old->file.job == !file->job)
		job_file_diff(&old->file, file, write_change, w);
	json_close_array(w);
}

static void put_task(const struct plan *plan, const struct effect *effect, struct json_writer *w)
{
	char text[TASK_NAME_SIZE + 16];
	uint32_t machine = machine_of_core(plan->master, effect->machine);

	snprintf(text, sizeof(text), "%s/%" PRIu32, cell_job_name(plan->cell, effect->job),
		 effect->index);
	json_field_string(w, "task", text);
	if (machine != NOBODY)
		json_field_string(w, "machine", plan->master->machines[machine].name);
}

static void write_victims(const struct plan *plan, uint32_t index, struct json_writer *w)
{
	static const char *const hows[] = {
		[PREEMPTION_KILL] = "killed",
		[PREEMPTION_PAUSE] = "paused",
		[PREEMPTION_CHECKPOINT] = "checkpointed",
	};

	json_key(w, "victims");
	json_open_array(w);
	for (size_t i = 0; i < plan->count; i++) {
		const struct effect *effect = &plan->effects[i];

		if (effect->by != index)
			continue;
		json_open_object(w);
		put_task(plan, effect, w);
		json_field_string(w, "how", hows[effect->how]);
		json_field_u64(w, "notice_ms", effect->notice_ms);
		json_close_object(w);
	}
	json_close_array(w);
}

/* A room of the copy is where its alloc is; machines have the numbers that they have in the cell.
 */
static uint32_t host_of(const struct plan *plan, uint32_t machine)
{
	struct machine_view view;
	struct task_view alloc;

	if (machine == NOBODY || cell_machine(plan->cell, machine, &view) < 0)
		return NOBODY;
	if (view.alloc == NOBODY)
		return machine;
	cell_task(plan->cell, view.alloc, &alloc);
	return alloc.machine;
}

/* comes: by index, whom to tell of; NULL: all. */
static void write_tasks(const struct plan *plan, uint32_t count, const bool *comes,
			struct json_writer *w)
{
	uint32_t task = cell_job_task(plan->cell, plan->job, 0), placed = 0, told = 0;
	char reason[REASON_SIZE] = "";

	json_key(w, "tasks");
	json_open_array(w);
	for (uint32_t i = 0; i < count && task != NOBODY; i++) {
		struct task_view view;
		uint32_t host, this;

		cell_task(plan->cell, task, &view);
		host = host_of(plan, view.machine);
		this = task;
		task = cell_next_task(plan->cell, task);
		if (comes && !comes[i])
			continue;
		told++;
		json_open_object(w);
		json_field_u64(w, "index", i);
		json_key(w, "machine");
		json_put_string(
			w,
			host == NOBODY
				? NULL
				: plan->master->machines[machine_of_core(plan->master, host)].name);
		/* What one of them waits for, the others of its job do, too. */
		if (view.state == TASK_PENDING && !*reason)
			view_explain(plan->cell, this, reason);
		if (view.state == TASK_PENDING)
			json_field_string(w, "reason", reason);
		write_victims(plan, i, w);
		json_close_object(w);
		placed += view.state == TASK_RUNNING;
	}
	json_close_array(w);
	json_field_u64(w, "placed", placed);
	json_field_u64(w, "pending", told - placed);
}

static void write_others(const struct plan *plan, struct json_writer *w)
{
	json_key(w, "others");
	json_open_array(w);
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->effects[i].by != NOBODY)
			continue;
		json_open_object(w);
		put_task(plan, &plan->effects[i], w);
		json_close_object(w);
	}
	json_close_array(w);
}

int master_plan(struct master *master, const struct caller *caller, const char *name,
		const char *text, size_t len, struct json_writer *w, struct err *err)
{
	_cleanup_(plan_deinit) struct plan plan = { .master = master, .job = NOBODY };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct held_job tried = { .file_name = (char *)name };
	struct job_file *file = &tried.file;
	struct held_job *old;

	if (!arena)
		return err_set(err, ENOMEM, "plan a job");
	master_tick(master);
	err_try(job_file_parse(name, text, len, arena, file, err));
	err_try(job_check(master, caller, &tried, err));
	tried.count = (uint32_t)(file->job ? file->tasks.count : file->allocs);
	tried.tasks = arena_calloc(arena, tried.count, sizeof(*tried.tasks));
	if (!tried.tasks)
		return err_set(err, ENOMEM, "plan job %s", job_name(&tried));
	old = job_find(master, job_name(&tried));
	/* What is there gives its share back first. */
	if (!old || old->stopped)
		err_try(share_check(master, &tried, err));
	err_try(try_out(&plan, file, old, err));
	json_open_object(w);
	json_field_string(w, "job", job_name(&tried));
	json_field_string(w, "kind", file->job ? "job" : "alloc set");
	write_difference(old, file, w);
	write_tasks(&plan, tried.count, NULL, w);
	write_others(&plan, w);
	json_close_object(w);
	return 0;
}

/* ---- another number of tasks ---- */

/* The indexes of so many that come: of a set those that are free first. */
static void mark_new(const struct held_job *job, uint32_t count, bool *ret)
{
	for (uint32_t i = 0; count; i++) {
		ret[i] = i >= job->count || (!job->file.job && job->tasks[i].over);
		count -= ret[i];
	}
}

static void write_leavers(const bool *goes, uint32_t count, struct json_writer *w)
{
	json_key(w, "leave");
	json_open_array(w);
	for (uint32_t i = 0; i < count; i++)
		if (goes[i])
			json_put_u64(w, i);
	json_close_array(w);
}

int plan_scale(struct master *master, struct held_job *job, const struct job *asked,
	       struct json_writer *w, struct err *err)
{
	_cleanup_(plan_deinit) struct plan plan = { .master = master, .job = job->core };
	uint32_t was = job_size(job), size = job->count > asked->count ? job->count : asked->count;
	_cleanup_free_ bool *comes = calloc(size, sizeof(*comes)), *goes = calloc(size, 1);

	if (!comes || !goes)
		return err_set(err, ENOMEM, "plan job %s", job_name(job));
	err_try(copy_cell(&plan, err));
	if (asked->count < was)
		cell_scale_leavers(plan.cell, plan.job, asked->count, goes);
	else
		mark_new(job, asked->count - was, comes);
	err_try(cell_scale(plan.cell, plan.job, asked, err));
	err_try(decide(&plan, err));
	json_open_object(w);
	json_field_string(w, "job", job_name(job));
	json_field_u64(w, "from", was);
	json_field_u64(w, "to", asked->count);
	write_tasks(&plan, asked->count < was ? 0 : size, comes, w);
	write_leavers(goes, size, w);
	write_others(&plan, w);
	json_close_object(w);
	return 0;
}
