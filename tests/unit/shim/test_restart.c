/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies, over containers that are plain shell processes. */
#include "tests/unit/shim/fixture.h"

#include <dirent.h>

#include "runtime/shim/journal.h"

#define COUNT "echo run >>%s/runs; "
#define SOON_MS 2000

static void create(struct fixture *f, const char *script, enum shim_restart restart, unsigned max)
{
	char text[512];

	snprintf(text, sizeof(text), COUNT "%s", f->bundle, script);
	create_own(f, text, &(struct shim_policy){ .restart = restart, .restart_max = max });
}

static size_t count_lines(const struct fixture *f, const char *name)
{
	char *text = fixture_read(f, name);
	size_t lines = 0;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	free(text);
	return lines;
}

static void await_runs(const struct fixture *f, size_t runs)
{
	for (int i = 0; i < POLLS && count_lines(f, "runs") < runs; i++)
		usleep(POLL_US);
	assert_true(count_lines(f, "runs") >= runs);
}

static void failure_is_repeated_so_many_times(void **state)
{
	struct shim_state now;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", true);
	create(&f, "echo out; echo bad >&2; exit 3", SHIM_RESTART_ON_FAILURE, 2);
	wait_exit(&f, "c", NULL, 3);
	assert_int_equal(count_lines(&f, "runs"), 3);
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	assert_int_equal(now.restarts, 2);
	assert_false(now.restarting);
	/* Nothing of any run is lost. */
	assert_int_equal(count_lines(&f, "log"), 6);
	fixture_wait_end(&f);
	assert_file(&f, "backend", "destroy\ndestroy\ndestroy\nrelease\n");
	assert_file(&f, "events", "create\nstart\nexit c 3\nstart\nexit c 3\nstart\nexit c 3\n");
	fixture_stop(&f);
}

