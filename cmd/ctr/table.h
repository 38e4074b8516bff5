/* SPDX-License-Identifier: Apache-2.0 */
/* Columns for people: every cell is kept until all are known, so that they align. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"

#define TABLE_COLUMNS_MAX 12

struct table {
	size_t columns; /* set by who makes it */
	char **cells;	/* owned */
	size_t count, size;
	bool left_out[TABLE_COLUMNS_MAX]; /* by table_fit() */
};

/* Appends a cell, from left to right, line after line; -ENOMEM. */
int table_add(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Leaves columns out, in this order, until a line is no wider than width, or none of them is left.
 * The table's last column cannot be among them. */
void table_fit(struct table *table, size_t width, const size_t *order, size_t order_count);
void table_print(const struct table *table, FILE *out);
void table_deinit(struct table *table);

#define _cleanup_table_ _cleanup_(table_deinit)
