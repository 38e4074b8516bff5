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

void table_print(const struct table *table, FILE *out)
{
	int widths[TABLE_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < table->count; i++) {
		int len = (int)strlen(table->cells[i]), *width = &widths[i % table->columns];

		*width = len > *width ? len : *width;
	}
	for (size_t i = 0; i < table->count; i++) {
		if ((i + 1) % table->columns == 0)
			fprintf(out, "%s\n", table->cells[i]);
		else
			fprintf(out, "%-*s", widths[i % table->columns] + GAP, table->cells[i]);
	}
}

void table_deinit(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){ .columns = table->columns };
}