static void success_ends_it_on_failure_only(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exit 0", SHIM_RESTART_ON_FAILURE, 0);
	wait_exit(&f, "c", NULL, 0);
	assert_int_equal(count_lines(&f, "runs"), 1);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void always_goes_on_until_a_final_signal(void **state)
{
	struct fixture f;
	struct shim_client *waiter;
	struct shim_exit end;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 0.05", SHIM_RESTART_ALWAYS, 0);
	assert_return_code(shim_connect(f.address, &waiter, &f.err), 0);
	assert_return_code(shim_wait_begin(waiter, "c", NULL, &f.err), 0);
	await_runs(&f, 3);
	/* Whether it runs or waits right now. */
	assert_return_code(shim_kill_finally(f.client, "c", SIGKILL, true, &f.err), 0);
	assert_return_code(shim_wait_finish(waiter, &end, &f.err), 0);
	assert_true(end.status == 0 || end.status == 137);
	shim_close(waiter);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void one_that_waits_is_over_by_a_final_signal(void **state)
{
	struct shim_state now = { 0 };
	struct fixture f;
	size_t runs;

	(void)state;
	fixture_start(&f, "b", "", false);
	/* Each takes a signal for its end, should the machine be so busy that the wait is over. */
	create(&f, "trap 'exit 7' TERM; exit 7", SHIM_RESTART_UNLESS_STOPPED, 0);
	/* The fourth wait is of 0.8 s, each later one twice as long: in one of them this is done.
	 */
	for (runs = 4;; runs = count_lines(&f, "runs")) {
		await_runs(&f, runs);
		now.restarting = false;
		for (int i = 0; i < 60000 && !now.restarting; i++) {
			usleep(1000);
			assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
		}
		assert_true(now.restarting);
		assert_int_equal(now.status, SHIM_STOPPED);
		assert_int_equal(now.exit.status, 7);
		assert_int_equal(shim_delete(f.client, "c", NULL, NULL, &f.err), -EIO);
		if (count_lines(&f, "runs") == runs)
			break;
	}
	assert_return_code(shim_kill_finally(f.client, "c", SIGTERM, false, &f.err), 0);
	wait_exit(&f, "c", NULL, 7);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void another_signal_is_followed_by_a_restart(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 1000", SHIM_RESTART_ALWAYS, 0);
	await_runs(&f, 1);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	await_runs(&f, 2);
	assert_return_code(shim_kill_finally(f.client, "c", SIGKILL, true, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void state_on_disk_tells_of_it(void **state)
{
	_cleanup_proto_ Journal__State *disk = NULL;
	_cleanup_proto_ Journal__Create *create_ = NULL;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exit 7", SHIM_RESTART_ALWAYS, 0);
	await_runs(&f, 3);
	assert_return_code(journal_read_create(f.bundle, &create_, &f.err), 0);
	assert_string_equal(create_->request->id, "c");
	assert_int_equal(create_->n_pipes, 3);
	assert_true(create_->pipes[1] && create_->pipes[2]);
	assert_return_code(journal_read_state(f.bundle, &disk, &f.err), 0);
	assert_true(disk->restarts >= 1);
	assert_int_equal(disk->exit_code, 7);
	assert_true(disk->backoff_ns >= 100000000);
	assert_false(journal_is_orphaned(f.bundle));
	assert_return_code(process_pidfd_signal(f.shim_pidfd, SIGKILL), 0);
	for (int i = 0; i < POLLS && !journal_is_orphaned(f.bundle); i++)
		usleep(POLL_US);
	assert_true(journal_is_orphaned(f.bundle));
	fixture_stop(&f);
}

static void restart_on_request_needs_no_policy(void **state)
{
	struct shim_state now;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "trap '' TERM; while :; do sleep 0.05; done", SHIM_RESTART_NO, 0);
	await_runs(&f, 1);
	/* SIGTERM is ignored, SIGKILL is not. */
	assert_return_code(shim_restart(f.client, "c", SIGTERM, 100, &f.err), 0);
	await_runs(&f, 2);
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	assert_int_equal(now.status, SHIM_RUNNING);
	assert_int_equal(now.restarts, 1);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, true, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	assert_int_equal(shim_restart(f.client, "c", SIGTERM, 100, &f.err), -EBUSY);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void deadline_kills_unless_it_is_renewed(void **state)
{
	struct shim_state now;
	struct fixture f;
	char *log;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 1000", SHIM_RESTART_ALWAYS, 0);
	await_runs(&f, 1);
	/* The second call has to come in time, on a busy machine too. */
	assert_return_code(shim_set_deadline(f.client, "c", SOON_MS, false, &f.err), 0);
	assert_return_code(shim_set_deadline(f.client, "c", 100000, false, &f.err), 0);
	usleep((SOON_MS + 100) * 1000);
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	assert_int_equal(now.status, SHIM_RUNNING);
	assert_return_code(shim_set_deadline(f.client, "c", 50, false, &f.err), 0);
	/* The policy ends with it. */
	wait_exit(&f, "c", NULL, 137);
	log = fixture_read(&f, "log");
	assert_non_null(strstr(log, "shim F the owner's deadline has passed"));
	free(log);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void deadline_may_pause_and_be_lifted(void **state)
{
	struct shim_state now = { 0 };
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 1000", SHIM_RESTART_NO, 0);
	assert_return_code(shim_set_deadline(f.client, "c", SOON_MS, true, &f.err), 0);
	assert_return_code(shim_set_deadline(f.client, "c", 0, true, &f.err), 0);
	usleep((SOON_MS + 100) * 1000);
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	assert_int_equal(now.status, SHIM_RUNNING);
	assert_return_code(shim_set_deadline(f.client, "c", 10, true, &f.err), 0);
	for (int i = 0; i < POLLS && now.status != SHIM_PAUSED; i++) {
		usleep(POLL_US);
		assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	}
	assert_int_equal(now.status, SHIM_PAUSED);
	assert_return_code(shim_resume(f.client, "c", &f.err), 0);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, true, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static size_t count_fds(const struct fixture *f)
{
	char path[64];
	size_t count = 0;
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%d/fd", f->shim_pid);
	all = opendir(path);
	assert_non_null(all);
	while (readdir(all))
		count++;
	closedir(all);
	return count;
}

static void one_that_cannot_be_made_costs_no_descriptors(void **state)
{
	struct shim_state now = { 0 };
	struct fixture f;
	size_t before;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 1000", SHIM_RESTART_ALWAYS, 0);
	await_runs(&f, 1);
	before = count_fds(&f);
	fixture_write(&f, "no-create", "");
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	for (int i = 0; i < POLLS && now.restarts < 3; i++) {
		usleep(10000);
		assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	}
	assert_true(now.restarts >= 3);
	fixture_unlink(&f, "no-create");
	await_runs(&f, 2);
	for (int i = 0; i < POLLS && count_fds(&f) > before; i++)
		usleep(10000);
	assert_true(count_fds(&f) <= before);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failure_is_repeated_so_many_times),
		cmocka_unit_test(success_ends_it_on_failure_only),
		cmocka_unit_test(always_goes_on_until_a_final_signal),
		cmocka_unit_test(one_that_waits_is_over_by_a_final_signal),
		cmocka_unit_test(another_signal_is_followed_by_a_restart),
		cmocka_unit_test(state_on_disk_tells_of_it),
		cmocka_unit_test(restart_on_request_needs_no_policy),
		cmocka_unit_test(deadline_kills_unless_it_is_renewed),
		cmocka_unit_test(deadline_may_pause_and_be_lifted),
		cmocka_unit_test(one_that_cannot_be_made_costs_no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
