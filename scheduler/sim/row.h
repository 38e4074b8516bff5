/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of trace formats share: cells of a row by name, and a new task of a trace. */
#pragma once

#include <stdbool.h>

#include "scheduler/sim/csv.h"
#include "scheduler/sim/trace.h"

#define ROW_MIB ((int64_t)1 << 20)
#define ROW_GIB ((int64_t)1 << 30)
#define ROW_SECONDS_MAX ((int64_t)1 << 40)
/* Where a trace tells nothing of a machine's disk and ports: plenty. */
#define ROW_DISK ((int64_t)1 << 40)
#define ROW_PORTS 65536
#define ROW_CPU_MAX 100000000 /* millicores: no machine has a hundred thousand cores */

#define ROW_OUT_OF_MEMORY(err) err_set(err, ENOMEM, "read a trace")

/* A number from 0 to max, a text ("" when empty, valid until the next row), in a column that must
 * be there. */
int row_number(struct csv *csv, const char *name, int64_t max, int64_t *ret, struct err *err);
int row_text(struct csv *csv, const char *name, const char **ret, struct err *err);
/* In one that may be missing or empty: then *ret stays, and the text is "". */
int row_optional(struct csv *csv, const char *name, int64_t max, int64_t *ret, struct err *err);
const char *row_optional_text(struct csv *csv, const char *name);

/* The name in that column is new: 0, or -EINVAL where it came before. */
int row_new_name(struct csv *csv, const char *column, struct symbols *names, struct err *err);

/* A task with a job of its own, or one more of the last job. NULL: out of memory. */
struct trace_task *row_new_task(struct trace *trace, bool new_job);

/* One row of each format, and what follows the last row of huawei's tasks. */
int azure_task(struct trace *trace, struct csv *csv, struct err *err);
int openb_task(struct trace *trace, struct csv *csv, struct err *err);
int openb_machine(struct trace *trace, struct csv *csv, struct err *err);
int huawei_task(struct trace *trace, struct csv *csv, struct err *err);
int huawei_machine(struct trace *trace, struct csv *csv, struct err *err);
int huawei_gather(struct trace *trace, struct err *err);
int cellar_task(struct trace *trace, struct csv *csv, struct err *err);
extern const char *const cellar_task_columns[], *const cellar_machine_columns[];
int cellar_machine(struct trace *trace, struct csv *csv, struct err *err);
