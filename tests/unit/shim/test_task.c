/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the Task API as containerd relies on them. */
#include "tests/unit/shim/fixture.h"

#include <poll.h>

#include "runtime/shim/options.pb-c.h"

#define SLEEP_JSON \
	"{\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"exec sleep 1000\"],\"env\":[]}"
#define EXIT_JSON "{\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"exit 7\"],\"env\":[]}"
#define NOTHING_JSON \
	"{\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"nothing\"],\"env\":[]}"

static int add_exec(struct fixture *f, const char *exec_id, const char *json)
{
	return shim_exec(
		f->client,
		&(struct shim_exec_options){ .id = "c", .exec_id = exec_id, .process_json = json },
		&f->err);
}

static enum shim_status status_of(struct fixture *f, const char *exec_id)
{
	struct shim_state state;

	assert_return_code(shim_state(f->client, "c", exec_id, &state, &f->err), 0);
	return state.status;
}

static void test_life_from_create_to_shutdown(void **state)
{
	struct fixture f;
	struct shim_exit exit;
	pid_t pid = 0;

	(void)state;
	fixture_start(&f, "b", "exit 42", true);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_int_equal(status_of(&f, NULL), SHIM_CREATED);
	assert_return_code(shim_start(f.client, "c", NULL, &pid, &f.err), 0);
	assert_true(pid > 0);
	wait_exit(&f, "c", NULL, 42);
	wait_exit(&f, "c", NULL, 42); /* also afterwards */
	assert_int_equal(status_of(&f, NULL), SHIM_STOPPED);
	assert_return_code(shim_delete(f.client, "c", NULL, &exit, &f.err), 0);
	assert_int_equal(exit.status, 42);
	assert_int_equal(shim_state(f.client, "c", NULL, &(struct shim_state){ 0 }, &f.err),
			 -ENOENT);
	assert_string_equal(f.err.text, "container not created");
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	fixture_wait_end(&f);
	assert_file(&f, "events", "create\nstart\nexit c 42\ndelete\n");
	assert_file(&f, "backend", "destroy\n");
	fixture_stop(&f);
}

static void test_start_answers_before_a_quick_exit_is_told(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exit 0", true);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 0);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	fixture_wait_end(&f);
	assert_file(&f, "events", "create\nstart\nexit c 0\ndelete\n");
	fixture_stop(&f);
}

static void test_wait_is_answered_at_the_end(void **state)
{
	struct fixture f;
	struct shim_client *waiter;
	struct shim_exit exit;

	(void)state;
	fixture_start(&f, "b", "exec sleep 1000", false);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_connect(f.address, &waiter, &f.err), 0);
	assert_return_code(shim_wait_begin(waiter, "c", NULL, &f.err), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	assert_int_equal(shim_delete(f.client, "c", NULL, NULL, &f.err), -EIO);
	assert_string_equal(f.err.text, "cannot delete a running process");
	assert_return_code(shim_kill(f.client, "c", NULL, SIGTERM, false, &f.err), 0);
	assert_return_code(shim_wait_finish(waiter, &exit, &f.err), 0);
	assert_int_equal(exit.status, 128 + SIGTERM);
	shim_close(waiter);
	assert_int_equal(shim_kill(f.client, "c", NULL, SIGTERM, false, &f.err), -ENOENT);
	assert_string_equal(f.err.text, "process already finished");
	assert_int_equal(shim_start(f.client, "c", NULL, NULL, &f.err), -EBUSY);
	fixture_stop(&f);
}

static void test_waiter_that_hangs_up_is_forgotten(void **state)
{
	struct fixture f;
	struct shim_client *waiter;

	(void)state;
	fixture_start(&f, "b", "exec sleep 1000", false);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_connect(f.address, &waiter, &f.err), 0);
	assert_return_code(shim_wait_begin(waiter, "c", NULL, &f.err), 0);
	shim_close(waiter);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, true, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	fixture_stop(&f);
}

