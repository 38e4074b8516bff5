/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks, over containers and probes that are plain shell processes. */
#include "runtime/shim/health_record.h"
#include "tests/unit/shim/fixture.h"

#define MS INT64_C(1000000)

static char *process_of(const char *script)
{
	const char *const args[] = { script, NULL };
	struct oci_process process = { .args = args, .args_count = 1, .cwd = "/" };
	char *json;
	size_t len;

	assert_return_code(oci_process_format(&process, &json, &len, NULL), 0);
	return json;
}

/* The probe runs in the shell with $B as the bundle. */
static void create(struct fixture *f, const char *script, const char *probe,
		   struct shim_health health, enum shim_restart restart)
{
	struct shim_policy policy = { .restart = restart };
	char text[512];
	char *json;

	snprintf(text, sizeof(text), "B=%s; %s", f->bundle, probe);
	json = process_of(text);
	health.kind = SHIM_HEALTH_EXEC;
	health.process_json = json;
	health.interval_ns = 20 * MS;
	health.start_interval_ns = 20 * MS;
	if (!health.timeout_ns)
		health.timeout_ns = 60000 * MS;
	if (!health.retries)
		health.retries = 2;
	health.stop_signal = SIGTERM;
	health.stop_timeout_ms = 60000;
	policy.health = health;
	create_own(f, script, &policy);
	free(json);
}

static void await_status(const struct fixture *f, enum health_status status)
{
	struct health_record record = { 0 };

	for (int i = 0; i < POLLS && record.status != status; i++) {
		usleep(POLL_US);
		health_record_deinit(&record);
		health_record_load(f->bundle, &record, NULL);
	}
	assert_int_equal(record.status, status);
	health_record_deinit(&record);
}

static void end(struct fixture *f)
{
	assert_return_code(shim_kill_finally(f->client, "c", SIGKILL, true, &f->err), 0);
	wait_exit(f, "c", NULL, 137);
	fixture_wait_end(f);
	fixture_stop(f);
}

static void success_and_failures_change_it(void **state)
{
	struct health_record record;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 1000", "echo looked; test -e $B/ok", (struct shim_health){ 0 },
	       SHIM_RESTART_NO);
	await_status(&f, HEALTH_UNHEALTHY);
	fixture_write(&f, "ok", "");
	await_status(&f, HEALTH_HEALTHY);
	assert_return_code(health_record_load(f.bundle, &record, &f.err), 0);
	assert_int_equal(record.failing_streak, 0);
	assert_true(record.count >= 3 && record.count <= HEALTH_RESULTS);
	assert_int_equal(record.results[record.count - 1].exit_code, 0);
	assert_string_equal(record.results[record.count - 1].output, "looked\n");
	health_record_deinit(&record);
	end(&f);
}

static void failures_do_not_count_in_the_start_period(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 1000", "test -e $B/ok && exit; echo >>$B/fails; exit 1",
	       (struct shim_health){ .start_period_ns = 3600000 * MS, .retries = 1 },
	       SHIM_RESTART_NO);
	for (int i = 0; i < POLLS; i++) {
		char *text = fixture_read(&f, "fails");
		size_t fails = text ? strlen(text) : 0;

		free(text);
		if (fails >= 4)
			break;
		usleep(POLL_US);
	}
	await_status(&f, HEALTH_STARTING);
	fixture_write(&f, "ok", "");
	await_status(&f, HEALTH_HEALTHY);
	/* Once it was healthy the period is over. */
	fixture_unlink(&f, "ok");
	await_status(&f, HEALTH_UNHEALTHY);
	end(&f);
}

static void one_that_takes_too_long_is_killed(void **state)
{
	struct health_record record;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 1000", "echo $$ >$B/pid; exec sleep 1000",
	       (struct shim_health){ .timeout_ns = 100 * MS, .retries = 1 }, SHIM_RESTART_NO);
	await_status(&f, HEALTH_UNHEALTHY);
	assert_return_code(health_record_load(f.bundle, &record, &f.err), 0);
	assert_int_equal(record.results[0].exit_code, -1);
	assert_string_equal(record.results[0].output, "it took longer than 0.1 s");
	health_record_deinit(&record);
	end(&f);
}

static void what_cannot_be_executed_has_failed(void **state)
{
	char *json = process_of("nothing");
	struct shim_policy policy = { 0 };
	struct health_record record;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	policy.health = (struct shim_health){ .kind = SHIM_HEALTH_EXEC,
					      .process_json = json,
					      .interval_ns = 20 * MS,
					      .timeout_ns = 20 * MS,
					      .start_interval_ns = 20 * MS,
					      .retries = 1 };
	create_own(&f, "exec sleep 1000", &policy);
	await_status(&f, HEALTH_UNHEALTHY);
	assert_return_code(health_record_load(f.bundle, &record, &f.err), 0);
	assert_string_equal(record.results[0].output, "exec nothing: No such file or directory");
	health_record_deinit(&record);
	free(json);
	end(&f);
}

