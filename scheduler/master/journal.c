/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/master/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "scheduler/core/job.h"
#include "scheduler/master/inside.h"

#define ENTRIES 16384
#define EPOCH_SHIFT 32

struct entry {
	int64_t time_ms;
	enum journal_kind kind;
	uint32_t task, machine;
	char job[TASK_NAME_SIZE];
	char who[CALLER_NAME_SIZE];
	char *text;
};

struct journal {
	uint64_t first, next; /* indexes: of the oldest that is kept, of the one to come */
	uint64_t told;
	uint64_t counts[JOURNAL_KINDS];
	struct entry entries[ENTRIES];
};

static const char *const kind_names[JOURNAL_KINDS] = {
	[JOURNAL_JOB_SUBMITTED] = "job-submitted",
	[JOURNAL_JOB_STOPPED] = "job-stopped",
	[JOURNAL_JOB_PURGED] = "job-purged",
	[JOURNAL_JOB_SCALED] = "job-scaled",
	[JOURNAL_JOB_RESIZED] = "job-resized",
	[JOURNAL_JOB_RESTARTED] = "job-restarted",
	[JOURNAL_JOB_WARNING] = "job-warning",
	[JOURNAL_TASK_PLACED] = "task-placed",
	[JOURNAL_TASK_PENDING] = "task-pending",
	[JOURNAL_TASK_RUNNING] = "task-running",
	[JOURNAL_TASK_ENDED] = "task-ended",
	[JOURNAL_TASK_PREEMPTED] = "task-preempted",
	[JOURNAL_TASK_PAUSED] = "task-paused",
	[JOURNAL_TASK_RESUMED] = "task-resumed",
	[JOURNAL_TASK_LOST] = "task-lost",
	[JOURNAL_TASK_CHECKPOINTED] = "task-checkpointed",
	[JOURNAL_TASK_CHECKPOINT_FAILED] = "task-checkpoint-failed",
	[JOURNAL_TASK_CHECKPOINT_DROPPED] = "task-checkpoint-dropped",
	[JOURNAL_TASK_RESTORED] = "task-restored",
	[JOURNAL_TASK_DRAINED] = "task-drained",
	[JOURNAL_TASK_KILLED] = "task-killed",
	[JOURNAL_TASK_RESIZED] = "task-resized",
	[JOURNAL_MACHINE_ADDED] = "machine-added",
	[JOURNAL_MACHINE_STATE] = "machine-state",
};

const char *journal_kind_name(enum journal_kind kind)
{
	return kind_names[kind];
}

struct journal *journal_new(uint64_t epoch)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (journal) {
		journal->first = journal->next = (epoch << EPOCH_SHIFT) + 1;
		journal->told = journal->next - 1;
	}
	return journal;
}

struct journal *journal_free(struct journal *journal)
{
	if (!journal)
		return NULL;
	for (size_t i = 0; i < ENTRIES; i++)
		free(journal->entries[i].text);
	free(journal);
	return NULL;
}

static struct entry *append(struct master *master, enum journal_kind kind)
{
	struct journal *journal = master->journal;
	struct entry *entry = &journal->entries[journal->next % ENTRIES];

	free(entry->text);
	*entry = (struct entry){
		.time_ms = master->outside.now_ms, .kind = kind, .task = NOBODY, .machine = NOBODY
	};
	if (journal->next - journal->first == ENTRIES)
		journal->first++;
	journal->next++;
	journal->counts[kind]++;
	return entry;
}

static void add_text(struct entry *entry, const char *fmt, va_list args)
{
	if (fmt && vasprintf(&entry->text, fmt, args) < 0)
		entry->text = NULL;
}

void journal_job(struct master *master, struct held_job *job, enum journal_kind kind,
		 const char *who, const char *fmt, ...)
{
	struct entry *entry = append(master, kind);
	va_list args;

	snprintf(entry->job, sizeof(entry->job), "%s", job_name(job));
	snprintf(entry->who, sizeof(entry->who), "%s", who ? who : "");
	va_start(args, fmt);
	add_text(entry, fmt, args);
	va_end(args);
	job->index = master->journal->next - 1;
}

void journal_task(struct master *master, struct held_task *task, enum journal_kind kind,
		  const char *fmt, ...)
{
	struct entry *entry = append(master, kind);
	va_list args;

	snprintf(entry->job, sizeof(entry->job), "%s", job_name(task->job));
	entry->task = task->index;
	entry->machine = task->at;
	va_start(args, fmt);
	add_text(entry, fmt, args);
	va_end(args);
	task->job->index = master->journal->next - 1;
}

void journal_machine(struct master *master, uint32_t machine, enum journal_kind kind,
		     const char *text)
{
	struct entry *entry = append(master, kind);

	entry->machine = machine;
	entry->text = text ? strdup(text) : NULL;
}

/* ---- what the core tells ---- */

static void tell_end(struct master *master, struct held_task *task, const struct event *event)
{
	static const enum journal_kind kinds[] = {
		[END_LOST] = JOURNAL_TASK_LOST,
		[END_PREEMPTED] = JOURNAL_TASK_PREEMPTED,
		[END_DRAINED] = JOURNAL_TASK_DRAINED,
		[END_KILLED] = JOURNAL_TASK_KILLED,
	};

	/* The others its machine has told, with how it ended. A victim was told with for whom. */
	if (event->detail != END_FINISHED && event->detail != END_FAILED &&
	    event->detail != END_PREEMPTED)
		journal_task(master, task, kinds[event->detail], NULL);
}