/* One more than there is room for, each of which ends at once; how the last one fares. */
static int execute_many(struct fixture *f)
{
	char id[16];
	int r = 0;

	for (int i = 0; i <= 1024 && r == 0; i++) {
		snprintf(id, sizeof(id), "e%d", i);
		r = add_exec(f, id, NOTHING_JSON);
		if (r == 0)
			assert_int_equal(shim_start(f->client, "c", id, NULL, &f->err), -ENOENT);
	}
	return r;
}

static void test_ended_execs_of_ctr_make_room(void **state)
{
	struct fixture f;

	(void)state;
	/* containerd deletes each of them, and is told where it does not. */
	fixture_start(&f, "b", "exec sleep 1000", false);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	assert_int_equal(execute_many(&f), -EIO);
	assert_non_null(strstr(f.err.text, "were not deleted"));
	fixture_stop(&f);
	fixture_start(&f, "b", "", false);
	create_own(&f, "exec sleep 1000", &(struct shim_policy){ 0 });
	assert_return_code(execute_many(&f), 0);
	fixture_stop(&f);
}

static void test_rules_of_exec(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exec sleep 1000", true);
	assert_int_equal(add_exec(&f, "e", EXIT_JSON), -ENOENT);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_int_equal(create_durable(&f, "c", ""), -EEXIST);
	assert_return_code(add_exec(&f, "e", EXIT_JSON), 0);
	assert_int_equal(add_exec(&f, "e", EXIT_JSON), -EEXIST);
	assert_int_equal(add_exec(&f, "bad", "{\"args\":5}"), -EINVAL);
	assert_int_equal(shim_start(f.client, "c", "e", NULL, &f.err), -EBUSY);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	assert_int_equal(shim_kill(f.client, "c", "e", SIGTERM, false, &f.err), -EBUSY);
	assert_int_equal(status_of(&f, "e"), SHIM_CREATED);
	assert_return_code(shim_start(f.client, "c", "e", NULL, &f.err), 0);
	wait_exit(&f, "c", "e", 7);
	assert_int_equal(shim_start(f.client, "c", "e", NULL, &f.err), -EBUSY);
	assert_return_code(shim_delete(f.client, "c", "e", NULL, &f.err), 0);
	assert_int_equal(shim_delete(f.client, "c", "e", NULL, &f.err), -ENOENT);
	assert_return_code(add_exec(&f, "e", NOTHING_JSON), 0); /* the id is free again */
	assert_int_equal(shim_start(f.client, "c", "e", NULL, &f.err), -ENOENT);
	assert_string_equal(f.err.text, "exec nothing: No such file or directory");
	wait_exit(&f, "c", "e", 127);
	assert_return_code(shim_delete(f.client, "c", "e", NULL, &f.err), 0);
	assert_return_code(add_exec(&f, "late", EXIT_JSON), 0);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, true, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	assert_int_equal(shim_start(f.client, "c", "late", NULL, &f.err), -EBUSY);
	assert_int_equal(add_exec(&f, "later", EXIT_JSON), -EBUSY);
	assert_return_code(shim_delete(f.client, "c", "late", NULL, &f.err), 0);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	fixture_wait_end(&f);
	assert_file(&f, "events",
		    "create\nexec-added\nstart\nexec-started\nexit e 7\nexec-added\nexec-added\n"
		    "exit c 137\ndelete\n");
	fixture_stop(&f);
}

static void test_init_is_reported_after_its_execs(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exec sleep 1000", true);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	assert_return_code(add_exec(&f, "e", SLEEP_JSON), 0);
	assert_return_code(shim_start(f.client, "c", "e", NULL, &f.err), 0);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	while (status_of(&f, NULL) != SHIM_STOPPED)
		;
	/* The stand-in has no pid namespace that would end it. */
	assert_return_code(shim_kill(f.client, "c", "e", SIGKILL, false, &f.err), 0);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	fixture_wait_end(&f);
	assert_file(&f, "events",
		    "create\nstart\nexec-added\nexec-started\nexit e 137\nexit c 137\ndelete\n");
	fixture_stop(&f);
}

