/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/health_record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"

#define VERSION 1
#define FILE_LIMIT (1 << 20)

static const char *const names[] = {
	[HEALTH_NONE] = "none",
	[HEALTH_STARTING] = "starting",
	[HEALTH_HEALTHY] = "healthy",
	[HEALTH_UNHEALTHY] = "unhealthy",
};

const char *health_status_name(enum health_status status)
{
	return names[status];
}

/* How long the character at text is that UTF-8 knows; 0: none. */
static size_t measure(const unsigned char *text, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = *text < 0x80	       ? 1
		      : (*text & 0xe0) == 0xc0 ? 2
		      : (*text & 0xf0) == 0xe0 ? 3
		      : (*text & 0xf8) == 0xf0 ? 4
					       : 0;
	uint32_t code;

	if (size <= 1 || size > len)
		return size <= len && *text ? size : 0;
	code = *text & (0xffu >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	return code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0
											  : size;
}

static char *copy_text(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	size_t at = 0;

	if (!copy)
		return NULL;
	while (at < len) {
		size_t size = measure((const unsigned char *)text + at, len - at);

		if (size)
			memcpy(copy + at, text + at, size);
		else
			copy[at] = '?';
		at += size ? size : 1;
	}
	copy[len] = '\0';
	return copy;
}

int health_record_add(struct health_record *record, int64_t start_ns, int64_t end_ns, int exit_code,
		      const char *output, size_t len)
{
	char *copy = copy_text(output, len < HEALTH_OUTPUT_MAX ? len : HEALTH_OUTPUT_MAX);

	if (!copy)
		return -ENOMEM;
	if (record->count == HEALTH_RESULTS) {
		free(record->results[0].output);
		memmove(record->results, record->results + 1,
			(HEALTH_RESULTS - 1) * sizeof(*record->results));
		record->count--;
	}
	record->results[record->count++] =
		(struct health_result){ start_ns, end_ns, exit_code, copy };
	return 0;
}

void health_record_deinit(struct health_record *record)
{
	for (size_t i = 0; i < record->count; i++)
		free(record->results[i].output);
	*record = (struct health_record){ 0 };
}

void health_record_format(struct json_writer *w, const struct health_record *record)
{
	char time[CLOCK_RFC3339_SIZE];

	json_field_string(w, "status", names[record->status]);
	json_field_u64(w, "failing_streak", record->failing_streak);
	json_key(w, "log");
	json_open_array(w);
	for (size_t i = 0; i < record->count; i++) {
		const struct health_result *result = &record->results[i];

		json_open_object(w);
		json_field_string(w, "start", clock_format(result->start_ns, time));
		json_field_string(w, "end", clock_format(result->end_ns, time));
		json_field_i64(w, "exit_code", result->exit_code);
		json_field_string(w, "output", result->output);
		json_close_object(w);
	}
	json_close_array(w);
}

int health_record_save(const char *bundle, const struct health_record *record, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	int r = path_join(path, sizeof(path), bundle, HEALTH_FILE, err);

	if (r < 0)
		return r;
	if (w) {
		json_open_object(w);
		json_field_u64(w, "version", VERSION);
		health_record_format(w, record);
		json_close_object(w);
		text = json_writer_take(w, &len);
	}
	if (!text)
		return err_set(err, ENOMEM, "write %s", path);
	return file_replace(AT_FDCWD, path, text, len, 0600, false, err);
}

static int parse_result(const struct json_node *node, struct arena *arena,
			struct health_record *ret, struct err *err)
{
	const char *start = "", *end = "", *output = "";
	int64_t start_ns, end_ns, exit_code = -1;

	err_try(json_object(node, err));
	err_try(json_get_string(node, "start", arena, &start, err));
	err_try(json_get_string(node, "end", arena, &end, err));
	err_try(json_get_string(node, "output", arena, &output, err));
	err_try(json_get_range(node, "exit_code", -1, 255, &exit_code, err));
	err_try(clock_parse(start, &start_ns, err));
	err_try(clock_parse(end, &end_ns, err));
	return health_record_add(ret, start_ns, end_ns, (int)exit_code, output, strlen(output));
}

static int parse(const struct json_node *root, struct arena *arena, struct health_record *ret,
		 struct err *err)
{
	const char *status = names[HEALTH_NONE];
	struct json_node log;
	int64_t streak = 0, version = 0;
	size_t count = 0;

	err_try(json_get_i64(root, "version", &version, err));
	if (version > VERSION)
		return err_say(err, EPROTO, "it was written by a newer Cellar");
	err_try(json_get_string(root, "status", arena, &status, err));
	err_try(json_get_range(root, "failing_streak", 0, UINT32_MAX, &streak, err));
	err_try(json_get_array(root, "log", &log, &count, err));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(status, names[i]) == 0)
			ret->status = (enum health_status)i;
	ret->failing_streak = (unsigned)streak;
	for (size_t i = 0; i < count; i++) {
		struct json_node node = json_at(&log, i);

		err_try(parse_result(&node, arena, ret, err));
	}
	return 0;
}

int health_record_load(const char *bundle, struct health_record *ret, struct err *err)
{
	_cleanup_health_record_ struct health_record record = { 0 };
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_node root;
	char path[PATH_MAX];
	size_t len;
	int r = path_join(path, sizeof(path), bundle, HEALTH_FILE, err);

	if (r == 0 && !arena)
		r = err_set(err, ENOMEM, "read %s", path);
	if (r == 0)
		r = file_read(AT_FDCWD, path, FILE_LIMIT, &text, &len, err);
	if (r == 0)
		r = json_parse(text, len, &doc, err);
	if (r < 0)
		return r;
	root = json_root(doc);
	r = parse(&root, arena, &record, err);
	if (r < 0)
		return err_add(err, "read %s", path);
	*ret = record;
	record = (struct health_record){ 0 };
	return 0;
}
