/* SPDX-License-Identifier: Apache-2.0 */
/* A job of the trace becomes one of the cell. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sim/run_state.h"

static int remember_job(struct run *run, uint32_t job, uint32_t trace_job)
{
	if (job >= run->job_size) {
		size_t size = run->job_size ? run->job_size * 2 : 1024;
		uint32_t *more = reallocarray(run->trace_job, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		run->trace_job = more;
		run->job_size = size;
	}
	run->trace_job[job] = trace_job;
	return 0;
}

/* The overrides of a job: tasks that ask for something else than its first. */
static struct task_override *list_overrides(const struct trace *trace, const struct trace_job *job,
					    size_t *ret_count)
{
	const struct trace_task *tasks = &trace->tasks[job->first];
	struct task_override *list = calloc(job->count, sizeof(*list));

	*ret_count = 0;
	for (uint32_t i = 1; list && i < job->count; i++)
		if (memcmp(&tasks[i].request, &tasks[0].request, sizeof(tasks[0].request)) != 0)
			list[(*ret_count)++] = (struct task_override){ i, tasks[i].request };
	return list;
}

/* What it starts after and is not over yet. */
static const char **list_after(const struct run *run, const struct trace_job *job,
			       size_t *ret_count)
{
	const char **list = calloc(job->after_count + 1, sizeof(*list));

	*ret_count = 0;
	for (size_t i = 0; list && i < job->after_count; i++)
		if (cell_find_job(run->cell, job->after[i]) != NOBODY)
			list[(*ret_count)++] = job->after[i];
	return list;
}

int run_submit(struct run *run, uint32_t j, uint32_t *ret, struct err *err)
{
	const struct trace_job *from = &run->trace->jobs[j];
	struct job job = {
		.name = from->name,
		.owner = from->owner,
		.priority = from->priority,
		.count = from->count,
		.request = run->trace->tasks[from->first].request,
		.spread = from->spread,
		.constraints = from->constraints,
		.constraint_count = from->constraint_count,
		.device_model = from->device_model,
	};
	_cleanup_free_ const char **after = list_after(run, from, &job.after_count);
	_cleanup_free_ struct task_override *overrides =
		list_overrides(run->trace, from, &job.override_count);
	int r = overrides && after ? 0 : err_set(err, ENOMEM, "submit job %s", from->name);

	job.overrides = overrides;
	job.after = after;
	if (r == 0)
		r = cell_submit(run->cell, &job, ret, err);
	if (r == 0 && remember_job(run, *ret, j) < 0)
		r = err_set(err, ENOMEM, "submit job %s", from->name);
	run->left[j] = from->count;
	return r;
}
