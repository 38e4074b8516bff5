/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine is told: the whole of what it is to have, and who has to leave it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "scheduler/master/calls.h"
#include "scheduler/master/inside.h"
#include "scheduler/master/secrets.h"

#define NS_PER_MS INT64_C(1000000)
#define FNV_BASE UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static int add_task(struct master *master, struct held_task *task, struct arena *arena,
		    struct want *ret)
{
	struct program *program = arena_alloc(arena, sizeof(*program));
	uint64_t known;

	task->told = true;
	*ret = (struct want){
		.task = arena_printf(arena, "%s/%" PRIu32, task->job->file.job, task->index),
		.incarnation = task->incarnation,
		.ended = !task->live,
		.paused = task->paused,
		.program = task->live && !task->reported ? program : NULL,
		.notice_ms = -1,
		.kept = task->live && !task->reported ? kept_for(task) : 0,
		.fence_ms = task->job->file.single_instance ? master->fence_ns / NS_PER_MS : 0,
	};
	/* In place of what its program said when it was started. */
	if (task->job->amended) {
		struct job_resources now = amend_resources_of(task->job, task->index);

		ret->cpu_milli = now.cpu_milli;
		ret->memory_bytes = now.memory_bytes;
	}
	if (!ret->task || !program)
		return -ENOMEM;
	/* Who gets its program has nothing yet, whatever an agent before this one has said. */
	known = ret->program && task->job->file.tasks.secrets.count ? UINT64_MAX : task->secrets;
	if (secrets_want(master, task, known, arena, ret) < 0)
		return -ENOMEM;
	return ret->program ? job_program(master, task, arena, program) : 0;
}

/* An alloc is room, and nothing runs for it. */
static bool is_told(const struct master *master, struct held_task *task)
{
	task->held_back = !task->reported && leave_holds(master, task);
	return task->job->file.job && !task->held_back;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * FNV_PRIME;
	return hash;
}

/* Who is wanted; how is another matter. */
static uint64_t hash_of(const struct machine_wants *wants)
{
	uint64_t hash = FNV_BASE;

	for (size_t i = 0; i < wants->task_count; i++) {
		const struct want *want = &wants->tasks[i];

		hash = mix(hash, want->task, strlen(want->task) + 1);
		hash = mix(hash, &want->incarnation, sizeof(want->incarnation));
		hash = mix(hash, &want->leaving, sizeof(want->leaving));
	}
	return hash;
}

static void number_it(struct held_machine *machine, struct machine_wants *wants)
{
	uint64_t hash = hash_of(wants);

	if (!machine->told_number || hash != machine->told_hash)
		machine->told_number++;
	machine->told_hash = hash;
	wants->number = machine->told_number;
}

/* Of allocs the machine keeps the room, for their tasks. */
static int add_allocs(const struct held_machine *machine, struct arena *arena,
		      struct machine_wants *ret)
{
	struct want_alloc *list;
	size_t count = 0;

	for (struct held_task *task = machine->tasks; task; task = task->next_at)
		count += !task->job->file.job && task->live;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (struct held_task *task = machine->tasks; task; task = task->next_at) {
		struct want_alloc *alloc = &list[ret->alloc_count];
		struct job_resources now;

		if (task->job->file.job || !task->live)
			continue;
		ret->alloc_count++;
		now = amend_resources_of(task->job, task->index);
		*alloc = (struct want_alloc){
			.name = arena_printf(arena, "%s/%" PRIu32, task->job->file.alloc_set,
					     task->index),
			.cpu_milli = now.cpu_milli,
			.memory_bytes = now.memory_bytes,
		};
		if (!alloc->name)
			return -ENOMEM;
	}
	ret->allocs = list;
	return 0;
}

int wants_write(struct master *master, struct held_machine *machine, char **ret, size_t *ret_len,
		struct err *err)
{
	uint32_t number = (uint32_t)(machine - master->machines);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct machine_wants wants = { .epoch = master->epoch };
	size_t count = leave_count(master, number);
	struct want *list;
	int r = 0;

	for (struct held_task *task = machine->tasks; task; task = task->next_at)
		count++;
	list = arena ? arena_calloc(arena, count + 1, sizeof(*list)) : NULL;
	if (!list)
		return err_set(err, ENOMEM, "answer machine %s", machine->name);
	wants.tasks = list;
	wants.task_count = leave_write(master, number, list);
	for (struct held_task *task = machine->tasks; task && r == 0; task = task->next_at)
		if (is_told(master, task))
			r = add_task(master, task, arena, &list[wants.task_count++]);
	if (r == 0)
		r = add_allocs(machine, arena, &wants);
	if (r == 0)
		r = kept_write(master, number, arena, &wants);
	if (r == 0)
		r = calls_write(machine, arena, &wants);
	if (r == 0)
		r = reach_write(machine, arena, &wants);
	if (r == 0) {
		number_it(machine, &wants);
		*ret = machine_wants_format(&wants, ret_len);
	}
	return r == 0 && *ret ? 0 : err_set(err, ENOMEM, "answer machine %s", machine->name);
}