static void much_output_is_cut_and_never_blocks(void **state)
{
	struct health_record record;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 1000", "head -c 1000000 /dev/zero", (struct shim_health){ 0 },
	       SHIM_RESTART_NO);
	await_status(&f, HEALTH_HEALTHY);
	assert_return_code(health_record_load(f.bundle, &record, &f.err), 0);
	assert_int_equal(strlen(record.results[0].output), HEALTH_OUTPUT_MAX);
	health_record_deinit(&record);
	end(&f);
}

/* It writes faster than anybody reads: its time is over all the same, and others are served. */
static void output_without_end_keeps_nobody_waiting(void **state)
{
	struct shim_state now;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	create(&f, "exec sleep 1000", "exec cat /dev/zero",
	       (struct shim_health){ .timeout_ns = 300 * MS, .retries = 1 }, SHIM_RESTART_NO);
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	await_status(&f, HEALTH_UNHEALTHY);
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	assert_int_equal(now.status, SHIM_RUNNING);
	end(&f);
}

static void unhealthy_ones_are_killed_stopped_restarted(void **state)
{
	static const struct {
		enum shim_health_action action;
		enum shim_restart restart;
		int code; /* of its end; 0: it goes on */
	} cases[] = {
		{ SHIM_HEALTH_KILL, SHIM_RESTART_NO, 137 },
		{ SHIM_HEALTH_STOP, SHIM_RESTART_ALWAYS, 143 },
		{ SHIM_HEALTH_KILL, SHIM_RESTART_ALWAYS, 0 },
		{ SHIM_HEALTH_RESTART, SHIM_RESTART_NO, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct shim_state now = { 0 };
		struct fixture f;

		fixture_start(&f, "b", "", false);
		create(&f, "exec sleep 1000", "exit 1",
		       (struct shim_health){ .action = cases[i].action }, cases[i].restart);
		if (cases[i].code) {
			wait_exit(&f, "c", NULL, (uint32_t)cases[i].code);
			fixture_wait_end(&f);
			fixture_stop(&f);
			continue;
		}
		for (int j = 0; j < POLLS && now.restarts < 2; j++) {
			usleep(POLL_US);
			assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
		}
		assert_true(now.restarts >= 2);
		shim_kill_finally(f.client, "c", SIGKILL, true, &f.err);
		fixture_stop(&f);
	}
}

static void records_hold_any_bytes(void **state)
{
	static const char bytes[] = "a\xff\xc3\xa4\xed\xa0\x80\xc0\x80\0z\xf0\x9f\x98\x80\xe2";
	struct health_record record = { .status = HEALTH_HEALTHY }, copy;
	char dir[] = "/tmp/cellar-health.XXXXXX", path[64];
	struct err err = { 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < HEALTH_RESULTS + 2; i++)
		assert_return_code(
			health_record_add(&record, i, i + 1, i, bytes, sizeof(bytes) - 1), 0);
	assert_int_equal(record.count, HEALTH_RESULTS);
	assert_int_equal(record.results[0].exit_code, 2);
	assert_return_code(health_record_save(dir, &record, &err), 0);
	assert_return_code(health_record_load(dir, &copy, &err), 0);
	assert_int_equal(copy.status, HEALTH_HEALTHY);
	assert_int_equal(copy.results[4].end_ns, 7);
	assert_string_equal(copy.results[4].output, "a?\xc3\xa4?????\x3fz\xf0\x9f\x98\x80?");
	health_record_deinit(&record);
	health_record_deinit(&copy);
	snprintf(path, sizeof(path), "%s/" HEALTH_FILE, dir);
	assert_return_code(unlink(path), errno);
	assert_int_equal(health_record_load(dir, &copy, NULL), -ENOENT);
	assert_return_code(rmdir(dir), errno);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success_and_failures_change_it),
		cmocka_unit_test(failures_do_not_count_in_the_start_period),
		cmocka_unit_test(one_that_takes_too_long_is_killed),
		cmocka_unit_test(what_cannot_be_executed_has_failed),
		cmocka_unit_test(much_output_is_cut_and_never_blocks),
		cmocka_unit_test(output_without_end_keeps_nobody_waiting),
		cmocka_unit_test(unhealthy_ones_are_killed_stopped_restarted),
		cmocka_unit_test(records_hold_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
