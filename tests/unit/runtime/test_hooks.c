/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "runtime/hooks.h"
#include "tests/unit/scratch.h"

#define STATE "{\"id\":\"x\"}"

/* Runs one shell script as the only hook, in a temporary folder. */
static int run_script(const char *folder, const char *script, int timeout_s, struct err *err)
{
	const char *args[] = { "sh", "-c", script, NULL };
	const char *env[] = { "PATH=/bin:/usr/bin", "GREETING=hello", NULL };
	struct oci_hook hook = {
		.path = "/bin/sh", .args = args, .env = env, .timeout_s = timeout_s
	};
	struct oci_hook_list list = { .hooks = &hook, .count = 1 };

	return hooks_run("test", &list, &(struct hooks_place){ .cwd = folder }, STATE,
			 strlen(STATE), err);
}

static int enter(void **state)
{
	static char path[64];

	*state = path;
	return scratch_make("hooks", path, sizeof(path));
}

static int leave(void **state)
{
	return tree_remove(AT_FDCWD, *state, NULL);
}

static void a_hook_gets_state_env_and_folder(void **state)
{
	_cleanup_free_ char *text = NULL;
	char path[128];

	assert_int_equal(run_script(*state, "{ cat; echo; echo $GREETING; pwd; } > out", 0, NULL),
			 0);
	snprintf(path, sizeof(path), "%s/out", (char *)*state);
	assert_int_equal(file_read(AT_FDCWD, path, 4096, &text, NULL, NULL), 0);
	assert_memory_equal(text, STATE "\nhello\n", strlen(STATE "\nhello\n"));
	assert_non_null(strstr(text, *state));
}

static void a_hook_that_reads_nothing_and_talks_much_blocks_nobody(void **state)
{
	assert_int_equal(run_script(*state, "exec <&-; yes no | head -c 300000 >&2", 0, NULL), 0);
}

static void a_failure_tells_status_and_stderr_in_one_line(void **state)
{
	struct err err = { 0 };

	assert_true(run_script(*state, "echo one >&2; echo two >&2; exit 3", 0, &err) < 0);
	assert_string_equal(err.text,
			    "error running test hook #0: /bin/sh: exit status 3: one two");
}

static void a_signal_is_told(void **state)
{
	struct err err = { 0 };

	assert_true(run_script(*state, "kill -9 $$", 0, &err) < 0);
	assert_string_equal(err.text, "error running test hook #0: /bin/sh: killed by signal 9");
}

static void a_timeout_kills_the_hook_and_its_children(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct err err = { 0 };
	char path[128];

	assert_true(run_script(*state, "sleep 1000 & echo $! > pid; echo late >&2; wait", 4, &err) <
		    0);
	assert_string_equal(
		err.text,
		"error running test hook #0: /bin/sh: hook ran past specified timeout of 4.0s: late");
	snprintf(path, sizeof(path), "%s/pid", (char *)*state);
	assert_int_equal(file_read(AT_FDCWD, path, 64, &text, NULL, NULL), 0);
	/* The orphan dies at once, but whoever reaps it takes a moment. */
	for (int i = 0; i < 6000; i++) {
		snprintf(path, sizeof(path), "/proc/%d/cmdline", atoi(text));
		_cleanup_free_ char *line = NULL;
		size_t len = 0;

		if (file_read(AT_FDCWD, path, 4096, &line, &len, NULL) < 0 || len == 0)
			return;
		usleep(10000);
	}
	fail_msg("the hook's child lives on");
}

/* Faster than anybody reads: its time is over all the same. */
static void a_hook_that_talks_without_end_has_its_deadline(void **state)
{
	struct err err = { 0 };

	assert_true(run_script(*state, "exec cat /dev/zero >&2", 1, &err) < 0);
	assert_non_null(strstr(err.text, "hook ran past specified timeout of 1.0s"));
}

static void a_child_left_behind_with_stderr_open_holds_nobody_up(void **state)
{
	int64_t start = clock_monotonic_ns();
	_cleanup_free_ char *text = NULL;
	char path[128];

	assert_int_equal(run_script(*state, "sleep 60 & echo $! > pid; exit 0", 0, NULL), 0);
	assert_true(clock_monotonic_ns() - start < 50 * 1000000000LL);
	snprintf(path, sizeof(path), "%s/pid", (char *)*state);
	assert_int_equal(file_read(AT_FDCWD, path, 64, &text, NULL, NULL), 0);
	kill(atoi(text), SIGKILL);
}

static void a_missing_program_is_told(void **state)
{
	const struct oci_hook hook = { .path = "/no/such" };
	const struct oci_hook_list list = { .hooks = &hook, .count = 1 };
	struct err err = { 0 };

	assert_true(hooks_run("test", &list, &(struct hooks_place){ .cwd = *state }, STATE, 2,
			      &err) < 0);
	assert_string_equal(
		err.text,
		"error running test hook #0: /no/such: exit status 127: No such file or directory");
}

static void the_first_failure_ends_the_list(void **state)
{
	const char *fail[] = { "sh", "-c", "exit 1", NULL },
		   *touch[] = { "sh", "-c", ": > ran", NULL };
	const struct oci_hook hooks[] = { { .path = "/bin/sh", .args = fail },
					  { .path = "/bin/sh", .args = touch } };
	const struct oci_hook_list list = { .hooks = hooks, .count = 2 };
	char path[128];

	assert_true(hooks_run("test", &list, &(struct hooks_place){ .cwd = *state }, STATE, 2,
			      NULL) < 0);
	snprintf(path, sizeof(path), "%s/ran", (char *)*state);
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_hook_gets_state_env_and_folder, enter, leave),
		cmocka_unit_test_setup_teardown(
			a_hook_that_reads_nothing_and_talks_much_blocks_nobody, enter, leave),
		cmocka_unit_test_setup_teardown(a_failure_tells_status_and_stderr_in_one_line,
						enter, leave),
		cmocka_unit_test_setup_teardown(a_signal_is_told, enter, leave),
		cmocka_unit_test_setup_teardown(a_timeout_kills_the_hook_and_its_children, enter,
						leave),
		cmocka_unit_test_setup_teardown(a_hook_that_talks_without_end_has_its_deadline,
						enter, leave),
		cmocka_unit_test_setup_teardown(
			a_child_left_behind_with_stderr_open_holds_nobody_up, enter, leave),
		cmocka_unit_test_setup_teardown(a_missing_program_is_told, enter, leave),
		cmocka_unit_test_setup_teardown(the_first_failure_ends_the_list, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
