/* SPDX-License-Identifier: Apache-2.0 */
/* azure-v1: VMs of the Azure trace of 2017, in batches. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/map.h"
#include "scheduler/sim/row.h"

/* The trace has no priorities: three batches in ten, by hash, are best-effort batch. */
static unsigned synthetic_priority(int64_t batch)
{
	return hash_mix((uint64_t)batch) % 10 < 3 ? PRIORITY_BATCH : 200;
}

int azure_task(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t batch, arrive, cpu, memory, censored, end = 0;
	char name[32];
	struct trace_task *task;
	struct trace_job *job;

	err_try(row_number(csv, "batch", INT64_MAX - 1, &batch, err));
	err_try(row_number(csv, "arrive_s", ROW_SECONDS_MAX, &arrive, err));
	err_try(row_number(csv, "censored", 1, &censored, err));
	err_try(row_number(csv, "cpu_milli", AMOUNT_MAX, &cpu, err));
	err_try(row_number(csv, "memory_mib", AMOUNT_MAX / ROW_MIB, &memory, err));
	if (!censored) {
		err_try(row_number(csv, "end_s", ROW_SECONDS_MAX, &end, err));
		if (end < arrive)
			return csv_bad(csv, csv_find(csv, "end_s"), err, "it ends before it comes");
	}
	if (trace->task_count && trace->tasks[trace->task_count - 1].arrive_ms > arrive * 1000)
		return csv_bad(csv, csv_find(csv, "arrive_s"), err,
			       "rows must stand in order of arrival");
	snprintf(name, sizeof(name), "batch-%lld", (long long)batch);
	job = trace->job_count ? &trace->jobs[trace->job_count - 1] : NULL;
	task = row_new_task(trace, !job || strcmp(job->owner, name) != 0 ||
					   trace->tasks[job->first].arrive_ms != arrive * 1000);
	if (!task)
		return ROW_OUT_OF_MEMORY(err);
	job = &trace->jobs[trace->job_count - 1];
	if (job->count == 1) {
		job->name = arena_printf(trace->arena, "%s@%zu", name, csv_line(csv));
		job->owner = arena_strdup(trace->arena, name);
		job->priority = synthetic_priority(batch);
		if (!job->name || !job->owner)
			return ROW_OUT_OF_MEMORY(err);
	}
	task->arrive_ms = arrive * 1000;
	task->end_ms = censored ? TRACE_NEVER : end * 1000;
	task->request.amounts.of[RESOURCE_CPU] = cpu;
	task->request.amounts.of[RESOURCE_MEMORY] = memory * ROW_MIB;
	trace->timed = true;
	return 0;
}
