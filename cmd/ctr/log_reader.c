/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/log_reader.h"

#include <errno.h>
#include <string.h>

struct record {
	const char *time, *text;
	size_t time_len, text_len;
	bool is_stderr, is_whole;
};

/* Cuts a record (without its newline); false where it is none. */
static bool parse(const char *line, size_t len, struct record *ret)
{
	const char *end = line + len, *space = memchr(line, ' ', len), *tag;

	if (!space)
		return false;
	ret->time = line;
	ret->time_len = (size_t)(space - line);
	ret->is_stderr = strncmp(space, " stderr ", 8) == 0;
	if (!ret->is_stderr && strncmp(space, " stdout ", 8) != 0)
		return false;
	tag = space + 8;
	if (end - tag < 2 || tag[1] != ' ' || (tag[0] != 'F' && tag[0] != 'P'))
		return false;
	ret->is_whole = tag[0] == 'F';
	ret->text = tag + 2;
	ret->text_len = (size_t)(end - ret->text);
	return true;
}

static int print(struct log_reader *reader, const struct record *record)
{
	FILE *out = record->is_stderr ? reader->err : reader->out;
	bool *inside = &reader->inside[record->is_stderr];

	if (reader->skip) {
		reader->skip -= record->is_whole;
		return 0;
	}
	if (reader->timestamps && !*inside)
		fprintf(out, "%.*s ", (int)record->time_len, record->time);
	fwrite(record->text, 1, record->text_len, out);
	if (record->is_whole)
		fputc('\n', out);
	*inside = !record->is_whole;
	return ferror(out) ? -EIO : 0;
}

int log_reader_feed(struct log_reader *reader, const char *data, size_t len)
{
	const char *newline;
	int r = 0;

	while (r == 0 && (newline = memchr(data, '\n', len))) {
		struct record record;

		strbuf_add(&reader->partial, data, (size_t)(newline - data));
		if (!strbuf_ok(&reader->partial))
			return -ENOMEM;
		/* What is no record was damaged, by a full disk perhaps. */
		if (reader->partial.len &&
		    parse(reader->partial.data, reader->partial.len, &record))
			r = print(reader, &record);
		reader->partial.len = 0;
		len -= (size_t)(newline + 1 - data);
		data = newline + 1;
	}
	strbuf_add(&reader->partial, data, len);
	if (fflush(reader->out) == EOF || fflush(reader->err) == EOF)
		return -errno;
	return r == 0 && !strbuf_ok(&reader->partial) ? -ENOMEM : r;
}

void log_reader_deinit(struct log_reader *reader)
{
	strbuf_deinit(&reader->partial);
}

size_t log_reader_count(const char *data, size_t len)
{
	const char *newline;
	size_t lines = 0;
	bool inside = false;

	while ((newline = memchr(data, '\n', len))) {
		struct record record;

		if (parse(data, (size_t)(newline - data), &record)) {
			lines += record.is_whole;
			inside = !record.is_whole;
		}
		len -= (size_t)(newline + 1 - data);
		data = newline + 1;
	}
	return lines + inside;
}
