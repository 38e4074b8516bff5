/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints of tasks that had to leave. From its preemption on a task may have one on the machine
 * where it was; that much is in the store. The machine tells when it is there, or why there is
 * none. The task goes back there where it can, and goes on from it; elsewhere it begins anew, and
 * the checkpoint is dropped, as is any that no task has any more.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/restore.h"
#include "scheduler/master/inside.h"

/* What is told of it: replaces what was. */
static void note(struct held_task *task, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct held_task *task, const char *fmt, ...)
{
	va_list args;

	free(task->kept_note);
	task->kept_went_on = false;
	va_start(args, fmt);
	if (vasprintf(&task->kept_note, fmt, args) < 0)
		task->kept_note = NULL;
	va_end(args);
}

void kept_forget(struct master *master, struct held_task *task)
{
	uint32_t core = task_core(master, task);

	if (!task->kept)
		return;
	master->machines[task->kept_at].news = true;
	task->kept = 0;
	task->kept_at = NOBODY;
	task->kept_seen = false;
	task_changed(master, task);
	if (core != NOBODY)
		cell_prefer(master->cell, core, NOBODY);
}

void kept_expect(struct master *master, struct held_task *task)
{
	/* It has not begun again, as far as we know, and that checkpoint is not used. */
	if (task->kept && task->kept_at == task->at && task->kept_seen)
		return;
	free(task->kept_note);
	task->kept_note = NULL;
	task->kept = 0;
	if (!task->told || task->at == NOBODY || !task->job->file.job ||
	    master->machines[task->at].down)
		return;
	task->kept = task->incarnation;
	task->kept_at = task->at;
	task->kept_seen = false;
}

void kept_placed(struct master *master, struct held_task *task)
{
	if (!task->kept || task->kept_at == task->at)
		return;
	/* One that nobody has seen may not be there. */
	if (task->kept_seen) {
		note(task, "its checkpoint on %s was dropped: it is on another machine now",
		     master->machines[task->kept_at].name);
		journal_task(master, task, JOURNAL_TASK_CHECKPOINT_DROPPED, "on %s; it begins anew",
			     master->machines[task->kept_at].name);
	}
	kept_forget(master, task);
}

uint64_t kept_for(const struct held_task *task)
{
	return task->kept && task->kept_at == task->at ? task->kept : 0;
}

/* ---- what a machine says ---- */

static void failed(struct master *master, struct held_task *task, const char *why, bool leaving)
{
	if (leaving) {
		note(task, "it could not be checkpointed: %s", why);
		journal_task(master, task, JOURNAL_TASK_CHECKPOINT_FAILED,
			     "on %s, so it was ended: %s", master->machines[task->kept_at].name,
			     why);
	} else {
		note(task, "it could not go on from its checkpoint: %s", why);
		journal_task(master, task, JOURNAL_TASK_CHECKPOINT_FAILED, "it begins anew: %s",
			     why);
	}
	kept_forget(master, task);
}

static void hear_task(struct master *master, uint32_t machine, const struct report *report)
{
	struct held_task *task = task_find(master, report->task);
	bool is_it;

	if (!task || !task->kept || task->kept_at != machine)
		return;
	is_it = task->live && task->at == machine && task->incarnation == report->incarnation;
	/* Of one that does not leave yet it tells how it has begun. */
	if (report->no_checkpoint &&
	    (is_it || (report->incarnation >= task->kept && report->state == REPORT_STOPPING))) {
		failed(master, task, report->no_checkpoint, !is_it);
	} else if (is_it && report->restored) {
		note(task, "it went on from its checkpoint");
		task->kept_went_on = true;
		journal_task(master, task, JOURNAL_TASK_RESTORED, NULL);
		kept_forget(master, task);
	} else if (is_it && report->state != REPORT_STARTING) {
		kept_forget(master, task);
	}
}

/* It went on from the one that we know of, and made that one, before we heard of either. */
static bool is_later(const struct held_task *task, const struct held_kept *kept)
{
	return !task->live && kept->incarnation > task->kept &&
	       kept->incarnation <= task->incarnation;
}

