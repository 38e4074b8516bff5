/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/log_reader.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_SHIM };

static const char *const stream_names[] = { "stdout", "stderr", "shim" };

struct record {
	const char *time, *text;
	size_t time_len, text_len;
	enum log_stream stream;
	bool is_whole;
};

/* What stands behind "NAME ", if the text begins so; else NULL. */
static const char *skip_word(const char *text, const char *end, const char *name)
{
	size_t len = strlen(name);

	if ((size_t)(end - text) <= len || memcmp(text, name, len) != 0 || text[len] != ' ')
		return NULL;
	return text + len + 1;
}

/* Cuts a record (without its newline); false where it is none. */
static bool parse(const char *line, size_t len, struct record *ret)
{
	const char *end = line + len, *space = memchr(line, ' ', len), *tag = NULL;

	if (!space)
		return false;
	ret->time = line;
	ret->time_len = (size_t)(space - line);
	for (size_t i = 0; !tag && i < ARRAY_SIZE(stream_names); i++) {
		tag = skip_word(space + 1, end, stream_names[i]);
		ret->stream = (enum log_stream)i;
	}
	if (!tag || end - tag < 2 || tag[1] != ' ' || (tag[0] != 'F' && tag[0] != 'P'))
		return false;
	ret->is_whole = tag[0] == 'F';
	ret->text = tag + 2;
	ret->text_len = (size_t)(end - ret->text);
	return true;
}

/* The text form has a fixed width, so that times compare as their texts do. */
static int compare_time(const struct record *record, int64_t ns)
{
	char text[CLOCK_RFC3339_SIZE];
	size_t len;

	clock_format(ns, text);
	len = strlen(text);
	if (record->time_len != len) {
		char whole[CLOCK_RFC3339_SIZE + 32];
		int64_t time_ns = 0;

		snprintf(whole, sizeof(whole), "%.*s", (int)record->time_len, record->time);
		clock_parse(whole, &time_ns, NULL);
		return (time_ns > ns) - (time_ns < ns);
	}
	return memcmp(record->time, text, len);
}

static bool is_left_out(struct log_reader *reader, const struct record *record)
{
	if (reader->since_ns && compare_time(record, reader->since_ns) < 0)
		return true;
	if (!reader->until_ns || compare_time(record, reader->until_ns) < 0)
		return false;
	reader->past = true;
	return true;
}

static int print_text(const struct log_reader *reader, const struct record *record, FILE *out,
		      bool begins)
{
	if (reader->timestamps && begins)
		fprintf(out, "%.*s ", (int)record->time_len, record->time);
	if (record->stream == LOG_SHIM)
		fputs("ctr: logs: ", out);
	fwrite(record->text, 1, record->text_len, out);
	if (record->is_whole)
		fputc('\n', out);
	return ferror(out) ? -EIO : 0;
}

static int print(struct log_reader *reader, const struct record *record)
{
	bool is_stdout = record->stream == LOG_STDOUT, begins = true, hidden;

	if (record->stream == LOG_SHIM)
		return !reader->out || is_left_out(reader, record) || reader->skip
			       ? 0
			       : print_text(reader, record, reader->err, true);
	begins = !reader->inside[record->stream];
	/* A line is shown or left out whole, by its first piece. */
	if (begins) {
		hidden = is_left_out(reader, record);
		if (!hidden) {
			reader->lines++;
			hidden = reader->skip > 0;
			reader->skip -= hidden;
		}
		reader->hidden[record->stream] = hidden;
	}
	reader->inside[record->stream] = !record->is_whole;
	if (reader->hidden[record->stream] || !reader->out)
		return 0;
	return print_text(reader, record, is_stdout ? reader->out : reader->err, begins);
}

static int flush(const struct log_reader *reader)
{
	if (reader->out && (fflush(reader->out) == EOF || fflush(reader->err) == EOF))
		return -errno;
	return 0;
}

int log_reader_feed(struct log_reader *reader, const char *data, size_t len)
{
	const char *newline;
	int r = 0, q;

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
	q = flush(reader);
	if (q < 0)
		return q;
	return r == 0 && !strbuf_ok(&reader->partial) ? -ENOMEM : r;
}

void log_reader_deinit(struct log_reader *reader)
{
	strbuf_deinit(&reader->partial);
}
