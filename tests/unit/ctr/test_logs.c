/* SPDX-License-Identifier: Apache-2.0 */
/* What ctr logs makes of times, of the supervisor's own records, and of a rotated log. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cmd/ctr/detach_keys.h"
#include "cmd/ctr/log_files.h"
#include "cmd/ctr/log_reader.h"
#include "cmd/ctr/moment.h"

static int64_t at(const char *text)
{
	int64_t ns;

	assert_int_equal(clock_parse(text, &ns, NULL), 0);
	return ns;
}

#define T(second) "2026-01-01T00:00:0" #second ".000000000Z "

/* clang-format off */
static const char log_text[] =
	T(1) "stdout F one\n"
	T(2) "stdout P tw\n"
	T(3) "stdout F o\n"
	T(4) "shim F 3 lines (9 bytes) of output were dropped: No space left on device\n"
	T(5) "stderr F three\n";
/* clang-format on */

struct shown {
	char *out, *err;
	struct log_reader reader;
};

static void show(struct shown *s)
{
	size_t len;

	s->reader.out = open_memstream(&s->out, &len);
	s->reader.err = open_memstream(&s->err, &len);
	assert_int_equal(log_reader_feed(&s->reader, log_text, strlen(log_text)), 0);
	fclose(s->reader.out);
	fclose(s->reader.err);
	log_reader_deinit(&s->reader);
}

static void assert_shown(int64_t since_ns, int64_t until_ns, const char *out, const char *err)
{
	struct shown s = { .reader = { .since_ns = since_ns, .until_ns = until_ns } };

	show(&s);
	assert_string_equal(s.out, out);
	assert_string_equal(s.err, err);
	free(s.out);
	free(s.err);
}

#define DROPPED "ctr: logs: 3 lines (9 bytes) of output were dropped: No space left on device\n"

static void what_was_dropped_is_told(void **state)
{
	(void)state;
	assert_shown(0, 0, "one\ntwo\n", DROPPED "three\n");
}

static void since_and_until_cut_whole_lines(void **state)
{
	(void)state;
	assert_shown(at("2026-01-01T00:00:02Z"), 0, "two\n", DROPPED "three\n");
	/* The line began before. */
	assert_shown(at("2026-01-01T00:00:03Z"), 0, "", DROPPED "three\n");
	assert_shown(0, at("2026-01-01T00:00:03Z"), "one\ntwo\n", "");
	assert_shown(at("2026-01-01T00:00:05Z"), at("2026-01-01T00:00:05Z"), "", "");
}

static void moments_are_read_as_people_write_them(void **state)
{
	const int64_t now = at("2026-01-02T00:00:00Z");
	int64_t ns;

	(void)state;
	assert_int_equal(moment_parse("1h30m", now, &ns, NULL), 0);
	assert_int_equal(ns, at("2026-01-01T22:30:00Z"));
	assert_int_equal(moment_parse("2d", now, &ns, NULL), 0);
	assert_int_equal(ns, at("2025-12-31T00:00:00Z"));
	assert_int_equal(moment_parse("100ms", now, &ns, NULL), 0);
	assert_int_equal(ns, now - 100000000);
	assert_int_equal(moment_parse("1767225600", now, &ns, NULL), 0);
	assert_int_equal(ns, at("2026-01-01T00:00:00Z"));
	assert_int_equal(moment_parse("2026-01-01T01:00:00+01:00", now, &ns, NULL), 0);
	assert_int_equal(ns, at("2026-01-01T00:00:00Z"));
	setenv("TZ", "UTC", 1);
	assert_int_equal(moment_parse("2026-01-01", now, &ns, NULL), 0);
	assert_int_equal(ns, at("2026-01-01T00:00:00Z"));
	assert_int_equal(moment_parse("2026-01-01T10:20", now, &ns, NULL), 0);
	assert_int_equal(ns, at("2026-01-01T10:20:00Z"));
}

