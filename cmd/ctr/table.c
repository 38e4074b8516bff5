/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/tame.h"

#define GAP 3

int table_add(struct table *table, const char *fmt, ...)
{
	va_list args;
	char *cell;
	int n;

	if (table->count == table->size) {
		size_t size = table->size ? 2 * table->size : 64;
		char **cells = realloc(table->cells, size * sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		table->cells = cells;
		table->size = size;
	}
	va_start(args, fmt);
	n = vasprintf(&cell, fmt, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	tame(cell);
	table->cells[table->count++] = cell;
	return 0;
}

/* Characters of UTF-8. */
static int width_of(const char *cell)
{
	int width = 0;

	for (; *cell; cell++)
		width += ((unsigned char)*cell & 0xc0) != 0x80;
	return width;
}

static void measure(const struct table *table, int widths[static TABLE_COLUMNS_MAX])
{
	for (size_t i = 0; i < table->count; i++) {
		int len = width_of(table->cells[i]), *width = &widths[i % table->columns];

		*width = len > *width ? len : *width;
	}
}

void table_fit(struct table *table, size_t width, const size_t *order, size_t order_count)
{
	int widths[TABLE_COLUMNS_MAX] = { 0 };
	size_t line = 0;

	measure(table, widths);
	for (size_t i = 0; i < table->columns; i++)
		line += (size_t)widths[i] + (i + 1 < table->columns ? GAP : 0);
	for (size_t i = 0; i < order_count && line > width; i++) {
		table->left_out[order[i]] = true;
		line -= (size_t)widths[order[i]] + GAP;
	}
}

void table_print(const struct table *table, FILE *out)
{
	int widths[TABLE_COLUMNS_MAX] = { 0 };

	measure(table, widths);
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;
		int gap = widths[column] + GAP - width_of(table->cells[i]);

		if (column + 1 == table->columns)
			fprintf(out, "%s\n", table->cells[i]);
		else if (!table->left_out[column])
			fprintf(out, "%s%*s", table->cells[i], gap, "");
	}
}

void table_deinit(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){ .columns = table->columns };
}
