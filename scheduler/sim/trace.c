/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sim/row.h"
#define MIB ((int64_t)1 << 20)

#define GROW(array, count, size)                                                    \
	({                                                                          \
		void *grown_ = (array);                                             \
		if ((count) == (size)) {                                            \
			size_t grow_size_ = (size) ? (size)*2 : 1024;               \
			grown_ = reallocarray(array, grow_size_, sizeof(*(array))); \
			if (grown_) {                                               \
				(array) = grown_;                                   \
				(size) = grow_size_;                                \
			}                                                           \
		}                                                                   \
		grown_ ? memset(&(array)[(count)++], 0, sizeof(*(array))) : NULL;   \
	})

struct trace_task *trace_add_task(struct trace *trace)
{
	return GROW(trace->tasks, trace->task_count, trace->task_size);
}

struct trace_job *trace_add_job(struct trace *trace)
{
	return GROW(trace->jobs, trace->job_count, trace->job_size);
}

struct machine_spec *trace_add_machine(struct trace *trace)
{
	return GROW(trace->machines, trace->machine_count, trace->machine_size);
}

void trace_deinit(struct trace *trace)
{
	arena_free(trace->arena);
	free(trace->tasks);
	free(trace->jobs);
	free(trace->machines);
	symbols_deinit(&trace->job_names);
	symbols_deinit(&trace->machine_names);
	*trace = (struct trace){ 0 };
}

static int parse_shape(const char *text, struct amounts *ret, struct err *err)
{
	int64_t cpu, memory;
	int end = -1;

	if (sscanf(text, "%" SCNd64 ":%" SCNd64 "%n", &cpu, &memory, &end) != 2 || text[end] ||
	    cpu < 1 || memory < 1 || cpu > ROW_CPU_MAX || memory > AMOUNT_MAX / MIB)
		return err_say(
			err, EINVAL,
			"'%s' is no shape of a machine: CPU_MILLI:MEMORY_MIB, as 64000:196608",
			text);
	*ret = (struct amounts){ { cpu, memory * MIB, (int64_t)1 << 40, 65536 } };
	return 0;
}

int trace_make_machines(struct trace *trace, const char *const *shapes, size_t shape_count,
			size_t count, struct err *err)
{
	trace->machine_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct machine_spec *m = trace_add_machine(trace);
		int r;

		if (!m)
			return err_set(err, ENOMEM, "make %zu machines", count);
		m->name = arena_printf(trace->arena, "m%zu", i);
		r = parse_shape(shapes[i % shape_count], &m->capacity, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- over time ---- */

struct change {
	int64_t at_ms;
	int sign;
	const struct request *request;
};

/* What ends goes before what comes. */
static int by_time(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return x->sign - y->sign;
}

static struct change *list_changes(const struct trace *trace, size_t *ret_count)
{
	struct change *changes = calloc(2 * trace->task_count + 1, sizeof(*changes));

	*ret_count = 0;
	for (size_t i = 0; changes && i < trace->task_count; i++) {
		const struct trace_task *t = &trace->tasks[i];

		changes[(*ret_count)++] = (struct change){ t->arrive_ms, 1, &t->request };
		if (t->end_ms != TRACE_NEVER)
			changes[(*ret_count)++] = (struct change){ t->end_ms, -1, &t->request };
	}
	if (changes)
		qsort(changes, *ret_count, sizeof(*changes), by_time);
	return changes;
}

static void raise_peak(struct trace_peak *peak, const struct trace_peak *now)
{
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (now->amounts.of[r] > peak->amounts.of[r])
			peak->amounts.of[r] = now->amounts.of[r];
	if (now->devices_milli > peak->devices_milli)
		peak->devices_milli = now->devices_milli;
}

static int walk(const struct trace *trace, struct trace_peak *peak, int64_t *ret_cpu_peak_ms)
{
	struct trace_peak now = { 0 };
	size_t count;
	_cleanup_free_ struct change *changes = list_changes(trace, &count);

	if (!changes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct request *request = changes[i].request;

		for (int r = 0; r < RESOURCE_COUNT; r++)
			now.amounts.of[r] += changes[i].sign * request->amounts.of[r];
		now.devices_milli +=
			changes[i].sign * (int64_t)request->device_count * request->device_milli;
		if (now.amounts.of[RESOURCE_CPU] > peak->amounts.of[RESOURCE_CPU])
			*ret_cpu_peak_ms = changes[i].at_ms;
		raise_peak(peak, &now);
	}
	return 0;
}

int64_t trace_peak_ms(const struct trace *trace)
{
	struct trace_peak peak = { 0 };
	int64_t at_ms = 0;

	walk(trace, &peak, &at_ms);
	return at_ms;
}

int trace_peak(const struct trace *trace, struct trace_peak *ret)
{
	int64_t at_ms;

	*ret = (struct trace_peak){ 0 };
	return walk(trace, ret, &at_ms);
}

void trace_snapshot(struct trace *trace, int64_t at_ms)
{
	size_t tasks = 0, jobs = 0;

	for (size_t j = 0; j < trace->job_count; j++) {
		struct trace_job job = trace->jobs[j];
		size_t first = tasks;

		for (uint32_t i = 0; i < job.count; i++) {
			struct trace_task task = trace->tasks[job.first + i];

			if (task.arrive_ms > at_ms || task.end_ms <= at_ms)
				continue;
			task.end_ms = TRACE_NEVER;
			task.job = (uint32_t)jobs;
			trace->tasks[tasks++] = task;
		}
		job.first = (uint32_t)first;
		job.count = (uint32_t)(tasks - first);
		if (job.count)
			trace->jobs[jobs++] = job;
	}
	trace->task_count = tasks;
	trace->job_count = jobs;
}