static void test_failed_create_leaves_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exit 0", true);
	assert_int_equal(create_durable(&f, "no-create", ""), -ENOENT);
	assert_string_equal(f.err.text, "no create today");
	assert_int_equal(create_durable(&f, "../c", ""), -EINVAL);
	assert_int_equal(create_durable(&f, "c", "/does/not/exist"), -ENOENT);
	assert_int_equal(shim_kill(f.client, "no-create", NULL, SIGKILL, false, &f.err), -ENOENT);
	fixture_wait_end(&f); /* a shim without a container leaves with its client */
	assert_file(&f, "events", "");
	fixture_stop(&f);
}

static void test_failed_start_ends_the_container(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "no-start", "exit 0", false);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_int_equal(shim_start(f.client, "c", NULL, NULL, &f.err), -ENOENT);
	wait_exit(&f, "c", NULL, 127);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	fixture_stop(&f);
}

static void test_delete_of_a_created_container_kills_it(void **state)
{
	struct fixture f;
	struct shim_exit exit;

	(void)state;
	fixture_start(&f, "b", "exit 0", true);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_delete(f.client, "c", NULL, &exit, &f.err), 0);
	assert_int_equal(exit.status, 137);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	fixture_wait_end(&f);
	assert_file(&f, "events", "create\nexit c 137\ndelete\n");
	fixture_stop(&f);
}

