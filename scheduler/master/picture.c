/* SPDX-License-Identifier: Apache-2.0 */
/* The cell as the dashboard draws it: what each machine holds, by band. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/master/inside.h"

struct held {
	int64_t cpu_milli, memory_bytes;
	uint32_t tasks;
};

static const char *const machine_states[] = {
	[MACHINE_UP] = "up",
	[MACHINE_CORDONED] = "cordoned",
	[MACHINE_DRAINING] = "draining",
	[MACHINE_DOWN] = "down",
};

/* What a task takes of the machine itself. Not what lies in an alloc: that is the alloc's. */
static bool takes(const struct master *master, const struct held_machine *machine,
		  const struct held_task *task, struct held *ret, unsigned *ret_priority)
{
	uint32_t core = task_core(master, task);
	struct task_view view;

	if (!task->live || core == NOBODY)
		return false;
	cell_task(master->cell, core, &view);
	if (view.machine != machine->core)
		return false;
	*ret = (struct held){ .cpu_milli =
				      task->paused ? 0 : view.request->amounts.of[RESOURCE_CPU],
			      .memory_bytes = view.request->amounts.of[RESOURCE_MEMORY],
			      .tasks = 1 };
	*ret_priority = view.priority;
	return true;
}

static void write_bands(const struct master *master, const struct held_machine *machine,
			struct json_writer *w)
{
	struct held bands[BAND_COUNT] = { 0 };

	for (const struct held_task *task = machine->tasks; task; task = task->next_at) {
		unsigned priority;
		struct held held;

		if (!takes(master, machine, task, &held, &priority))
			continue;
		bands[band_of(priority)].cpu_milli += held.cpu_milli;
		bands[band_of(priority)].memory_bytes += held.memory_bytes;
		bands[band_of(priority)].tasks += held.tasks;
	}
	json_key(w, "bands");
	json_open_array(w);
	for (int i = 0; i < BAND_COUNT; i++) {
		json_open_array(w);
		json_put_i64(w, bands[i].cpu_milli);
		json_put_i64(w, bands[i].memory_bytes);
		json_put_u64(w, bands[i].tasks);
		json_close_array(w);
	}
	json_close_array(w);
}

static void write_machine(const struct master *master, const struct held_machine *machine,
			  struct json_writer *w)
{
	struct machine_view view;

	if (cell_machine(master->cell, machine->core, &view) < 0)
		return;
	json_open_object(w);
	json_field_string(w, "name", machine->name);
	json_field_string(w, "rack", machine->spec.rack);
	json_field_string(w, "state", machine_states[view.state]);
	json_field_i64(w, "cpu_milli", view.capacity.of[RESOURCE_CPU]);
	json_field_i64(w, "memory_bytes", view.capacity.of[RESOURCE_MEMORY]);
	write_bands(master, machine, w);
	json_close_object(w);
}

void master_write_picture(struct master *master, struct json_writer *w)
{
	json_open_object(w);
	json_key(w, "machines");
	json_open_array(w);
	for (size_t i = 0; i < master->machine_count; i++)
		write_machine(master, &master->machines[i], w);
	json_close_array(w);
	json_close_object(w);
}

static void write_task(const struct master *master, const struct held_machine *machine,
		       const struct held_task *task, struct json_writer *w)
{
	const char *job = task->job->file.job ? task->job->file.job : task->job->file.alloc_set;
	char name[TASK_NAME_SIZE];
	unsigned priority;
	struct held held;

	if (!takes(master, machine, task, &held, &priority))
		return;
	snprintf(name, sizeof(name), "%s/%" PRIu32, job, task->index);
	json_open_object(w);
	json_field_string(w, "task", name);
	json_field_u64(w, "priority", priority);
	json_field_i64(w, "cpu_milli", held.cpu_milli);
	json_field_i64(w, "memory_bytes", held.memory_bytes);
	json_close_object(w);
}

int master_write_machine_picture(struct master *master, const char *name, struct json_writer *w,
				 struct err *err)
{
	const struct held_machine *machine = machine_find(master, name);

	if (!machine)
		return err_say(err, ENOENT, "there is no machine called %s", name);
	json_open_object(w);
	json_field_string(w, "machine", machine->name);
	json_key(w, "tasks");
	json_open_array(w);
	for (const struct held_task *task = machine->tasks; task; task = task->next_at)
		write_task(master, machine, task, w);
	json_close_array(w);
	json_close_object(w);
	return 0;
}
