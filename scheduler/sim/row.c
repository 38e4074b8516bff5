/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/row.h"

#include <errno.h>

int row_number(struct csv *csv, const char *name, int64_t max, int64_t *ret, struct err *err)
{
	int column = csv_column(csv, name, err);

	return column < 0 ? column : csv_number(csv, column, 0, max, ret, err);
}

int row_text(struct csv *csv, const char *name, const char **ret, struct err *err)
{
	int column = csv_column(csv, name, err);

	if (column < 0)
		return column;
	*ret = csv_string(csv, column);
	return 0;
}

int row_new_name(struct csv *csv, const char *column, struct symbols *names, struct err *err)
{
	const char *name;
	uint32_t symbol;

	err_try(row_text(csv, column, &name, err));
	if (!*name)
		return csv_bad(csv, csv_find(csv, column), err, "a name is needed");
	if (!names->names && symbols_init(names) < 0)
		return ROW_OUT_OF_MEMORY(err);
	if (symbol_find(names, name))
		return csv_bad(csv, csv_find(csv, column), err, "'%.60s' came before", name);
	return symbol_intern(names, name, &symbol) < 0 ? ROW_OUT_OF_MEMORY(err) : 0;
}

struct trace_task *row_new_task(struct trace *trace, bool new_job)
{
	struct trace_job *job = new_job ? trace_add_job(trace) : &trace->jobs[trace->job_count - 1];
	struct trace_task *task = job ? trace_add_task(trace) : NULL;

	if (!task)
		return NULL;
	task->job = (uint32_t)(trace->job_count - 1);
	task->end_ms = TRACE_NEVER;
	if (new_job)
		job->first = (uint32_t)(trace->task_count - 1);
	job->count++;
	return task;
}

int row_optional(struct csv *csv, const char *name, int64_t max, int64_t *ret, struct err *err)
{
	int column = csv_find(csv, name);

	if (column < 0 || !*csv_string(csv, column))
		return 0;
	return csv_number(csv, column, 0, max, ret, err);
}

const char *row_optional_text(struct csv *csv, const char *name)
{
	int column = csv_find(csv, name);

	return column < 0 ? "" : csv_string(csv, column);
}
