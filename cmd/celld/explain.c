/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/celld/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/why.h"

/* A name may have a slash in it: all of the text is tried first. */
static int find_job(const struct cell *cell, const char *text, uint32_t *ret_job, char **ret_index,
		    struct err *err)
{
	_cleanup_free_ char *name = strdup(text);
	char *slash = name ? strrchr(name, '/') : NULL;

	*ret_index = NULL;
	*ret_job = cell_find_job(cell, text);
	if (*ret_job != NOBODY)
		return 0;
	if (slash) {
		*slash = '\0';
		*ret_job = cell_find_job(cell, name);
		*ret_index = slash + 1 - name + (char *)text;
	}
	return *ret_job != NOBODY
		       ? 0
		       : err_say(err, ENOENT, "there is no job %s in the cell now", text);
}

static uint32_t first_pending(const struct cell *cell, uint32_t job)
{
	struct task_view view;
	uint32_t task;

	for (uint32_t i = 0; (task = cell_job_task(cell, job, i)) != NOBODY; i++) {
		cell_task(cell, task, &view);
		if (view.state == TASK_PENDING)
			return task;
	}
	return cell_job_task(cell, job, 0);
}

static int find_task(const struct cell *cell, const char *text, uint32_t *ret, struct err *err)
{
	unsigned long index;
	char *number, *end;
	uint32_t job;

	err_try(find_job(cell, text, &job, &number, err));
	if (!number) {
		*ret = first_pending(cell, job);
		return 0;
	}
	index = strtoul(number, &end, 10);
	*ret = *number < '0' || *number > '9' || *end || index >= NOBODY
		       ? NOBODY
		       : cell_job_task(cell, job, (uint32_t)index);
	if (*ret != NOBODY)
		return 0;
	return err_say(err, ENOENT, "job %s has no task '%s'", cell_job_name(cell, job), number);
}

int explain(struct cell *cell, const char *text, FILE *out, struct err *err)
{
	char lines[WHY_TEXT_SIZE];
	struct machine_view machine;
	struct task_view view;
	struct why why;
	uint32_t task;

	err_try(find_task(cell, text, &task, err));
	cell_task(cell, task, &view);
	if (view.state == TASK_PENDING) {
		err_try(cell_why(cell, task, &why, err));
		why_format(cell, task, &why, lines);
		fputs(lines, out);
		return 0;
	}
	if (view.state == TASK_ENDED || cell_machine(cell, view.machine, &machine) < 0)
		fprintf(out, "%s/%u has ended\n", cell_job_name(cell, view.job), view.index);
	else
		fprintf(out, "%s/%u %s on machine %s since %.3f s\n", cell_job_name(cell, view.job),
			view.index, view.paused ? "is paused" : "runs", machine.name,
			(double)view.since_ms / 1000);
	return 0;
}
