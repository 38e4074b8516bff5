/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace in memory: machines, and jobs with the times at which their tasks come and end. Read from
 * the CSV files of others as they stand, or from our own format (docs/simulator.md).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "scheduler/core/job.h"
#include "scheduler/core/machine.h"
#include "scheduler/core/symbol.h"

#define TRACE_NEVER INT64_MAX

/* One task; those of one job stand in a row. */
struct trace_task {
	int64_t arrive_ms, end_ms; /* TRACE_NEVER: still running when the trace ends */
	struct request request;
	uint32_t job;
};

struct trace_job {
	const char *name, *owner;
	uint32_t first, count; /* tasks */
	unsigned priority;
	struct spread_rule spread;
	const struct constraint *constraints;
	size_t constraint_count;
	const char *device_model; /* NULL: any */
	const char *const *after; /* names of jobs before it that have to be over */
	size_t after_count;
};

struct trace {
	struct arena *arena; /* of the strings */
	struct trace_task *tasks;
	size_t task_count, task_size;
	struct trace_job *jobs;
	size_t job_count, job_size;
	struct machine_spec *machines;
	size_t machine_count, machine_size;
	struct symbols job_names, machine_names; /* so far, where a format gives them */
	bool timed; /* else a list in order of arrival, of which nothing ends */
};

/* format: azure-v1, openb, huawei or cellar. */
int trace_read_tasks(struct trace *trace, const char *format, const char *path, struct err *err);
int trace_read_machines(struct trace *trace, const char *format, const char *path, struct err *err);
/* The same from text, for the fuzzer and tests. */
struct csv;
int trace_parse_tasks(struct trace *trace, const char *format, struct csv *csv, struct err *err);
int trace_parse_machines(struct trace *trace, const char *format, struct csv *csv, struct err *err);
/* Racks of huawei's machines: host_id,rack_id. */
int trace_read_racks(struct trace *trace, const char *path, struct err *err);

/* count machines of these shapes in turn; shape: CPU_MILLI:MEMORY_MIB. Replaces what is there. */
int trace_make_machines(struct trace *trace, const char *const *shapes, size_t shape_count,
			size_t count, struct err *err);

/* Leaves the tasks alive at that time, in order of arrival, none of which ends. */
void trace_snapshot(struct trace *trace, int64_t at_ms);
/* When most CPU is asked for. */
int64_t trace_peak_ms(const struct trace *trace);

/* Most asked for at one time, of each resource; devices in milli. */
struct trace_peak {
	struct amounts amounts;
	int64_t devices_milli;
};
int trace_peak(const struct trace *trace, struct trace_peak *ret);

void trace_deinit(struct trace *trace);

/* Appending, for the readers of formats. -ENOMEM. */
struct trace_task *trace_add_task(struct trace *trace);
struct trace_job *trace_add_job(struct trace *trace);
struct machine_spec *trace_add_machine(struct trace *trace);