static void test_shutdown_waits_for_the_last_container(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(create_durable(&f, "d", ""), 0);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	assert_return_code(shim_delete(f.client, "d", NULL, NULL, &f.err), 0);
	assert_return_code(shim_shutdown(f.client, "d", &f.err), 0);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void test_stats_in_both_dialects(void **state)
{
	static const char *const names[] = { "v1", "v2" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct shim_stats stats;
		struct fixture f;

		fixture_start(&f, names[i], "exec sleep 1000", false);
		assert_return_code(create_durable(&f, "c", ""), 0);
		assert_return_code(shim_stats(f.client, "c", &stats, &f.err), 0);
		assert_int_equal(stats.memory_usage_bytes, 1000);
		assert_int_equal(stats.memory_limit_bytes, 2000);
		assert_int_equal(stats.cpu_usage_ns, 3000000);
		assert_int_equal(stats.pids_current, 4);
		assert_int_equal(stats.pids_limit, 5);
		assert_int_equal(stats.io_read_bytes, 6);
		assert_int_equal(stats.io_write_bytes, 7);
		fixture_stop(&f);
	}
}

static void test_update_hands_the_resources_on(void **state)
{
	static const char text[] = "{\"memory\":{\"limit\":5}}";
	Task__UpdateRequest request = TASK__UPDATE_REQUEST__INIT;
	Pb__Any any = PB__ANY__INIT;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exec sleep 1000", false);
	request.id = proto_string("c");
	assert_int_equal(shim_call(f.client, "Update", &request, NULL, NULL, &f.err), -ENOENT);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_true(shim_call(f.client, "Update", &request, NULL, NULL, &f.err) < 0);
	any.value.data = (uint8_t *)"[]";
	any.value.len = 2;
	request.resources = &any;
	assert_true(shim_call(f.client, "Update", &request, NULL, NULL, &f.err) < 0);
	assert_string_equal(f.err.text, "no object");
	any.value.data = (uint8_t *)text;
	any.value.len = sizeof(text) - 1;
	assert_return_code(shim_call(f.client, "Update", &request, NULL, NULL, &f.err), 0);
	assert_file(&f, "backend", "update {\"memory\":{\"limit\":5}}\n");
	fixture_stop(&f);
}

static void test_checkpoint_tells_what_is_wanted(void **state)
{
	/* exit, open_tcp */
	static const uint8_t options[] = { 0x08, 1, 0x10, 1 };
	Task__CheckpointRequest request = TASK__CHECKPOINT_REQUEST__INIT;
	Pb__Any any = PB__ANY__INIT;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exec sleep 1000", false);
	request.id = proto_string("c");
	assert_int_equal(shim_call(f.client, "Checkpoint", &request, NULL, NULL, &f.err), -ENOENT);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_true(shim_call(f.client, "Checkpoint", &request, NULL, NULL, &f.err) < 0);
	request.path = proto_string("/images");
	assert_return_code(shim_call(f.client, "Checkpoint", &request, NULL, NULL, &f.err), 0);
	assert_file(&f, "backend", "checkpoint /images running\n");
	any.type_url = proto_string("containerd.runc.v1.CheckpointOptions");
	any.value.data = (uint8_t *)(uintptr_t)options;
	any.value.len = sizeof(options);
	request.options = &any;
	assert_return_code(shim_call(f.client, "Checkpoint", &request, NULL, NULL, &f.err), 0);
	assert_file(&f, "backend", "checkpoint /images running\ncheckpoint /images tcp\n");
	fixture_stop(&f);
}

static void test_unknown_methods_are_unimplemented(void **state)
{
	Task__TaskRequest request = TASK__TASK_REQUEST__INIT;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	assert_int_equal(shim_call(f.client, "Dance", &request, NULL, NULL, &f.err), -ENOSYS);
	fixture_stop(&f);
}

static void hold(const struct fixture *f, bool held)
{
	if (held)
		fixture_write(f, "hold-checkpoint", "");
	else
		fixture_unlink(f, "hold-checkpoint");
}

static void test_others_are_served_while_a_checkpoint_is_made(void **state)
{
	Task__CheckpointRequest request = TASK__CHECKPOINT_REQUEST__INIT;
	struct shim_client *other, *maker;
	struct fixture f;

	(void)state;
	fixture_start(&f, "slow", "exec sleep 1000", true);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	hold(&f, true);
	request.id = proto_string("c");
	request.path = proto_string("/images");
	assert_return_code(shim_call_begin(f.client, "Checkpoint", &request, 0, &f.err), 0);
	assert_return_code(shim_connect(f.address, &other, &f.err), 0);
	maker = f.client;
	f.client = other;
	assert_int_equal(status_of(&f, NULL), SHIM_RUNNING);
	/* What would disturb it is refused. */
	assert_int_equal(shim_pause(f.client, "c", &f.err), -EBUSY);
	assert_string_equal(f.err.text, "container c is being written to a checkpoint");
	assert_return_code(add_exec(&f, "e", EXIT_JSON), 0);
	assert_int_equal(shim_start(f.client, "c", "e", NULL, &f.err), -EBUSY);
	/* Its end is told after the answer. */
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	usleep(20000);
	assert_int_equal(status_of(&f, NULL), SHIM_RUNNING);
	hold(&f, false);
	assert_return_code(shim_call_finish(maker, NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	shim_close(maker);
	fixture_wait_end(&f);
	assert_file(&f, "events", "create\nstart\nexec-added\ncheckpointed\nexit c 137\ndelete\n");
	fixture_stop(&f);
}

static int status_or_error(struct fixture *f, const char *id)
{
	struct shim_state state;

	return shim_state(f->client, id, NULL, &state, &f->err);
}

static void test_shutdown_does_not_shut_the_door_on_the_next(void **state)
{
	struct shim_client *first;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exec sleep 1000", true);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	/* Another container of the pod has found the shim, and is about to be created. */
	first = f.client;
	assert_return_code(shim_connect(f.address, &f.client, &f.err), 0);
	assert_int_equal(status_or_error(&f, "d"), -ENOENT);
	assert_return_code(shim_shutdown(first, "c", &f.err), 0);
	shim_close(first);
	assert_return_code(create_durable(&f, "d", ""), 0);
	assert_return_code(shim_kill(f.client, "d", NULL, SIGKILL, false, &f.err), 0);
	wait_exit(&f, "d", NULL, 137);
	assert_return_code(shim_delete(f.client, "d", NULL, NULL, &f.err), 0);
	assert_return_code(shim_shutdown(f.client, "d", &f.err), 0);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static int64_t leave_ns;

static void set_leave(const struct fixture *f, struct shim_options *options)
{
	(void)f;
	options->leave_ns = leave_ns;
}

/* False where the machine was so busy that the shim had left before the next Create. */
static bool next_one_calls_the_end_off(void)
{
	struct shim_client *first;
	struct pollfd end;
	struct fixture f;
	bool in_time;

	fixture_start(&f, "b", "exec sleep 1000", false);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	first = f.client;
	assert_return_code(shim_connect(f.address, &f.client, &f.err), 0);
	assert_int_equal(status_or_error(&f, "d"), -ENOENT);
	assert_return_code(shim_shutdown(first, "c", &f.err), 0);
	in_time = create_durable(&f, "d", "") == 0;
	if (in_time) {
		assert_return_code(shim_delete(f.client, "d", NULL, NULL, &f.err), 0);
		end = (struct pollfd){ .fd = f.shim_pidfd, .events = POLLIN };
		assert_int_equal(poll(&end, 1, (int)(leave_ns / 1000000) + 100), 0);
		assert_return_code(shim_shutdown(f.client, "d", &f.err), 0);
	}
	shim_close(first);
	fixture_wait_end(&f);
	fixture_stop(&f);
	return in_time;
}

static void test_end_that_was_called_off_comes_no_more(void **state)
{
	(void)state;
	fixture_prepare = set_leave;
	leave_ns = INT64_C(200000000);
	while (!next_one_calls_the_end_off()) {
		leave_ns *= 2;
		assert_true(leave_ns < INT64_C(60000000000));
	}
	fixture_prepare = NULL;
}

/* A Create with the options of containerd's runc. */
static int create_with(struct fixture *f, Options__Runc *options)
{
	Task__CreateRequest request = TASK__CREATE_REQUEST__INIT;
	Pb__Any any;
	int r;

	assert_return_code(proto_pack_any(options, "containerd.runc.v1.Options", &any), 0);
	request.id = proto_string("c");
	request.bundle = f->bundle;
	request.options = &any;
	r = shim_call(f->client, "Create", &request, NULL, NULL, &f->err);
	free(any.value.data);
	return r;
}

static void test_options_are_honoured_or_refused_in_words(void **state)
{
	Options__Runc options = OPTIONS__RUNC__INIT;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	options.binary_name = proto_string("/usr/bin/runc");
	assert_int_equal(create_with(&f, &options), -EINVAL);
	assert_non_null(
		strstr(f.err.text, "options.binary_name: the runtime is a part of this shim"));
	options.binary_name = proto_string("");
	options.task_api_address = proto_string("unix:///x");
	assert_int_equal(create_with(&f, &options), -EINVAL);
	assert_non_null(strstr(f.err.text, "options.task_api_address"));
	options.task_api_address = proto_string("");
	options.binary_name = proto_string("/opt/bin/cellar");
	options.io_uid = getuid();
	assert_return_code(create_with(&f, &options), 0);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life_from_create_to_shutdown),
		cmocka_unit_test(test_start_answers_before_a_quick_exit_is_told),
		cmocka_unit_test(test_wait_is_answered_at_the_end),
		cmocka_unit_test(test_waiter_that_hangs_up_is_forgotten),
		cmocka_unit_test(test_ended_execs_of_ctr_make_room),
		cmocka_unit_test(test_rules_of_exec),
		cmocka_unit_test(test_init_is_reported_after_its_execs),
		cmocka_unit_test(test_failed_create_leaves_nothing),
		cmocka_unit_test(test_failed_start_ends_the_container),
		cmocka_unit_test(test_delete_of_a_created_container_kills_it),
		cmocka_unit_test(test_shutdown_waits_for_the_last_container),
		cmocka_unit_test(test_stats_in_both_dialects),
		cmocka_unit_test(test_update_hands_the_resources_on),
		cmocka_unit_test(test_checkpoint_tells_what_is_wanted),
		cmocka_unit_test(test_others_are_served_while_a_checkpoint_is_made),
		cmocka_unit_test(test_unknown_methods_are_unimplemented),
		cmocka_unit_test(test_shutdown_does_not_shut_the_door_on_the_next),
		cmocka_unit_test(test_end_that_was_called_off_comes_no_more),
		cmocka_unit_test(test_options_are_honoured_or_refused_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
