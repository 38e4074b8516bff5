/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/csv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define COLUMNS_MAX 64
#define TEXT_MAX ((size_t)4 << 30)

struct cell_text {
	char *text;
	size_t column; /* in the line, from 1 */
};

struct csv {
	char *name, *text, *at; /* the whole file; what comes next */
	size_t len, line;
	const char *header[COLUMNS_MAX];
	size_t columns[COLUMNS_MAX]; /* where they stand */
	size_t width;
	struct cell_text cells[COLUMNS_MAX];
};

struct csv *csv_close(struct csv *csv)
{
	if (!csv)
		return NULL;
	free(csv->name);
	free(csv->text);
	free(csv);
	return NULL;
}

static int bad_at(const struct csv *csv, size_t column, struct err *err, const char *what)
{
	return err_say(err, EINVAL, "%s:%zu:%zu: %s", csv->name, csv->line, column, what);
}

/* One cell from *at; moves past its comma. Quotes are taken away in place. */
static int read_cell(struct csv *csv, char *line, char **at, bool *ret_last, struct err *err)
{
	struct cell_text *cell = &csv->cells[csv->width];
	char *from = *at, *to = *at;

	cell->text = to;
	cell->column = (size_t)(from - line) + 1;
	if (*from == '"') {
		for (from++; *from && (*from != '"' || from[1] == '"'); from++) {
			from += *from == '"';
			*to++ = *from;
		}
		if (*from != '"')
			return bad_at(csv, cell->column, err, "a quote without its end");
		from++;
		if (*from && *from != ',')
			return bad_at(csv, (size_t)(from - line) + 1, err,
				      "something stands between a quote and its comma");
	} else {
		while (*from && *from != ',')
			from++;
		to = from;
	}
	*ret_last = !*from;
	*at = from + !*ret_last;
	*to = '\0';
	csv->width++;
	return 0;
}

static int read_row(struct csv *csv, struct err *err)
{
	size_t left = csv->len - (size_t)(csv->at - csv->text);
	char *line = csv->at, *end = memchr(line, '\n', left);
	bool last = false;
	int r;

	if (!left)
		return 0;
	csv->line++;
	end = end ? end : line + left;
	csv->at = end < csv->text + csv->len ? end + 1 : end;
	if (memchr(line, '\0', (size_t)(end - line)))
		return bad_at(csv, strlen(line) + 1, err, "a NUL byte");
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	csv->width = 0;
	for (char *at = line; !last;) {
		if (csv->width == COLUMNS_MAX)
			return bad_at(csv, (size_t)(at - line) + 1, err, "more than 64 columns");
		r = read_cell(csv, line, &at, &last, err);
		if (r < 0)
			return r;
	}
	return 1;
}

static int read_header(struct csv *csv, struct err *err)
{
	int r = read_row(csv, err);

	if (r <= 0)
		return r < 0 ? r : err_say(err, EINVAL, "%s: empty, not even a header", csv->name);
	for (size_t i = 0; i < csv->width; i++) {
		csv->header[i] = csv->cells[i].text;
		csv->columns[i] = csv->cells[i].column;
		for (size_t j = 0; j < i; j++)
			if (strcmp(csv->header[i], csv->header[j]) == 0)
				return bad_at(csv, csv->cells[i].column, err,
					      "a column of that name came before");
	}
	for (size_t i = csv->width; i < COLUMNS_MAX; i++)
		csv->header[i] = NULL;
	return 0;
}

/* Takes text over, which has room for a NUL behind len. */
static int start(const char *name, char *text, size_t len, struct csv **ret, struct err *err)
{
	_cleanup_csv_ struct csv *csv = calloc(1, sizeof(*csv));
	int r;

	if (!csv || !(csv->name = strdup(name))) {
		free(text);
		return err_set(err, ENOMEM, "read %s", name);
	}
	text[len] = '\0';
	csv->text = csv->at = text;
	csv->len = len;
	r = read_header(csv, err);
	if (r == 0)
		*ret = take_ptr(csv);
	return r;
}

