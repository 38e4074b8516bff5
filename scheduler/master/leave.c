/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has to go: a task that was told to a machine and is not to be there any more is told to leave
 * until the machine says that it is gone. It gets its notice this way; and of a single instance
 * nobody starts the next one before (its fence).
 *
 * A machine that is silent says nothing. Then time tells: whoever runs there under a fence has
 * renewed it for the last time with the last answer that the machine got, and no answer was read
 * later than it was given. So it is gone when the fence and the bound on clocks have passed since
 * the machine was last heard. A master that was restarted has not heard anybody before its start,
 * and waits from there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/master/inside.h"

#define NS_PER_MS INT64_C(1000000)
/* Clocks that differ by a twentieth, and a second for the kill itself. */
#define BOUND_PART 20
#define BOUND_NS INT64_C(1000000000)

static bool is_single(const struct held_task *task)
{
	return task->job->file.single_instance;
}

static void task_name(const struct held_task *task, char text[static TASK_NAME_SIZE])
{
	snprintf(text, TASK_NAME_SIZE, "%s/%" PRIu32, task->job->file.job, task->index);
}

struct leaving *leave_add(struct master *master, const char *task, uint64_t incarnation,
			  uint32_t machine)
{
	struct leaving *leaving = calloc(1, sizeof(*leaving));

	if (!leaving)
		return NULL;
	snprintf(leaving->task, sizeof(leaving->task), "%s", task);
	leaving->incarnation = incarnation;
	leaving->machine = machine;
	leaving->notice_ms = -1;
	/* With none of this master it may be one of the master before. */
	leaving->told_number = master->machines[machine].told_number;
	if (!leaving->told_number)
		leaving->told_number = 1;
	leaving->next = master->leaving;
	master->leaving = leaving;
	master->machines[machine].news = true;
	return leaving;
}

void leave_task(struct master *master, struct held_task *task, int64_t notice_ms, bool checkpoint)
{
	char name[TASK_NAME_SIZE];
	struct leaving *leaving;

	if (master->loading || !task->told || task->at == NOBODY || !task->job->file.job ||
	    (notice_ms < 0 && !is_single(task)) ||
	    (master->machines[task->at].down && !is_single(task)))
		return;
	task->told = false;
	task_name(task, name);
	leaving = leave_add(master, name, task->incarnation, task->at);
	/* Without the word it goes all the same, as what nobody wants; only a fence must hold. */
	if (!leaving) {
		log_error("out of memory: task %s gets no notice", name);
		master->lost_a_fence |= is_single(task);
		return;
	}
	leaving->notice_ms = notice_ms;
	leaving->checkpoint = checkpoint;
	leaving->fenced = leaving->dirty = is_single(task);
}

void leave_job(struct master *master, struct held_job *job)
{
	for (uint32_t i = 0; i < job->count; i++)
		leave_task(master, &job->tasks[i], -1, false);
}

void leave_job_not(struct master *master, struct held_job *job)
{
	for (struct leaving *l = master->leaving; l; l = l->next) {
		struct held_task *task = l->dirty ? task_find(master, l->task) : NULL;

		if (!task || task->job != job || task->incarnation != l->incarnation ||
		    task->at != l->machine)
			continue;
		task->told = true;
		l->gone = true;
		l->dirty = false;
	}
	leave_sweep(master);
}

static const struct leaving *find_fence(const struct master *master, const struct held_task *task)
{
	char name[TASK_NAME_SIZE];

	task_name(task, name);
	for (const struct leaving *l = master->leaving; l; l = l->next)
		if (l->fenced && !l->gone && strcmp(l->task, name) == 0)
			return l;
	return NULL;
}

bool leave_holds(const struct master *master, const struct held_task *task)
{
	return is_single(task) && task->job->file.job &&
	       (master->lost_a_fence || find_fence(master, task));
}

/* After that silence it is gone. */
static int64_t silence_ns(const struct master *master)
{
	return master->fence_ns + master->fence_ns / BOUND_PART + BOUND_NS;
}

const char *leave_holder(const struct master *master, const struct held_task *task,
			 int64_t *ret_left_ms)
{
	const struct leaving *l = find_fence(master, task);
	const struct held_machine *machine = l ? &master->machines[l->machine] : NULL;

	*ret_left_ms = -1;
	if (machine && machine->down)
		*ret_left_ms =
			(machine->seen_ns + silence_ns(master) - master_now_ns(master)) / NS_PER_MS;
	return machine ? machine->name : NULL;
}

/* Whoever waited for it may be told now. */
static void set_gone(struct master *master, struct leaving *leaving)
{
	struct held_task *task = task_find(master, leaving->task);

	leaving->gone = true;
	leaving->dirty = leaving->fenced;
	if (leaving->fenced && task && task->at != NOBODY)
		master->machines[task->at].news = true;
}

