/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of traces by name: a row becomes a task or a machine. docs/simulator.md has the
 * columns. */
#include <errno.h>
#include <string.h>

#include "scheduler/sim/row.h"

static const struct format {
	const char *name;
	int (*task)(struct trace *trace, struct csv *csv, struct err *err);
	int (*machine)(struct trace *trace, struct csv *csv, struct err *err);
	/* All columns there are, of a format of our own: a misspelt one is told. NULL: any. */
	const char *const *task_columns, *const *machine_columns;
} formats[] = {
	{ "azure-v1", azure_task, NULL, NULL, NULL },
	{ "openb", openb_task, openb_machine, NULL, NULL },
	{ "huawei", huawei_task, huawei_machine, NULL, NULL },
	{ "cellar", cellar_task, cellar_machine, cellar_task_columns, cellar_machine_columns },
};

static const struct format *find_format(const char *name, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	err_say(err, EINVAL, "'%s' is no format of a trace: azure-v1, openb, huawei or cellar",
		name);
	return NULL;
}

static int parse(struct trace *trace, struct csv *csv,
		 int (*row)(struct trace *trace, struct csv *csv, struct err *err),
		 const char *const *columns, struct err *err)
{
	int r = columns ? csv_only(csv, columns, err) : 0;

	if (r < 0)
		return r;
	if (!trace->arena && !(trace->arena = arena_new()))
		return ROW_OUT_OF_MEMORY(err);
	while ((r = csv_next(csv, err)) > 0)
		err_try(row(trace, csv, err));
	return r;
}

int trace_parse_tasks(struct trace *trace, const char *format, struct csv *csv, struct err *err)
{
	const struct format *f = find_format(format, err);

	err_try(f ? parse(trace, csv, f->task, f->task_columns, err) : -EINVAL);
	return f->task == huawei_task ? huawei_gather(trace, err) : 0;
}

int trace_parse_machines(struct trace *trace, const char *format, struct csv *csv, struct err *err)
{
	const struct format *f = find_format(format, err);

	if (!f)
		return -EINVAL;
	if (!f->machine)
		return err_say(err, EINVAL, "%s has no machines: give --shape and --count", format);
	return parse(trace, csv, f->machine, f->machine_columns, err);
}

int trace_read_tasks(struct trace *trace, const char *format, const char *path, struct err *err)
{
	_cleanup_csv_ struct csv *csv = NULL;
	int r = find_format(format, err) ? csv_open(path, &csv, err) : -EINVAL;

	return r < 0 ? r : trace_parse_tasks(trace, format, csv, err);
}

int trace_read_machines(struct trace *trace, const char *format, const char *path, struct err *err)
{
	_cleanup_csv_ struct csv *csv = NULL;
	int r = find_format(format, err) ? csv_open(path, &csv, err) : -EINVAL;

	return r < 0 ? r : trace_parse_machines(trace, format, csv, err);
}
