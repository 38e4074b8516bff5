/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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

/* Appends the pieces and returns the log with its times cut off; owned by the caller. */
static char *logged(const char *const *pieces)
{
	char *text, *to;
	int fd = shim_log_open(path, NULL);

	assert_return_code(fd, -fd);
	for (; *pieces; pieces++)
		assert_return_code(shim_log_append(fd, "stdout", *pieces, strlen(*pieces)), 0);
	close(fd);
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
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	free(logged((const char *[]){ "", NULL }));
	assert_int_equal(shim_log_append(fd, "stdout", "x\n", 2), -ENOSPC);
	close(fd);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
