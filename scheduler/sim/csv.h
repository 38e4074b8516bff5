/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV with a header, plain or gzip: columns are found by name, cells may be quoted. Whatever is
 * wrong is told as "FILE:LINE:COLUMN: what".
 *
 *	csv_open("vms.csv.gz", &csv, err);
 *	cpu = csv_column(csv, "cpu_milli", err);
 *	while ((r = csv_next(csv, err)) > 0)
 *		csv_number(csv, cpu, 0, AMOUNT_MAX, &milli, err);
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct csv;

int csv_open(const char *path, struct csv **ret, struct err *err);
/* The same from memory, for tests and fuzzing; text is copied. */
int csv_open_text(const char *name, const char *text, size_t len, struct csv **ret,
		  struct err *err);
struct csv *csv_close(struct csv *csv);

/* The column's number, -EINVAL where the header lacks it; csv_find gives -1 without an error. */
int csv_column(const struct csv *csv, const char *name, struct err *err);
int csv_find(const struct csv *csv, const char *name);

/* -EINVAL where the header has a column that is not among these. NULL-terminated. */
int csv_only(const struct csv *csv, const char *const *names, struct err *err);

/* The next row: 1, 0 at the end, <0. A row of another length than the header is refused. */
int csv_next(struct csv *csv, struct err *err);
size_t csv_line(const struct csv *csv);

/* Cells of the row. A string is valid until the next row. */
const char *csv_string(const struct csv *csv, int column);
int csv_number(const struct csv *csv, int column, int64_t min, int64_t max, int64_t *ret,
	       struct err *err);
/* Sets "FILE:LINE:COLUMN: text" for a cell that makes no sense. Returns -EINVAL. */
int csv_bad(const struct csv *csv, int column, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

CLEANUP_DEFINE(struct csv, csv, csv_close);
#define _cleanup_csv_ _cleanup_(cleanup_csv)
