/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cell with a real master and a real store, whose machines are made up: what an agent would say
 * is said by the test, and what the master wants of it is done at once. Time stands still unless
 * the test lets it go on.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "scheduler/master/inside.h"
#include "tests/unit/scratch.h"

#define MS INT64_C(1000000)
#define FAKE_TASKS 160
#define FAKE_MACHINES 12
#define MIB (INT64_C(1) << 20)

struct fake_task {
	char name[TASK_NAME_SIZE];
	uint64_t incarnation;
	enum report_state state;
	int exit_code;
	bool evicted;
	bool paused, leaving, checkpoint, restored;
	int64_t notice_ms, fence_ms;
	int64_t used_cpu_milli, used_memory_bytes;
	char ports[64]; /* "name=host:container " of each */
	char env[256];
};

struct fake_kept {
	char name[TASK_NAME_SIZE];
	uint64_t incarnation;
};

struct fake_machine {
	struct fake_cell *cell;
	char name[16], rack[16];
	int64_t cpu_milli, memory_bytes;
	bool cut;		   /* from the master */
	bool pressed;		   /* says that it has no memory left */
	bool slow;		   /* what leaves is still there */
	const char *no_checkpoint; /* why it can make none, or NULL */
	struct fake_kept kept[FAKE_TASKS];
	size_t kept_count;
	bool poked;
	uint64_t heard_epoch, heard;
	struct fake_task tasks[FAKE_TASKS];
	size_t count;
	struct master_contact contact;
};

struct fake_cell {
	char dir[32], store[48];
	struct loop *loop;
	struct master *master;
	int64_t now_ns;
	struct fake_machine machines[FAKE_MACHINES];
	size_t count;
	struct master_options options;
};

static const struct caller fake_operator = { .name = "test",
					     .role = CALLER_OPERATOR,
					     .uid = CALLER_NO_UID };

static inline int64_t fake_clock(void *data)
{
	return ((struct fake_cell *)data)->now_ns;
}

static inline void fake_poke(void *data)
{
	((struct fake_machine *)data)->poked = true;
}

static inline void fake_begin(struct fake_cell *cell)
{
	struct err err = { 0 };

	cell->options.store_path = cell->store;
	cell->options.who = "test";
	cell->options.clock_ns = fake_clock;
	cell->options.clock_data = cell;
	assert_int_equal(loop_new(&cell->loop, &err), 0);
	if (master_new(cell->loop, &cell->options, &cell->master, &err) < 0)
		fail_msg("%s", err.text);
}

static inline struct fake_cell *fake_new(void)
{
	struct fake_cell *cell = calloc(1, sizeof(*cell));

	assert_non_null(cell);
	assert_return_code(scratch_make("fake", cell->dir, sizeof(cell->dir)), errno);
	snprintf(cell->store, sizeof(cell->store), "%s/cell.db", cell->dir);
	cell->now_ns = 1000000 * MS;
	return cell;
}

static inline void fake_check(struct fake_cell *cell)
{
	struct err err = { 0 };

	if (cell_check(cell->master->cell, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void fake_end(struct fake_cell *cell)
{
	cell->master = master_free(cell->master);
	loop_free(cell->loop);
}

static inline void fake_free(struct fake_cell *cell)
{
	static const char *const names[] = { "cell.db", "cell.db-wal", "cell.db-shm", "cell.db.key",
					     "cell.db.audit" };
	char file[64];

	fake_check(cell);
	fake_end(cell);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(file, sizeof(file), "%s/%s", cell->dir, names[i]);
		unlink(file);
	}
	assert_int_equal(rmdir(cell->dir), 0);
	free(cell);
}

/* ---- machines ---- */

static inline struct fake_machine *fake_machine(struct fake_cell *cell, const char *name,
						const char *rack, int64_t cpu_milli)
{
	struct fake_machine *m = &cell->machines[cell->count++];

	assert_true(cell->count <= FAKE_MACHINES);
	m->cell = cell;
	snprintf(m->name, sizeof(m->name), "%s", name);
	snprintf(m->rack, sizeof(m->rack), "%s", rack);
	m->cpu_milli = cpu_milli;
	m->memory_bytes = 1024 * MIB;
	m->contact = (struct master_contact){ .data = m, .poke = fake_poke };
	return m;
}

static inline struct fake_task *fake_task(struct fake_machine *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->tasks[i].name, name) == 0 && !m->tasks[i].leaving)
			return &m->tasks[i];
	return NULL;
}

