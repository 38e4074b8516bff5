/* SPDX-License-Identifier: Apache-2.0 */
/* Answers for people. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cellar-cell/verbs.h"
#include "cmd/ctr/table.h"

#define MS_PER_S 1000

int print_json(const struct json_node *node, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (w)
		json_put_value(w, node);
	text = w ? json_writer_take(w, &len) : NULL;
	if (!text)
		return err_set(err, ENOMEM, "print");
	printf("%s%s", text, len && text[len - 1] == '\n' ? "" : "\n");
	return 0;
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

const char *print_cpu(const struct ask *ask, int64_t milli)
{
	return or_nothing(arena_printf(ask->arena, "%" PRId64 "m", milli));
}

/* The largest unit in which three digits or a whole number say it. */
const char *print_bytes(const struct ask *ask, int64_t bytes)
{
	static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti" };
	double n = (double)bytes;
	size_t unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) &&
	       (n >= 10240 || n <= -10240 || (bytes && bytes % 1024 == 0))) {
		n /= 1024;
		bytes = bytes % 1024 == 0 ? bytes / 1024 : 1;
		unit++;
	}
	return or_nothing(arena_printf(ask->arena, "%.0f%s", n, units[unit]));
}

const char *print_time(const struct ask *ask, int64_t ms)
{
	time_t s = ms / MS_PER_S;
	char text[32];
	struct tm tm;

	if (!ms || !localtime_r(&s, &tm) || !strftime(text, sizeof(text), "%F %T", &tm))
		return "";
	return or_nothing(arena_strdup(ask->arena, text));
}

static const char *format(const struct ask *ask, const struct column *column,
			  const struct json_node *row)
{
	if (column->text)
		return column->text(ask, row);
	switch (column->kind) {
	case COLUMN_NUMBER:
		return or_nothing(
			arena_printf(ask->arena, "%" PRId64, cell_number(row, column->key)));
	case COLUMN_CPU:
		return print_cpu(ask, cell_number(row, column->key));
	case COLUMN_BYTES:
		return print_bytes(ask, cell_number(row, column->key));
	case COLUMN_TIME:
		return print_time(ask, cell_number(row, column->key));
	default:
		return cell_text(ask, row, column->key);
	}
}

/* Columns in the order in which a narrow terminal goes without them. */
static void fit(struct table *table, const struct column *columns)
{
	size_t order[TABLE_COLUMNS_MAX], count = 0;
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return;
	for (int narrow = 1; narrow <= TABLE_COLUMNS_MAX; narrow++)
		for (size_t i = 0; i + 1 < table->columns; i++)
			if (columns[i].narrow == narrow)
				order[count++] = i;
	table_fit(table, size.ws_col, order, count);
}

void print_rows(const struct ask *ask, const struct column *columns, const struct json_node *array)
{
	_cleanup_table_ struct table table = { 0 };

	while (columns[table.columns].title)
		table.columns++;
	for (size_t i = 0; i < table.columns; i++)
		table_add(&table, "%s", columns[i].title);
	for (size_t row = 0; row < json_count(array); row++) {
		struct json_node node = json_at(array, row);

		for (size_t i = 0; i < table.columns; i++)
			table_add(&table, "%s", format(ask, &columns[i], &node));
	}
	fit(&table, columns);
	table_print(&table, stdout);
}
