/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/engine/event_log.h"
#include "tests/unit/scratch.h"

#define WRITERS 4
#define EVENTS 5000

static char dir[40];

static int set_up(void **state)
{
	char path[64];

	(void)state;
	if (scratch_make("events", dir, sizeof(dir)) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/.engine", dir);
	return mkdir(path, 0700);
}

static int tear_down(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, dir, NULL);
}

static void path_of(int number, char ret[static 64])
{
	if (number)
		snprintf(ret, 64, "%s/.engine/" EVENT_LOG_FILE ".%d", dir, number);
	else
		snprintf(ret, 64, "%s/.engine/" EVENT_LOG_FILE, dir);
}

static void write_many(int writer)
{
	char text[16];

	for (int i = 0; i < EVENTS; i++) {
		snprintf(text, sizeof(text), "%d %d", writer, i);
		event_log_append(
			dir, &(struct engine_event){ "container", "die",
						     "0123456789012345678901234567890123456789",
						     "name", "localhost/some-image:latest",
						     (const char *const[]){ "text", text, NULL } });
	}
	_exit(0);
}

/* Every line is whole, and what a writer wrote stands in order without a gap. */
static void check(const char *text, int next[static WRITERS])
{
	for (const char *line = text, *end; *line; line = end + 1) {
		const char *at;
		int writer, number;

		end = strchr(line, '\n');
		assert_non_null(end);
		assert_int_equal(*line, '{');
		assert_int_equal(end[-1], '}');
		at = strstr(line, "\"text\":\"");
		assert_non_null(at);
		assert_int_equal(sscanf(at, "\"text\":\"%d %d\"", &writer, &number), 2);
		assert_true(writer >= 0 && writer < WRITERS);
		assert_true(next[writer] < 0 || next[writer] == number);
		next[writer] = number + 1;
	}
}

static void many_writers_lose_nothing_but_what_is_old(void **state)
{
	int next[WRITERS] = { -1, -1, -1, -1 }, status;
	struct stat st;
	char path[64];

	(void)state;
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(i);
	while (wait(&status) > 0)
		assert_int_equal(status, 0);
	for (int i = EVENT_LOG_FILES - 1; i >= 0; i--) {
		_cleanup_free_ char *text = NULL;

		path_of(i, path);
		assert_return_code(file_read(AT_FDCWD, path, 8 << 20, &text, NULL, NULL), 0);
		check(text, next);
		assert_return_code(stat(path, &st), 0);
		/* A writer that never gets the lock writes all the same. */
		assert_true(st.st_size < 2 * EVENT_LOG_MAX_BYTES);
	}
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(next[i], EVENTS);
	path_of(EVENT_LOG_FILES, path);
	assert_int_equal(access(path, F_OK), -1);
}

static void what_is_too_long_and_a_missing_folder_are_passed_over(void **state)
{
	_cleanup_free_ char *text = NULL;
	char name[EVENT_LINE_MAX], path[64];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	event_log_append("/nowhere/at/all", &(struct engine_event){ "container", "die", "1" });
	event_log_append(dir, &(struct engine_event){ "container", "die", "1", name });
	event_tell(dir, dir, "2", "start", NULL);
	event_tell_volume(dir, "create", "v");
	path_of(0, path);
	assert_return_code(file_read(AT_FDCWD, path, 4096, &text, NULL, NULL), 0);
	assert_null(strstr(text, "xxx"));
	assert_non_null(strstr(text, "\"action\":\"start\",\"id\":\"2\"}\n"));
	assert_non_null(
		strstr(text, "\"type\":\"volume\",\"action\":\"create\",\"name\":\"v\"}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_writers_lose_nothing_but_what_is_old, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_too_long_and_a_missing_folder_are_passed_over, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