static inline void fake_drop(struct fake_machine *m, struct fake_task *task)
{
	*task = m->tasks[--m->count];
}

static inline void fake_keep(struct fake_machine *m, const struct fake_task *task)
{
	struct fake_kept *kept = &m->kept[m->kept_count++];

	assert_true(m->kept_count <= FAKE_TASKS);
	memcpy(kept->name, task->name, sizeof(kept->name));
	kept->incarnation = task->incarnation;
}

/* Whether it was there. */
static inline bool fake_unkeep(struct fake_machine *m, const char *name, uint64_t incarnation)
{
	for (size_t i = 0; i < m->kept_count; i++)
		if (m->kept[i].incarnation == incarnation && strcmp(m->kept[i].name, name) == 0) {
			m->kept[i] = m->kept[--m->kept_count];
			return true;
		}
	return false;
}

static inline void fake_take_program(struct fake_task *task, const struct program *p)
{
	*task->ports = *task->env = '\0';
	for (size_t i = 0; i < p->port_count; i++)
		snprintf(task->ports + strlen(task->ports),
			 sizeof(task->ports) - strlen(task->ports), "%s=%d:%d ", p->ports[i].name,
			 p->ports[i].host, p->ports[i].container);
	for (size_t i = 0; p->env && p->env[i]; i++)
		snprintf(task->env + strlen(task->env), sizeof(task->env) - strlen(task->env),
			 "%s ", p->env[i]);
}

static inline void fake_want(struct fake_machine *m, const struct want *want, bool *wanted)
{
	struct fake_task *task = NULL;

	for (size_t i = 0; i < m->count && !task; i++)
		if (strcmp(m->tasks[i].name, want->task) == 0 &&
		    m->tasks[i].incarnation == want->incarnation)
			task = &m->tasks[i];
	if (!task) {
		if (!want->program || want->ended || want->leaving)
			return;
		assert_true(m->count < FAKE_TASKS);
		task = &m->tasks[m->count++];
		*task = (struct fake_task){ .incarnation = want->incarnation,
					    .state = REPORT_RUNNING,
					    .exit_code = -1,
					    .used_cpu_milli = -1,
					    .used_memory_bytes = -1 };
		snprintf(task->name, sizeof(task->name), "%s", want->task);
		fake_take_program(task, want->program);
		task->restored = want->kept && fake_unkeep(m, want->task, want->kept);
	}
	wanted[task - m->tasks] = !want->leaving || m->slow;
	task->paused = want->paused;
	task->leaving = want->leaving;
	task->checkpoint = want->checkpoint;
	task->notice_ms = want->notice_ms;
	task->fence_ms = want->fence_ms;
}

static inline void fake_apply(struct fake_machine *m, const char *text, size_t len)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	bool wanted[FAKE_TASKS] = { 0 };
	struct machine_wants wants;
	struct err err = { 0 };

	if (machine_wants_parse(text, len, arena, &wants, &err) < 0)
		fail_msg("%s", err.text);
	m->heard_epoch = wants.epoch;
	m->heard = wants.number;
	for (size_t i = 0; i < wants.task_count; i++)
		fake_want(m, &wants.tasks[i], wanted);
	for (size_t i = 0; i < wants.drop_count; i++)
		fake_unkeep(m, wants.drop[i].task, wants.drop[i].incarnation);
	for (size_t i = m->count; i-- > 0;) {
		if (wanted[i])
			continue;
		if (m->tasks[i].leaving && m->tasks[i].checkpoint && !m->no_checkpoint)
			fake_keep(m, &m->tasks[i]);
		fake_drop(m, &m->tasks[i]);
	}
}