static void tell_preemption(struct master *master, struct held_task *task,
			    const struct event *event)
{
	struct task_view view;
	struct held_task *by = NULL;
	enum journal_kind kind =
		event->detail == PREEMPTION_PAUSE ? JOURNAL_TASK_PAUSED : JOURNAL_TASK_PREEMPTED;

	if (event->other != NOBODY) {
		cell_task(master->cell, event->other, &view);
		by = task_of(master, view.job, view.index);
	}
	if (by)
		journal_task(master, task, kind, "for %s/%" PRIu32, job_name(by->job), by->index);
	else
		journal_task(master, task, kind, NULL);
}

/* "draining by root", where somebody wanted it so. */
static void tell_state(struct master *master, uint32_t machine, const char *state)
{
	char text[CALLER_NAME_SIZE + 32];

	snprintf(text, sizeof(text), "%s%s%s", state, master->acting ? " by " : "",
		 master->acting ? master->acting->name : "");
	journal_machine(master, machine, JOURNAL_MACHINE_STATE, text);
}

void journal_event(struct master *master, struct held_task *task, const struct event *event)
{
	static const char *const states[] = {
		[MACHINE_UP] = "up",
		[MACHINE_CORDONED] = "cordoned",
		[MACHINE_DRAINING] = "draining",
		[MACHINE_DOWN] = "down",
	};
	struct machine_view view;

	switch (event->kind) {
	case EVENT_MACHINE:
		/* One that is being added is told by that. */
		if (cell_machine(master->cell, event->machine, &view) == 0 &&
		    view.alloc == NOBODY && machine_of_core(master, event->machine) != NOBODY)
			tell_state(master, machine_of_core(master, event->machine),
				   states[event->detail]);
		break;
	case EVENT_PREEMPT:
		if (task)
			tell_preemption(master, task, event);
		break;
	case EVENT_END:
		if (task)
			tell_end(master, task, event);
		break;
	case EVENT_RESUME:
		if (task)
			journal_task(master, task, JOURNAL_TASK_RESUMED, NULL);
		break;
	case EVENT_RESIZE:
		if (task)
			journal_task(master, task, JOURNAL_TASK_RESIZED, NULL);
		break;
	case EVENT_INFEASIBLE:
		/* Once, not each time that it is looked at again. */
		if (task && !task->told_pending)
			journal_task(master, task, JOURNAL_TASK_PENDING, NULL);
		if (task)
			task->told_pending = true;
		break;
	default:
		break;
	}
}

/* ---- reading ---- */

bool journal_release(struct journal *journal)
{
	bool news = journal->told + 1 != journal->next;

	journal->told = journal->next - 1;
	return news;
}

uint64_t journal_index(const struct journal *journal)
{
	return journal->told;
}

uint64_t journal_count(const struct journal *journal, enum journal_kind kind)
{
	return journal->counts[kind];
}

static void write_entry(const struct master *master, const struct entry *entry, uint64_t index,
			struct json_writer *w)
{
	json_open_object(w);
	json_field_u64(w, "index", index);
	json_field_i64(w, "time_ms", entry->time_ms);
	json_field_string(w, "kind", kind_names[entry->kind]);
	if (*entry->job)
		json_field_string(w, "job", entry->job);
	if (entry->task != NOBODY)
		json_field_u64(w, "task", entry->task);
	if (entry->machine < master->machine_count)
		json_field_string(w, "machine", master->machines[entry->machine].name);
	if (*entry->who)
		json_field_string(w, "who", entry->who);
	json_field_string(w, "text", entry->text);
	json_close_object(w);
}

static void write_gap(struct json_writer *w)
{
	json_open_object(w);
	json_field_string(w, "kind", "gap");
	json_field_string(w, "text", "what happened before is forgotten");
	json_close_object(w);
}

static int add_line(struct strbuf *sb, struct json_writer *owned)
{
	_cleanup_json_writer_ struct json_writer *w = owned;
	size_t len = 0;
	_cleanup_free_ char *line = w ? json_writer_take(w, &len) : NULL;

	if (!line)
		return -ENOMEM;
	strbuf_add(sb, line, len);
	if (!len || line[len - 1] != '\n')
		strbuf_add(sb, "\n", 1);
	return 0;
}

char *journal_format(const struct master *master, uint64_t since, size_t most, size_t *ret_len,
		     uint64_t *ret_last)
{
	const struct journal *journal = master->journal;
	uint64_t at = since + 1 < journal->first ? journal->first : since + 1;
	struct strbuf sb = { 0 };
	char *text;

	if (since && since + 1 < journal->first && journal->first <= journal->told) {
		struct json_writer *w = json_writer_new(false);

		if (w)
			write_gap(w);
		add_line(&sb, w);
	}
	for (size_t n = 0; at <= journal->told && n < most; at++, n++) {
		struct json_writer *w = json_writer_new(false);

		if (w)
			write_entry(master, &journal->entries[at % ENTRIES], at, w);
		if (add_line(&sb, w) < 0)
			break;
	}
	*ret_len = sb.len;
	if (!sb.len)
		return NULL;
	text = strbuf_take(&sb);
	if (text)
		*ret_last = at - 1;
	return text;
}
