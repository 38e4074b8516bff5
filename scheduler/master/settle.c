/* SPDX-License-Identifier: Apache-2.0 */
/* One turn of the master: decide, write, tell. In this order, always. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "scheduler/master/inside.h"

#define NS_PER_MS INT64_C(1000000)
#define RETRY_MS 1000
#define KEY_SIZE (TASK_NAME_SIZE + 16)

void master_tick(struct master *master)
{
	int64_t now =
		(master->clock_ns ? master->clock_ns(master->clock_data) : clock_realtime_ns()) /
		NS_PER_MS;

	/* The host's clock may be set back; the core's never goes there. */
	if (now > master->outside.now_ms)
		master->outside.now_ms = now;
}

/* Being moved is no gentler than being preempted. */
static int64_t notice_of(const struct held_task *task)
{
	return task->job->file.preemption.notice_ms;
}

void master_on_event(void *data, const struct event *event)
{
	struct master *master = data;
	struct held_task *task;

	if (master->loading)
		return;
	task = event->task == NOBODY ? NULL : task_of(master, event->job, event->index);
	journal_event(master, task, event);
	if (!task)
		return;
	switch (event->kind) {
	case EVENT_PLACE:
		task_place(master, task, machine_of_core(master, event->machine));
		task->incarnation = ++master->incarnations;
		task->told_pending = task->told_running = task->to_restart = false;
		task_changed(master, task);
		journal_task(master, task, JOURNAL_TASK_PLACED, NULL);
		kept_placed(master, task);
		break;
	case EVENT_PREEMPT:
		if (event->detail == PREEMPTION_PAUSE) {
			task_pause(master, task, true);
			break;
		}
		if (event->detail == PREEMPTION_CHECKPOINT)
			kept_expect(master, task);
		leave_task(master, task, event->count, event->detail == PREEMPTION_CHECKPOINT);
		task_unplace(master, task);
		task_changed(master, task);
		break;
	case EVENT_END:
		/* Those that ended by themselves are known, and kept for their log. */
		if (event->detail != END_FINISHED && event->detail != END_FAILED) {
			/* A checkpoint does not go along to another machine. */
			if (event->detail == END_DRAINED)
				leave_task(master, task, notice_of(task), false);
			task_unplace(master, task);
		}
		task_changed(master, task);
		break;
	case EVENT_RESUME:
		task_pause(master, task, false);
		break;
	default:
		break;
	}
}

/* ---- writing ---- */

static size_t count_dirty(const struct master *master)
{
	size_t count = 0;

	for (struct held_task *task = master->dirty; task; task = task->next_dirty)
		count++;
	return count;
}

static int add_task(const struct master *master, const struct held_task *task,
		    char key[static KEY_SIZE], struct store_change *ret)
{
	size_t len = 0;
	char *text = persist_task(master, task, &len);

	snprintf(key, KEY_SIZE, "task/%s/%" PRIu32,
		 task->job->file.job ? task->job->file.job : task->job->file.alloc_set,
		 task->index);
	*ret = (struct store_change){ key, text, len };
	return text ? 0 : -ENOMEM;
}

static void clean_dirty(struct master *master)
{
	struct held_task *next;

	for (struct held_task *task = master->dirty; task; task = next) {
		next = task->next_dirty;
		task->dirty = false;
		task->next_dirty = NULL;
	}
	master->dirty = NULL;
}

/* What has changed here: tasks and fences. The values are the caller's, also on failure. */
static int collect(const struct master *master, struct store_change *changes, char *keys,
		   char (*fence_keys)[LEAVE_KEY_SIZE], size_t *ret_count)
{
	size_t n = 0, fences = 0;
	int r = 0;

	for (struct held_task *task = master->dirty; task && r == 0; task = task->next_dirty, n++)
		r = add_task(master, task, keys + n * KEY_SIZE, &changes[n]);
	if (r == 0)
		r = leave_changes(master, fence_keys, changes + n, &fences);
	*ret_count = n + fences;
	return r;
}

/* changes has room for all of it. */
static int commit(struct master *master, struct store_change *changes, size_t count,
		  const struct store_change *more, size_t more_count, struct err *err)
{
	char counter[24];

	for (size_t i = 0; i < more_count; i++)
		changes[count++] = more[i];
	snprintf(counter, sizeof(counter), "%" PRIu64, master->incarnations);
	changes[count++] = (struct store_change){ PERSIST_INCARNATIONS, counter, strlen(counter) };
	return cell_store_commit(master->store, master->epoch, changes, count, NULL, err);
}

int master_commit(struct master *master, const struct store_change *more, size_t more_count,
		  struct err *err)
{
	size_t tasks = count_dirty(master), fences = leave_dirty(master), own = 0;
	size_t room = tasks + fences + more_count + 1;
	_cleanup_free_ struct store_change *changes = calloc(room, sizeof(*changes));
	_cleanup_free_ char *keys = calloc(tasks + 1, KEY_SIZE);
	_cleanup_free_ char(*fence_keys)[LEAVE_KEY_SIZE] = calloc(fences + 1, LEAVE_KEY_SIZE);
	int r;

	if (!tasks && !fences && !more_count)
		return 0;
	if (!changes || !keys || !fence_keys)
		return err_set(err, ENOMEM, "write to the store");
	r = collect(master, changes, keys, fence_keys, &own);
	if (r == 0)
		r = commit(master, changes, own, more, more_count, err);
	else
		err_set(err, ENOMEM, "write to the store");
	for (size_t i = 0; i < own; i++)
		free((void *)changes[i].value);
	/* Whoever took over knows better than this one. */
	if (r == -ESTALE)
		loop_quit(master->loop, r);
	if (r == 0) {
		clean_dirty(master);
		leave_written(master);
	}
	return r;
}

/* ---- telling ---- */

static void tell_machines(struct master *master)
{
	for (size_t i = 0; i < master->machine_count; i++) {
		struct held_machine *machine = &master->machines[i];

		if (!machine->news && !kept_has_news(master, (uint32_t)i))
			continue;
		machine->news = false;
		if (machine->contact)
			machine->contact->poke(machine->contact->data);
	}
}

static void tell_listeners(struct master *master)
{
	for (struct master_listener *l = master->listeners, *next; l; l = next) {
		next = l->next;
		l->fn(l->data);
	}
}

static int on_time(void *data)
{
	struct master *master = data;

	master->timer = NULL;
	master_settle(master);
	return 0;
}

static void settle_again(struct master *master)
{
	int64_t next_ms =
		master->stuck ? master->outside.now_ms + RETRY_MS : cell_next_ms(master->cell);
	int64_t wait_ms = next_ms - master->outside.now_ms;

	master->timer = loop_remove(master->timer);
	if (next_ms == INT64_MAX)
		return;
	if (wait_ms < 1)
		wait_ms = 1;
	loop_add_time(master->loop, clock_monotonic_ns() + wait_ms * NS_PER_MS, on_time, master,
		      &master->timer, NULL);
}

void master_settle(struct master *master)
{
	struct err err = { 0 };

	master_tick(master);
	while (cell_decide(master->cell))
		;
	if (master_commit(master, NULL, 0, &err) < 0) {
		if (!master->stuck)
			log_error("%s; nothing is decided until that works", err.text);
		master->stuck = true;
	} else {
		if (master->stuck)
			log_info("the store works again");
		master->stuck = false;
		if (journal_release(master->journal))
			tell_listeners(master);
		tell_machines(master);
	}
	settle_again(master);
}
