/* SPDX-License-Identifier: Apache-2.0 */
/* Alloc sets, and what runs in each alloc. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/master/inside.h"

static void write_amounts(const char *suffix, const struct amounts *a, struct json_writer *w)
{
	char name[32];

	snprintf(name, sizeof(name), "cpu_%smilli", suffix);
	json_field_i64(w, name, a->of[RESOURCE_CPU]);
	snprintf(name, sizeof(name), "memory_%sbytes", suffix);
	json_field_i64(w, name, a->of[RESOURCE_MEMORY]);
}

static void write_head(const struct held_job *set, struct json_writer *w)
{
	uint32_t placed = 0, size = job_size(set);

	for (uint32_t i = 0; i < set->count; i++)
		placed += set->tasks[i].live;
	json_field_string(w, "name", job_name(set));
	json_field_string(w, "owner", set->file.owner);
	json_field_i64(w, "priority", set->file.priority);
	json_field_string(w, "state",
			  set->stopped	   ? "stopped"
			  : placed == size ? "reserved"
					   : "pending");
	json_field_u64(w, "count", size);
	json_field_u64(w, "reserved", placed);
	json_field_i64(w, "cpu_milli", set->file.reserve.cpu_milli);
	json_field_i64(w, "memory_bytes", set->file.reserve.memory_bytes);
}

void master_write_allocs(struct master *master, struct json_writer *w)
{
	json_open_array(w);
	for (struct held_job *set = master->jobs; set; set = set->next) {
		if (set->file.job)
			continue;
		json_open_object(w);
		write_head(set, w);
		json_close_object(w);
	}
	json_close_array(w);
}

/* The tasks that the core has put into that room. */
static void write_guests(struct master *master, const struct held_job *set, uint32_t room,
			 struct json_writer *w)
{
	json_key(w, "tasks");
	json_open_array(w);
	for (struct held_job *job = master->jobs; job; job = job->next) {
		if (!job->file.in || job->core == NOBODY ||
		    strcmp(job->file.in, job_name(set)) != 0)
			continue;
		for (uint32_t i = 0; i < job->count; i++) {
			char text[TASK_NAME_SIZE + 16];
			struct task_view view;

			cell_task(master->cell, job->tasks[i].core, &view);
			if (view.state != TASK_RUNNING || view.machine != room)
				continue;
			snprintf(text, sizeof(text), "%s/%" PRIu32, job_name(job), i);
			json_put_string(w, text);
		}
	}
	json_close_array(w);
}

static void write_alloc(struct master *master, const struct held_job *set, uint32_t index,
			struct json_writer *w)
{
	const struct held_task *task = &set->tasks[index];
	struct machine_view room;
	struct task_view view;

	json_open_object(w);
	json_field_u64(w, "index", index);
	json_key(w, "machine");
	json_put_string(w, task->at == NOBODY ? NULL : master->machines[task->at].name);
	if (set->core != NOBODY) {
		cell_task(master->cell, task->core, &view);
		if (view.room != NOBODY && cell_machine(master->cell, view.room, &room) == 0) {
			write_amounts("", &room.capacity, w);
			write_amounts("free_", &room.free, w);
			write_guests(master, set, view.room, w);
		}
	}
	json_close_object(w);
}

int master_write_alloc(struct master *master, const char *name, struct json_writer *w,
		       struct err *err)
{
	struct held_job *set = job_find(master, name);

	if (!set || set->file.job)
		return err_say(err, ENOENT, "there is no alloc set called %s", name);
	json_open_object(w);
	write_head(set, w);
	json_key(w, "allocs");
	json_open_array(w);
	for (uint32_t i = 0; i < set->count; i++)
		if (!set->tasks[i].over)
			write_alloc(master, set, i, w);
	json_close_array(w);
	json_close_object(w);
	return 0;
}
