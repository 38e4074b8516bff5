/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks: where they are, and what is yet to be written of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/master/inside.h"

void task_changed(struct master *master, struct held_task *task)
{
	if (task->dirty)
		return;
	task->dirty = true;
	task->next_dirty = master->dirty;
	master->dirty = task;
}

void task_forget_report(struct held_task *task)
{
	free(task->reason);
	free(task->container);
	free(task->address);
	free(task->ports);
	task->reason = task->container = task->address = task->ports = NULL;
	task->reported = task->oom = false;
	task->used_cpu_milli = task->used_memory_bytes = -1;
	task->health = REPORT_UNCHECKED;
	task->secrets = 0;
}

void task_free(struct held_task *task)
{
	task_forget_report(task);
	free(task->last_reason);
	free(task->kept_note);
	task->last_reason = task->kept_note = NULL;
}

void task_unplace(struct master *master, struct held_task *task)
{
	struct held_machine *machine;

	if (task->at == NOBODY)
		return;
	/* Of a single instance it must be known when it is gone. */
	leave_task(master, task, -1, false);
	machine = &master->machines[task->at];
	if (task->previous_at)
		task->previous_at->next_at = task->next_at;
	else
		machine->tasks = task->next_at;
	if (task->next_at)
		task->next_at->previous_at = task->previous_at;
	task->next_at = task->previous_at = NULL;
	task->at = NOBODY;
	task->live = task->paused = task->told = task->held_back = task->restarting = false;
	task_forget_report(task);
	machine->news = true;
}

void task_place(struct master *master, struct held_task *task, uint32_t machine)
{
	struct held_machine *to;

	task_unplace(master, task);
	if (machine == NOBODY)
		return;
	to = &master->machines[machine];
	task->at = machine;
	task->live = true;
	task->next_at = to->tasks;
	if (to->tasks)
		to->tasks->previous_at = task;
	to->tasks = task;
	to->news = true;
}

void task_pause(struct master *master, struct held_task *task, bool paused)
{
	task->paused = paused;
	task_changed(master, task);
	if (task->at != NOBODY)
		master->machines[task->at].news = true;
}

struct held_task *task_of(struct master *master, uint32_t job, uint32_t index)
{
	struct held_job *held = job < master->by_core_size ? master->by_core[job] : NULL;

	return held && index < held->count ? &held->tasks[index] : NULL;
}

struct held_task *task_find(struct master *master, const char *name)
{
	const char *slash = strrchr(name, '/');
	char job[TASK_NAME_SIZE];
	struct held_job *held;
	char *end;
	unsigned long index;

	if (!slash || (size_t)(slash - name) >= sizeof(job))
		return NULL;
	memcpy(job, name, (size_t)(slash - name));
	job[slash - name] = '\0';
	index = strtoul(slash + 1, &end, 10);
	held = job_find(master, job);
	return held && !*end && end != slash + 1 && index < held->count ? &held->tasks[index]
									: NULL;
}

struct held_task *task_alloc(const struct master *master, const struct held_task *task)
{
	uint32_t core = task_core(master, task);
	struct machine_view room;
	struct task_view view;

	if (core == NOBODY || !task->job->file.in)
		return NULL;
	cell_task(master->cell, core, &view);
	if (view.machine == NOBODY || cell_machine(master->cell, view.machine, &room) < 0 ||
	    room.alloc == NOBODY)
		return NULL;
	cell_task(master->cell, room.alloc, &view);
	return task_of((struct master *)(uintptr_t)master, view.job, view.index);
}

uint32_t task_core(const struct master *master, const struct held_task *task)
{
	(void)master;
	return task->job->core == NOBODY ? NOBODY : task->core;
}

void tasks_number(struct master *master, struct held_job *job, uint32_t from)
{
	uint32_t core = job->core == NOBODY ? NOBODY : cell_job_task(master->cell, job->core, from);

	for (uint32_t i = from; i < job->count; i++) {
		job->tasks[i].core = core;
		if (core != NOBODY)
			core = cell_next_task(master->cell, core);
	}
}

/* Whoever points to a task points to where it has gone. */
static void repoint(struct master *master, struct held_task *task)
{
	if (task->at != NOBODY) {
		if (task->previous_at)
			task->previous_at->next_at = task;
		else
			master->machines[task->at].tasks = task;
		if (task->next_at)
			task->next_at->previous_at = task;
	}
}

int tasks_grow(struct master *master, struct held_job *job, uint32_t count)
{
	struct held_task *old = job->tasks, *more = calloc(count, sizeof(*more));

	if (!more)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		more[i] = i < job->count ? old[i]
					 : (struct held_task){ .job = job,
							       .index = i,
							       .at = NOBODY,
							       .exit_code = -1,
							       .used_cpu_milli = -1,
							       .used_memory_bytes = -1,
							       .core = NOBODY };
		if (i < job->count)
			repoint(master, &more[i]);
	}
	for (struct held_task **p = &master->dirty; *p; p = &(*p)->next_dirty)
		if ((*p)->job == job)
			*p = &more[(*p)->index];
	job->tasks = more;
	free(old);
	return 0;
}

void tasks_undirty(struct master *master, const struct held_job *job, uint32_t from)
{
	for (struct held_task **p = &master->dirty; *p;)
		if ((*p)->job == job && (*p)->index >= from) {
			(*p)->dirty = false;
			*p = (*p)->next_dirty;
		} else {
			p = &(*p)->next_dirty;
		}
}
