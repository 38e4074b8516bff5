/* SPDX-License-Identifier: Apache-2.0 */
/* What people and programs read of a cell, as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "scheduler/core/why.h"
#include "scheduler/master/inside.h"

const char *view_state(const struct held_task *task)
{
	if (task->job->stopped)
		return "stopped";
	if (task->job->refusal)
		return "refused";
	if (task->over)
		return task->exit_code == 0 ? "finished" : "failed";
	if (task->at == NOBODY || !task->live || task->held_back)
		return "pending";
	if (!task->job->file.job)
		return "reserved";
	if (task->paused)
		return "paused";
	return task->reported ? report_state_name(task->state) : "starting";
}

static void add(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + len, size - len, fmt, args);
	va_end(args);
}

static const char *end_of(const struct held_task *task, char text[static REASON_SIZE])
{
	if (task->reason)
		return task->reason;
	/* That it went on is no matter. */
	if (task->live && task->kept_note && !task->kept_went_on)
		return task->kept_note;
	if (task->last_reason)
		return task->last_reason;
	if (task->exit_code < 0)
		return NULL;
	snprintf(text, REASON_SIZE, "%s with status %d", task->oom ? "OOM-killed" : "exited",
		 task->exit_code);
	return text;
}

/* The machines by what they lack, and what would help. */
void view_explain(struct cell *cell, uint32_t core, char text[static REASON_SIZE])
{
	static const char *const lacks[FIT_COUNT] = {
		[FIT_STATE] = "not up",
		[FIT_CONSTRAINT] = "excluded by a constraint",
		[FIT_MODEL] = "without such a device",
		[FIT_CAPACITY] = "too small",
		[FIT_SPREAD] = "excluded by the spread",
		[FIT_CPU] = "short of CPU",
		[FIT_MEMORY] = "short of memory",
		[FIT_DISK] = "short of disk",
		[FIT_PORTS] = "short of ports",
		[FIT_DEVICES] = "short of devices",
		[FIT_NODES] = "without a NUMA node that is free enough",
		[FIT_CLAIMED] = "kept for a task that has waited too long",
	};
	char change[200] = "";
	struct why why;
	const char *between = "";

	*text = '\0';
	if (cell_why(cell, core, &why, NULL) < 0)
		return;
	if (!why.machines) {
		add(text, REASON_SIZE, "there are no machines");
		return;
	}
	add(text, REASON_SIZE, "%" PRIu32 " machines: ", why.machines);
	for (int i = FIT_YES + 1; i < FIT_COUNT; i++)
		if (why.by_reason[i]) {
			add(text, REASON_SIZE, "%s%" PRIu32 " %s", between, why.by_reason[i],
			    lacks[i]);
			between = ", ";
		}
	why_format_change(cell, core, &why.change, change, sizeof(change));
	if (*change)
		add(text, REASON_SIZE, "%s%s", *between ? "; " : "", change);
}

static void copy_end(const struct held_task *task, char text[static REASON_SIZE])
{
	const char *end = end_of(task, text);

	if (end && end != text)
		snprintf(text, REASON_SIZE, "%s", end);
}

/* What keeps one task from running keeps all that are alike; to find it out takes a while, and a
 * job may have 100,000. Of one answer. */
struct explained {
	const struct request *request; /* NULL: nothing yet */
	char text[REASON_SIZE];
};

static const char *reason_of(struct master *master, const struct held_task *task,
			     struct explained *explained, char text[static REASON_SIZE])
{
	struct task_view view;
	uint32_t core = task_core(master, task);

	if (task->job->refusal)
		return task->job->refusal;
	if (waits_for_fence(master, task) && waits_tell(master, task, text, REASON_SIZE))
		return text;
	if (task->live || task->over || core == NOBODY)
		return end_of(task, text);
	copy_end(task, text);
	if (waits_tell(master, task, text, REASON_SIZE))
		return text;
	cell_task(master->cell, core, &view);
	if (task->at != NOBODY || view.state != TASK_PENDING)
		return end_of(task, text);
	if (explained->request != view.request) {
		master_tick(master);
		view_explain(master->cell, core, explained->text);
		explained->request = view.request;
	}
	if (!task->kept_note)
		return explained->text;
	*text = '\0';
	add(text, REASON_SIZE, "%s; %s", task->kept_note, explained->text);
	return text;
}

static void write_task(struct master *master, const struct held_task *task,
		       struct explained *explained, struct json_writer *w)
{
	char text[REASON_SIZE] = "";
	_cleanup_json_ struct json_doc *ports = NULL;

	json_open_object(w);
	json_field_u64(w, "index", task->index);
	json_field_string(w, "state", view_state(task));
	json_key(w, "machine");
	json_put_string(w, task->at == NOBODY ? NULL : master->machines[task->at].name);
	json_key(w, "reason");
	json_put_string(w, reason_of(master, task, explained, text));
	if (task->kept_note)
		json_field_string(w, "checkpoint", task->kept_note);
	if (task->reported && task->health)
		json_field_string(w, "health", report_health_name(task->health));
	json_field_u64(w, "restarts", task->restarts);
	json_field_u64(w, "incarnation", task->incarnation);
	json_field_string(w, "container", task->container);
	json_field_string(w, "address", task->address);
	if (task->ports && json_parse(task->ports, strlen(task->ports), &ports, NULL) == 0) {
		struct json_node root = json_root(ports);

		json_key(w, "ports");
		json_put_value(w, &root);
	}
	json_close_object(w);
}