int csv_open_text(const char *name, const char *text, size_t len, struct csv **ret, struct err *err)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return err_set(err, ENOMEM, "read %s", name);
	memcpy(copy, text, len);
	return start(name, copy, len, ret, err);
}

/* gzread passes plain files through. */
static int read_whole(gzFile file, char **ret, size_t *ret_len)
{
	size_t size = 1 << 20, len = 0;
	_cleanup_free_ char *text = malloc(size + 1);
	int n = 1;

	while (text && n > 0) {
		if (len == size) {
			char *more = size < TEXT_MAX ? realloc(text, size * 2 + 1) : NULL;

			if (!more)
				return -ENOMEM;
			text = more;
			size *= 2;
		}
		n = gzread(file, text + len,
			   (unsigned)(size - len > 1 << 30 ? 1 << 30 : size - len));
		len += n > 0 ? (size_t)n : 0;
	}
	if (!text)
		return -ENOMEM;
	*ret_len = len;
	*ret = take_ptr(text);
	return n < 0 ? -EIO : 0;
}

int csv_open(const char *path, struct csv **ret, struct err *err)
{
	gzFile file = gzopen(path, "rbe");
	char *text = NULL;
	size_t len = 0;
	bool whole;
	int r;

	if (!file)
		return err_set(err, errno ? errno : ENOMEM, "open %s", path);
	r = read_whole(file, &text, &len);
	whole = gzclose(file) == Z_OK;
	if (r < 0 || !whole)
		free(text);
	if (r == -EIO || (r == 0 && !whole))
		return err_say(err, EINVAL,
			       "%s: cannot be read to its end, or is no whole gzip file", path);
	if (r < 0)
		return err_set(err, -r, "read %s", path);
	return start(path, text, len, ret, err);
}

int csv_only(const struct csv *csv, const char *const *names, struct err *err)
{
	for (int i = 0; i < COLUMNS_MAX && csv->header[i]; i++) {
		const char *const *name = names;

		while (*name && strcmp(*name, csv->header[i]) != 0)
			name++;
		if (!*name)
			return err_say(err, EINVAL, "%s:1:%zu: there is no column '%.40s'",
				       csv->name, csv->columns[i], csv->header[i]);
	}
	return 0;
}

int csv_find(const struct csv *csv, const char *name)
{
	for (int i = 0; i < COLUMNS_MAX && csv->header[i]; i++)
		if (strcmp(csv->header[i], name) == 0)
			return i;
	return -1;
}

int csv_column(const struct csv *csv, const char *name, struct err *err)
{
	int column = csv_find(csv, name);

	return column >= 0 ? column
			   : err_say(err, EINVAL, "%s:1:1: there is no column %s", csv->name, name);
}

int csv_next(struct csv *csv, struct err *err)
{
	size_t want = 0;
	int r;

	while (want < COLUMNS_MAX && csv->header[want])
		want++;
	r = read_row(csv, err);
	if (r <= 0 || csv->width == want)
		return r;
	return err_say(err, EINVAL, "%s:%zu:%zu: %zu columns, the header has %zu", csv->name,
		       csv->line, csv->cells[csv->width - 1].column, csv->width, want);
}

size_t csv_line(const struct csv *csv)
{
	return csv->line;
}

const char *csv_string(const struct csv *csv, int column)
{
	return csv->cells[column].text;
}

int csv_bad(const struct csv *csv, int column, struct err *err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return bad_at(csv, csv->cells[column].column, err, text);
}

int csv_number(const struct csv *csv, int column, int64_t min, int64_t max, int64_t *ret,
	       struct err *err)
{
	const char *text = csv->cells[column].text;
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end || errno || n < min || n > max || text[0] == ' ' || text[0] == '+')
		return csv_bad(csv, column, err,
			       "%s: '%.40s' is not a number from %" PRId64 " to %" PRId64,
			       csv->header[column], text, min, max);
	*ret = n;
	return 0;
}