static bool is_there(const struct leaving *leaving, const struct machine_report *report)
{
	for (size_t i = 0; i < report->task_count; i++)
		if (report->tasks[i].incarnation == leaving->incarnation &&
		    strcmp(report->tasks[i].task, leaving->task) == 0)
			return true;
	return false;
}

/* Answers are heeded in their order, so what came before that one is heeded or lost. */
static bool has_heeded(const struct master *master, const struct leaving *leaving,
		       const struct machine_report *report)
{
	return report->heard_epoch == master->epoch && report->heard >= leaving->told_number;
}

void leave_hear(struct master *master, uint32_t machine, const struct machine_report *report)
{
	for (struct leaving *l = master->leaving; l; l = l->next)
		if (l->machine == machine && !l->gone && has_heeded(master, l, report) &&
		    !is_there(l, report))
			set_gone(master, l);
	leave_sweep(master);
}

void leave_watch(struct master *master)
{
	int64_t now = master_now_ns(master);
	int64_t silence = silence_ns(master);

	for (struct leaving *l = master->leaving; l; l = l->next) {
		const struct held_machine *machine = &master->machines[l->machine];

		if (machine->down && !l->gone && (!l->fenced || now - machine->seen_ns >= silence))
			set_gone(master, l);
	}
	leave_sweep(master);
}

void leave_sweep(struct master *master)
{
	for (struct leaving **p = &master->leaving; *p;) {
		struct leaving *leaving = *p;

		if (!leaving->gone || leaving->dirty) {
			p = &leaving->next;
			continue;
		}
		*p = leaving->next;
		free(leaving);
	}
}

void leave_free(struct master *master)
{
	for (struct leaving *l = master->leaving, *next; l; l = next) {
		next = l->next;
		free(l);
	}
	master->leaving = NULL;
}

size_t leave_count(const struct master *master, uint32_t machine)
{
	size_t count = 0;

	for (const struct leaving *l = master->leaving; l; l = l->next)
		count += l->machine == machine;
	return count;
}

size_t leave_write(const struct master *master, uint32_t machine, struct want *wants)
{
	size_t count = 0;

	for (const struct leaving *l = master->leaving; l; l = l->next) {
		if (l->machine != machine || l->gone)
			continue;
		wants[count++] = (struct want){
			.task = l->task,
			.incarnation = l->incarnation,
			.leaving = true,
			.checkpoint = l->checkpoint,
			.notice_ms = l->notice_ms,
			.fence_ms = l->fenced ? master->fence_ns / NS_PER_MS : 0,
		};
	}
	return count;
}

/* ---- the store ---- */

size_t leave_dirty(const struct master *master)
{
	size_t count = 0;

	for (const struct leaving *l = master->leaving; l; l = l->next)
		count += l->dirty;
	return count;
}

static char *persist(const struct master *master, const struct leaving *leaving, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_string(w, "machine", master->machines[leaving->machine].name);
	json_field_u64(w, "incarnation", leaving->incarnation);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

/* Of one name one may be gone and the next one here already: what is here counts. */
static bool is_followed(const struct master *master, const struct leaving *leaving)
{
	for (const struct leaving *l = master->leaving; l; l = l->next)
		if (l->fenced && !l->gone && strcmp(l->task, leaving->task) == 0)
			return true;
	return false;
}

int leave_changes(const struct master *master, char (*keys)[LEAVE_KEY_SIZE],
		  struct store_change *changes, size_t *ret_count)
{
	size_t n = 0;

	for (const struct leaving *l = master->leaving; l; l = l->next) {
		if (!l->dirty || (l->gone && is_followed(master, l)))
			continue;
		snprintf(keys[n], LEAVE_KEY_SIZE, "fence/%s", l->task);
		changes[n] = (struct store_change){ .key = keys[n] };
		if (!l->gone)
			changes[n].value = persist(master, l, &changes[n].len);
		*ret_count = ++n;
		if (!l->gone && !changes[n - 1].value)
			return -ENOMEM;
	}
	return 0;
}

void leave_written(struct master *master)
{
	for (struct leaving *l = master->leaving; l; l = l->next)
		l->dirty = false;
	leave_sweep(master);
}

int leave_load(struct master *master, const char *name, const struct json_node *root,
	       struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *machine_name = "";
	struct held_machine *machine;
	struct held_task *task = task_find(master, name);
	struct leaving *leaving;
	uint64_t incarnation = 0;

	if (!arena)
		return err_set(err, ENOMEM, "load the fence of %s", name);
	err_try(json_get_string(root, "machine", arena, &machine_name, err));
	err_try(json_get_u64(root, "incarnation", &incarnation, err));
	machine = machine_find(master, machine_name);
	if (!machine)
		return 0;
	leaving = leave_add(master, name, incarnation, (uint32_t)(machine - master->machines));
	if (!leaving)
		return err_set(err, ENOMEM, "load the fence of %s", name);
	leaving->fenced = true;
	/* Wherever the next one is to be, it was not told yet. */
	if (task)
		task->told = false;
	return 0;
}