/* One exchange with the master. */
static inline void fake_sync(struct fake_machine *m)
{
	struct report reports[FAKE_TASKS];
	struct task_kept kept[FAKE_TASKS];
	struct machine_report report = { .machine = m->name,
					 .rack = m->rack,
					 .cpu_milli = m->cpu_milli,
					 .memory_bytes = m->memory_bytes,
					 .disk_bytes = 1024 * MIB,
					 .pressed = m->pressed,
					 .heard_epoch = m->heard_epoch,
					 .heard = m->heard,
					 .tasks = reports,
					 .task_count = m->count,
					 .kept = kept,
					 .kept_count = m->kept_count };
	_cleanup_free_ char *text = NULL, *answer = NULL;
	struct err err = { 0 };
	size_t len = 0;

	for (size_t i = 0; i < m->count; i++)
		reports[i] = (struct report){
			.task = m->tasks[i].name,
			.incarnation = m->tasks[i].incarnation,
			.state = m->tasks[i].leaving ? REPORT_STOPPING : m->tasks[i].state,
			.exit_code = m->tasks[i].exit_code,
			.evicted = m->tasks[i].evicted,
			.restored = m->tasks[i].restored,
			.no_checkpoint = m->tasks[i].checkpoint ? m->no_checkpoint : NULL,
			.used_cpu_milli = m->tasks[i].used_cpu_milli,
			.used_memory_bytes = m->tasks[i].used_memory_bytes,
		};
	for (size_t i = 0; i < m->kept_count; i++)
		kept[i] = (struct task_kept){ m->kept[i].name, m->kept[i].incarnation };
	m->poked = false;
	text = machine_report_format(&report, &len);
	assert_non_null(text);
	if (master_sync(m->cell->master, text, len, &m->contact, &answer, &len, &err) < 0)
		fail_msg("%s", err.text);
	fake_apply(m, answer, len);
}

/* All machines that are not cut, until nobody has news for them. */
static inline void fake_beat(struct fake_cell *cell)
{
	for (size_t i = 0; i < cell->count; i++)
		if (!cell->machines[i].cut)
			fake_sync(&cell->machines[i]);
	for (unsigned round = 0; round < 20; round++)
		for (size_t i = 0; i < cell->count; i++)
			if (!cell->machines[i].cut && cell->machines[i].poked)
				fake_sync(&cell->machines[i]);
	fake_check(cell);
}

/* Time goes on, with a beat each half second. */
static inline void fake_pass(struct fake_cell *cell, int64_t ms)
{
	while (ms > 0) {
		int64_t step = ms < 500 ? ms : 500;

		cell->now_ns += step * MS;
		ms -= step;
		machines_watch(cell->master);
		master_settle(cell->master);
		fake_beat(cell);
	}
}

/* ---- jobs ---- */

static inline void fake_submit(struct fake_cell *cell, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static inline void fake_submit(struct fake_cell *cell, const char *fmt, ...)
{
	char text[2048];
	struct err err = { 0 };
	const char *job;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (master_submit(cell->master, &fake_operator, "job.yaml", text, strlen(text), &job,
			  &err) < 0)
		fail_msg("%s", err.text);
	fake_beat(cell);
}

/* A job file of count tasks; more: further lines of it. */
#define FAKE_JOB(name, priority, count, cpu, more)                                           \
	"job: " name "\nowner: o\npriority: " #priority "\n" more "tasks:\n  count: " #count \
	"\n  image: i\n  resources: {cpu: " cpu ", memory: 1Mi}\n"

/* How many of a job's tasks run, on any machine, cut or not. */
static inline unsigned fake_running(const struct fake_cell *cell, const char *job)
{
	size_t len = strlen(job);
	unsigned n = 0;

	for (size_t i = 0; i < cell->count; i++)
		for (size_t t = 0; t < cell->machines[i].count; t++)
			n += strncmp(cell->machines[i].tasks[t].name, job, len) == 0 &&
			     cell->machines[i].tasks[t].name[len] == '/' &&
			     !cell->machines[i].tasks[t].paused &&
			     cell->machines[i].tasks[t].state == REPORT_RUNNING;
	return n;
}

static inline unsigned fake_paused(const struct fake_cell *cell)
{
	unsigned n = 0;

	for (size_t i = 0; i < cell->count; i++)
		for (size_t t = 0; t < cell->machines[i].count; t++)
			n += cell->machines[i].tasks[t].paused;
	return n;
}

/* What `ctr job status -o json` would show; the caller's. */
static inline char *fake_status(struct fake_cell *cell, const char *job)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	struct err err = { 0 };
	size_t len;

	assert_non_null(w);
	if (master_write_job(cell->master, job, w, &err) < 0)
		fail_msg("%s", err.text);
	return json_writer_take(w, &len);
}