static void hear_kept(struct master *master, uint32_t machine, const struct held_kept *kept)
{
	struct held_task *task = task_find(master, kept->task);

	if (!task || !task->kept || task->kept_at != machine)
		return;
	/* It was about to go on when its agent was killed. */
	if (task->live && task->at == machine && kept->incarnation == task->incarnation)
		task->kept = kept->incarnation;
	if (is_later(task, kept)) {
		task->kept = kept->incarnation;
		task->kept_seen = false;
		task_changed(master, task);
	}
	if (task->kept != kept->incarnation || task->kept_seen)
		return;
	task->kept_seen = true;
	note(task, "its checkpoint is on %s", master->machines[machine].name);
	journal_task(master, task, JOURNAL_TASK_CHECKPOINTED, "on %s",
		     master->machines[machine].name);
}

/* What it was told already it need not be told at once again. */
static bool was_told(const struct held_machine *machine, const struct task_kept *kept)
{
	for (size_t i = 0; i < machine->kept_count; i++)
		if (machine->kept[i].incarnation == kept->incarnation &&
		    strcmp(machine->kept[i].task, kept->task) == 0)
			return machine->kept[i].told;
	return false;
}

static void take_list(struct held_machine *machine, const struct machine_report *report)
{
	struct held_kept *list = NULL;

	if (report->kept_count)
		list = calloc(report->kept_count, sizeof(*list));
	/* The next report says it again. */
	if (report->kept_count && !list)
		return;
	for (size_t i = 0; i < report->kept_count; i++) {
		snprintf(list[i].task, sizeof(list[i].task), "%s", report->kept[i].task);
		list[i].incarnation = report->kept[i].incarnation;
		list[i].told = was_told(machine, &report->kept[i]);
	}
	free(machine->kept);
	machine->kept = list;
	machine->kept_count = report->kept_count;
}

void kept_hear(struct master *master, uint32_t machine, const struct machine_report *report)
{
	struct held_machine *at = &master->machines[machine];

	for (size_t i = 0; i < report->task_count; i++)
		hear_task(master, machine, &report->tasks[i]);
	take_list(at, report);
	for (size_t i = 0; i < at->kept_count; i++)
		hear_kept(master, machine, &at->kept[i]);
}

/* ---- what it is told ---- */

static bool is_needed(struct master *master, uint32_t machine, const struct held_kept *kept)
{
	const struct held_task *task = task_find(master, kept->task);

	return task && task->kept == kept->incarnation && task->kept_at == machine && !task->over &&
	       !task->job->stopped && task->job->core != NOBODY;
}

bool kept_has_news(struct master *master, uint32_t machine)
{
	const struct held_machine *at = &master->machines[machine];

	for (size_t i = 0; i < at->kept_count; i++)
		if (!at->kept[i].told && !is_needed(master, machine, &at->kept[i]))
			return true;
	return false;
}

int kept_write(struct master *master, uint32_t machine, struct arena *arena,
	       struct machine_wants *ret)
{
	struct held_machine *at = &master->machines[machine];
	struct task_kept *list;

	if (!at->kept_count)
		return 0;
	list = arena_calloc(arena, at->kept_count, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < at->kept_count; i++) {
		if (is_needed(master, machine, &at->kept[i]))
			continue;
		at->kept[i].told = true;
		list[ret->drop_count++] =
			(struct task_kept){ at->kept[i].task, at->kept[i].incarnation };
	}
	ret->drop = list;
	return 0;
}

/* ---- the store ---- */

void kept_persist(const struct master *master, const struct held_task *task, struct json_writer *w)
{
	if (!task->kept)
		return;
	json_field_u64(w, "kept", task->kept);
	json_field_string(w, "kept_at", master->machines[task->kept_at].name);
}

int kept_load(struct master *master, struct held_task *task, const struct json_node *root,
	      struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct held_machine *machine;
	const char *name = NULL;
	uint64_t kept = 0;

	if (!arena)
		return err_set(err, ENOMEM, "load a task");
	err_try(json_get_u64(root, "kept", &kept, err));
	err_try(json_get_string(root, "kept_at", arena, &name, err));
	machine = name ? machine_find(master, name) : NULL;
	if (!kept || !machine)
		return 0;
	task->kept = kept;
	task->kept_at = (uint32_t)(machine - master->machines);
	return 0;
}

/* In an alloc the place is another number, which nobody remembers. */
void kept_prefer(struct master *master, const struct held_task *task)
{
	uint32_t core = task_core(master, task);

	if (task->kept && core != NOBODY && !task->job->file.in)
		cell_prefer(master->cell, core, master->machines[task->kept_at].core);
}
