/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "runtime/shim/log.h"

static char path[] = "/tmp/cellar-log-XXXXXX";

static int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/cellar-log-XXXXXX");
	close(mkstemp(path));
	return unlink(path);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static struct shim_log *open_log(const char *where, int64_t max_bytes, unsigned max_files)
{
	const struct shim_log_options o = { where, max_bytes, max_files };
	struct shim_log *log;

	assert_return_code(shim_log_open(&o, &log, NULL), 0);
	return log;
}

/* Appends the pieces and returns the log with its times cut off; owned by the caller. */
static char *logged(const char *const *pieces)
{
	char *text, *to;
	struct shim_log *log = open_log(path, 0, 0);

	for (; *pieces; pieces++)
		assert_return_code(shim_log_append(log, "stdout", *pieces, strlen(*pieces), NULL),
				   0);
	shim_log_free(log);
	assert_return_code(file_read(AT_FDCWD, path, 1 << 24, &text, NULL, NULL), 0);
	to = text;
	for (char *p = text; *p;) {
		char *end = strchr(p, '\n') + 1;

		assert_true(end - p > 31);
		assert_int_equal(p[10], 'T');
		assert_int_equal(p[29], 'Z');
		assert_int_equal(p[30], ' ');
		memmove(to, p + 31, (size_t)(end - p) - 31);
		to += end - p - 31;
		p = end;
	}
	*to = '\0';
	return text;
}

static void test_lines_become_records(void **state)
{
	char *text = logged((const char *[]){ "one\ntwo\n\nthree\n", NULL });

	(void)state;
	assert_string_equal(text, "stdout F one\nstdout F two\nstdout F \nstdout F three\n");
	free(text);
}

static void test_pieces_are_partial_until_their_newline(void **state)
{
	char *text = logged((const char *[]){ "login: ", "root", "\nok\nnex", "t\n", NULL });

	(void)state;
	assert_string_equal(text, "stdout P login: \nstdout P root\nstdout F \nstdout F ok\n"
				  "stdout P nex\nstdout F t\n");
	free(text);
}

static void test_more_lines_than_one_write_takes(void **state)
{
	char *many = calloc(1, 4001), *text;
	size_t records = 0;

	(void)state;
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(many + i, "x\n", 2);
	text = logged((const char *[]){ many, NULL });
	for (char *p = text; (p = strstr(p, "stdout F x\n")); p++)
		records++;
	assert_int_equal(records, 2000);
	assert_int_equal(strlen(text), 2000 * strlen("stdout F x\n"));
	free(text);
	free(many);
}

static void test_log_is_private_and_appended_to(void **state)
{
	struct stat st;
	char *text;

	(void)state;
	free(logged((const char *[]){ "a\n", NULL }));
	text = logged((const char *[]){ "b\n", NULL });
	assert_string_equal(text, "stdout F a\nstdout F b\n");
	assert_return_code(stat(path, &st), errno);
	assert_int_equal(st.st_mode & 0777, 0600);
	free(text);
}

static void test_full_disk_is_reported(void **state)
{
	struct shim_log *log = open_log("/dev/full", 0, 0);

	(void)state;
	free(logged((const char *[]){ "", NULL }));
	assert_int_equal(shim_log_append(log, "stdout", "x\n", 2, NULL), -ENOSPC);
	shim_log_free(log);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_return_code(getrlimit(RLIMIT_FSIZE, &limit), errno);
	limit.rlim_cur = bytes;
	assert_return_code(setrlimit(RLIMIT_FSIZE, &limit), errno);
}

/* A limit on files cuts a write short just as a disk does that is about to be full. */
static void test_what_a_full_disk_dropped_is_told(void **state)
{
	struct shim_log *log = open_log(path, 0, 0);
	char *text;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_return_code(shim_log_append(log, "stdout", "kept\n", 5, NULL), 0);
	limit_files(60);
	assert_int_equal(shim_log_append(log, "stdout", "lost\nlost\n", 10, NULL), -EFBIG);
	assert_int_equal(shim_log_append(log, "stderr", "part", 4, NULL), -EFBIG);
	limit_files(RLIM_INFINITY);
	assert_return_code(shim_log_append(log, "stdout", "again\n", 6, NULL), 0);
	assert_return_code(shim_log_append(log, "stdout", "more\n", 5, NULL), 0);
	shim_log_free(log);
	text = logged((const char *[]){ NULL });
	assert_string_equal(text,
			    "stdout F kept\n"
			    "shim F 3 lines (14 bytes) of output were dropped: File too large\n"
			    "stdout F again\nstdout F more\n");
	free(text);
}

/* The text of PATH or PATH.n, "" where there is none; owned by the caller. */
static char *read_numbered(unsigned n)
{
	char name[64], *text;

	snprintf(name, sizeof(name), n ? "%s.%u" : "%s", path, n);
	if (file_read(AT_FDCWD, name, 1 << 20, &text, NULL, NULL) < 0)
		text = strdup("");
	if (n)
		unlink(name);
	return text;
}

static void test_files_rotate_and_the_oldest_goes(void **state)
{
	/* 47 bytes a record, so two a file. */
	struct shim_log *log = open_log(path, 100, 3);
	char line[] = "line 0\n";

	(void)state;
	for (int i = 0; i < 9; i++) {
		line[5] = (char)('1' + i);
		assert_return_code(shim_log_append(log, "stdout", line, 7, NULL), 0);
	}
	shim_log_free(log);
	for (unsigned n = 0; n < 4; n++) {
		static const char *const last[] = { "line 9\n", "line 8\n", "line 6\n", "" };
		char *text = read_numbered(n);

		assert_true(strlen(text) <= 100);
		assert_non_null(strstr(text, last[n]));
		assert_null(strstr(text, "line 4\n"));
		free(text);
	}
}

static void test_size_counts_over_a_new_opening(void **state)
{
	char *text;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct shim_log *log = open_log(path, 100, 2);

		assert_return_code(shim_log_append(log, "stdout", "line 0\n", 7, NULL), 0);
		shim_log_free(log);
	}
	text = read_numbered(1);
	assert_int_equal(strlen(text), 94);
	free(text);
}

static void test_one_file_is_begun_anew(void **state)
{
	struct shim_log *log = open_log(path, 100, 1);
	char *text;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_return_code(shim_log_append(log, "stdout", "line 0\n", 7, NULL), 0);
	shim_log_free(log);
	text = read_numbered(1);
	assert_string_equal(text, "");
	free(text);
	text = read_numbered(0);
	assert_int_equal(strlen(text), 47);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines_become_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces_are_partial_until_their_newline, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_more_lines_than_one_write_takes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_log_is_private_and_appended_to, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_is_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_a_full_disk_dropped_is_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_files_rotate_and_the_oldest_goes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_size_counts_over_a_new_opening, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_one_file_is_begun_anew, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
