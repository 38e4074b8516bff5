/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in a cell, told in order: the last 16,384 events, in memory. An event's index rises
 * by one each time, over restarts of the master too (its upper half is the epoch), so that whoever
 * has read up to an index can ask for what came since. Nothing is shown before it is on the disk.
 */
#pragma once

#include <stdarg.h>
#include <stdint.h>

#include "base/json.h"
#include "scheduler/core/event.h"

struct journal;
struct held_job;
struct held_task;
struct master;

enum journal_kind {
	JOURNAL_JOB_SUBMITTED,
	JOURNAL_JOB_STOPPED,
	JOURNAL_JOB_PURGED,
	JOURNAL_JOB_SCALED,
	JOURNAL_JOB_RESIZED,
	JOURNAL_JOB_RESTARTED,
	JOURNAL_JOB_WARNING, /* something is wrong with it, and it is not its tasks */
	JOURNAL_TASK_PLACED,
	JOURNAL_TASK_PENDING, /* it fits nowhere now */
	JOURNAL_TASK_RUNNING,
	JOURNAL_TASK_ENDED,
	JOURNAL_TASK_PREEMPTED,
	JOURNAL_TASK_PAUSED,
	JOURNAL_TASK_RESUMED,
	JOURNAL_TASK_CHECKPOINTED,
	JOURNAL_TASK_CHECKPOINT_FAILED, /* or it cannot go on from it */
	JOURNAL_TASK_CHECKPOINT_DROPPED,
	JOURNAL_TASK_RESTORED, /* it goes on from its checkpoint */
	JOURNAL_TASK_LOST,
	JOURNAL_TASK_DRAINED,
	JOURNAL_TASK_KILLED,
	JOURNAL_TASK_RESIZED,
	JOURNAL_MACHINE_ADDED,
	JOURNAL_MACHINE_STATE,
	JOURNAL_KINDS,
};

/* epoch: the master's. NULL when out of memory. */
struct journal *journal_new(uint64_t epoch);
struct journal *journal_free(struct journal *journal);

/* An event of the job as a whole, of a task, of a machine (by its number); text: a sentence more,
 * or NULL. */
void journal_job(struct master *master, struct held_job *job, enum journal_kind kind,
		 const char *who, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void journal_task(struct master *master, struct held_task *task, enum journal_kind kind,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void journal_machine(struct master *master, uint32_t machine, enum journal_kind kind,
		     const char *text);
/* What the core tells; before the master changes its own state by it. */
void journal_event(struct master *master, struct held_task *task, const struct event *event);

/* Everything so far is on the disk: it may be shown from now on. */
bool journal_release(struct journal *journal);
/* Of the last event that may be shown. */
uint64_t journal_index(const struct journal *journal);
/* How many there were of that kind since the master started. */
uint64_t journal_count(const struct journal *journal, enum journal_kind kind);
const char *journal_kind_name(enum journal_kind kind);

/* JSON lines of those after `since`, `most` at most; ret_last: to go on from. The text is the
 * caller's; NULL when there is none (or no memory: *ret_last is as it was). */
char *journal_format(const struct master *master, uint64_t since, size_t most, size_t *ret_len,
		     uint64_t *ret_last);