static void write_head(const struct held_job *job, struct json_writer *w)
{
	uint32_t running = 0, pending = 0, over = 0;

	for (uint32_t i = 0; i < job->count; i++) {
		const struct held_task *task = &job->tasks[i];
		/* An alloc is reserved, and that is all. */
		bool runs = task->live &&
			    (!job->file.job || (task->reported && task->state == REPORT_RUNNING));

		running += runs;
		over += job->stopped || (job->file.job && task->over);
		pending += !runs && !task->over && !job->stopped;
	}
	json_field_string(w, "name", job_name(job));
	json_field_string(w, "kind", job->file.job ? "job" : "alloc set");
	json_field_string(w, "owner", job->file.owner);
	json_field_i64(w, "priority", job->file.priority);
	json_field_string(w, "state",
			  job->stopped		  ? "stopped"
			  : over == job_size(job) ? "over"
						  : "up");
	json_field_u64(w, "count", job_size(job));
	json_field_u64(w, "running", running);
	json_field_u64(w, "pending", pending);
	if (job->rolling)
		json_field_u64(w, "to_restart", restart_left(job));
	json_field_i64(w, "submitted_ms", job->submitted_ms);
	json_field_u64(w, "index", job->index);
}

void master_write_jobs(struct master *master, struct json_writer *w)
{
	json_open_array(w);
	for (struct held_job *job = master->jobs; job; job = job->next) {
		json_open_object(w);
		write_head(job, w);
		json_close_object(w);
	}
	json_close_array(w);
}

int master_write_job(struct master *master, const char *name, struct json_writer *w,
		     struct err *err)
{
	struct held_job *job = job_find(master, name);
	struct explained explained = { 0 };

	if (!job)
		return err_say(err, ENOENT, "there is no job called %s", name);
	json_open_object(w);
	write_head(job, w);
	json_key(w, "tasks");
	json_open_array(w);
	for (uint32_t i = 0; i < job->count; i++)
		/* The index of an alloc that has gone is free. */
		if (job->file.job || !job->tasks[i].over)
			write_task(master, &job->tasks[i], &explained, w);
	json_close_array(w);
	json_close_object(w);
	return 0;
}

int master_write_job_head(struct master *master, const char *name, struct json_writer *w,
			  struct err *err)
{
	struct held_job *job = job_find(master, name);

	if (!job)
		return err_say(err, ENOENT, "there is no job called %s", name);
	json_open_object(w);
	write_head(job, w);
	json_close_object(w);
	return 0;
}

/* ---- machines ---- */

static void write_machine(struct master *master, const struct held_machine *machine,
			  const struct machine_view *view, struct json_writer *w)
{
	static const char *const states[] = {
		[MACHINE_UP] = "up",
		[MACHINE_CORDONED] = "cordoned",
		[MACHINE_DRAINING] = "draining",
		[MACHINE_DOWN] = "down",
	};

	(void)master;
	json_field_string(w, "name", view->name);
	json_field_string(w, "rack", machine->spec.rack);
	json_field_string(w, "state", states[view->state]);
	json_field_i64(w, "cpu_milli", view->capacity.of[RESOURCE_CPU]);
	json_field_i64(w, "cpu_free_milli", view->free.of[RESOURCE_CPU]);
	json_field_i64(w, "memory_bytes", view->capacity.of[RESOURCE_MEMORY]);
	json_field_i64(w, "memory_free_bytes", view->free.of[RESOURCE_MEMORY]);
	json_field_u64(w, "tasks", view->tasks);
}

int master_write_machine(struct master *master, const char *name, struct json_writer *w,
			 struct err *err)
{
	struct held_machine *machine = machine_find(master, name);
	struct machine_view view;

	if (!machine || cell_machine(master->cell, machine->core, &view) < 0)
		return err_say(err, ENOENT, "there is no machine called %s", name);
	json_open_object(w);
	write_machine(master, machine, &view, w);
	json_field_i64(w, "disk_bytes", view.capacity.of[RESOURCE_DISK]);
	json_field_i64(w, "disk_free_bytes", view.free.of[RESOURCE_DISK]);
	json_field_i64(w, "silent_ms", (clock_monotonic_ns() - machine->seen_ns) / 1000000);
	if (*machine->wish_by && machine->wish != MACHINE_UP && !machine->down)
		json_field_string(w, "state_by", machine->wish_by);
	if (machine->drain_by_ms)
		json_field_i64(w, "drain_by_ms", machine->drain_by_ms);
	json_key(w, "list");
	json_open_array(w);
	for (struct held_task *task = machine->tasks; task; task = task->next_at) {
		struct job_resources r = amend_resources_of(task->job, task->index);
		char text[TASK_NAME_SIZE + 16];

		snprintf(text, sizeof(text), "%s/%" PRIu32, job_name(task->job), task->index);
		json_open_object(w);
		json_field_string(w, "task", text);
		json_field_string(w, "state", view_state(task));
		json_field_i64(w, "priority", task->job->file.priority);
		json_field_i64(w, "cpu_milli", r.cpu_milli);
		json_field_i64(w, "memory_bytes", r.memory_bytes);
		json_field_string(w, "container", task->container);
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
	return 0;
}

void master_write_machines(struct master *master, struct json_writer *w)
{
	json_open_array(w);
	for (size_t i = 0; i < master->machine_count; i++) {
		struct machine_view view;

		if (cell_machine(master->cell, master->machines[i].core, &view) < 0)
			continue;
		json_open_object(w);
		write_machine(master, &master->machines[i], &view, w);
		json_close_object(w);
	}
	json_close_array(w);
}
