/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: sim core */
/* Traces: whatever parses can be run, and every invariant holds after it. The first byte chooses
 * the format; a line "---" parts tasks from machines. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sim/csv.h"
#include "scheduler/sim/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(struct trace *trace, const char *format, const char *text, size_t len,
		 int (*fn)(struct trace *trace, const char *format, struct csv *csv,
			   struct err *err))
{
	_cleanup_csv_ struct csv *csv = NULL;
	struct err err = { 0 };
	int r = csv_open_text("input", text, len, &csv, &err);

	if (r == 0)
		r = fn(trace, format, csv, &err);
	assert(r == 0 || (err.code && err.text[0]));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { "azure-v1", "openb", "huawei", "cellar" };
	static const char *const shapes[] = { "4000:8192", "64000:196608" };
	struct run_options options = { .refuse = true, .refuse_limit = UINT64_MAX, .check = true };
	const char *text = (const char *)data + 1, *cut, *format;
	struct run_result result;
	struct trace trace = { 0 };
	struct err err = { 0 };
	size_t len;

	if (size < 2)
		return 0;
	format = formats[data[0] % 4];
	cut = memmem(text, size - 1, "\n---\n", 5);
	len = cut ? (size_t)(cut - text) : size - 1;
	if (parse(&trace, format, text, len, trace_parse_tasks) == 0 && trace.task_count < 200) {
		if (cut)
			parse(&trace, format, cut + 5, size - 1 - len - 5, trace_parse_machines);
		if (trace.machine_count || trace_make_machines(&trace, shapes, 2, 5, &err) == 0)
			/* A job the core refuses is told; a broken invariant is not to be. */
			assert(run_trace(&trace, trace.machine_count, NULL, &options, &result,
					 &err) == 0 ||
			       err.code != EUCLEAN);
	}
	trace_deinit(&trace);
	return 0;
}