static void nonsense_is_no_moment(void **state)
{
	static const char *const wrong[] = { "",   "x",	   "-5m",      "5",   "5 m",  "1e30h",
					     "m5", "10mm", "2026-13-", "nan", "1h-1m" };
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(moment_parse_duration(wrong[i], &ns, NULL), -EINVAL);
	assert_int_equal(moment_parse("yesterday", 0, &ns, NULL), -EINVAL);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_replace(AT_FDCWD, path, text, strlen(text), 0600, false, NULL), 0);
}

static void assert_files(const struct log_files *files, const char *expected)
{
	char text[64] = "";

	for (size_t i = 0; i < files->count; i++) {
		size_t len = strlen(text);
		ssize_t n = pread(files->fds[i], text + len, sizeof(text) - len - 1, 0);

		assert_true(n > 0);
		text[len + (size_t)n] = '\0';
	}
	assert_string_equal(text, expected);
}

static void rotated_files_come_in_their_order(void **state)
{
	char dir[] = "/tmp/cellar-logs-XXXXXX", path[64];
	struct log_files files = { 0 }, later = { 0 };
	bool gap;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	assert_int_equal(log_files_open(path, &files, NULL), 0);
	assert_int_equal(files.count, 0);
	put(dir, "log", "c");
	put(dir, "log.1", "b");
	put(dir, "log.2", "a");
	assert_int_equal(log_files_open(path, &files, NULL), 0);
	assert_files(&files, "abc");
	assert_int_equal(log_files_open_after(path, files.fds[0], &later, &gap, NULL), 0);
	assert_false(gap);
	assert_files(&later, "bc");
	log_files_close(&later);
	assert_int_equal(log_files_open_after(path, files.fds[2], &later, &gap, NULL), 0);
	assert_int_equal(later.count, 0);
	/* Everything was rotated away. */
	put(dir, "log", "f");
	put(dir, "log.1", "e");
	put(dir, "log.2", "d");
	assert_int_equal(log_files_open_after(path, files.fds[2], &later, &gap, NULL), 0);
	assert_true(gap);
	assert_files(&later, "def");
	log_files_close(&later);
	log_files_close(&files);
	assert_int_equal(tree_remove(AT_FDCWD, dir, NULL), 0);
}

static void assert_filtered(struct detach_keys *keys, const char *in, const char *want, bool whole)
{
	char data[64];
	size_t len = strlen(in);

	memcpy(data, in, len);
	assert_int_equal(detach_keys_filter(keys, data, &len), whole);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(data, want, len);
}

static void detach_keys_are_taken_out_and_others_come_through(void **state)
{
	struct detach_keys keys;

	(void)state;
	assert_int_equal(detach_keys_parse(DETACH_KEYS_DEFAULT, &keys, NULL), 0);
	assert_filtered(&keys, "ab", "ab", false);
	assert_filtered(&keys, "a\x10", "a", false);
	assert_filtered(&keys, "b",
			"\x10"
			"b",
			false);
	assert_filtered(&keys, "\x10\x10", "\x10", false);
	assert_filtered(&keys, "\x11x", "", true);
	assert_int_equal(detach_keys_parse("", &keys, NULL), 0);
	assert_filtered(&keys, "\x10\x11", "\x10\x11", false);
	assert_int_equal(detach_keys_parse("ctrl-", &keys, NULL), -EINVAL);
	assert_int_equal(detach_keys_parse("ab", &keys, NULL), -EINVAL);
	assert_int_equal(detach_keys_parse("a,", &keys, NULL), -EINVAL);
	assert_int_equal(detach_keys_parse("a,a,a,a,a,a,a,a,a", &keys, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_dropped_is_told),
		cmocka_unit_test(since_and_until_cut_whole_lines),
		cmocka_unit_test(moments_are_read_as_people_write_them),
		cmocka_unit_test(nonsense_is_no_moment),
		cmocka_unit_test(rotated_files_come_in_their_order),
		cmocka_unit_test(detach_keys_are_taken_out_and_others_come_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
