/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes its time is done by children of the shim, as for a container with hooks: others are
 * served meanwhile, it can be called off, and where such a child is killed nothing stays.
 */
#include "tests/unit/shim/fixture.h"

#include <poll.h>

static const char hooks[] = "{\"hooks\":{}}";

static void start(struct fixture *f, const char *script, bool with_events)
{
	fixture_start(f, "b", script, with_events);
	fixture_write(f, "config.json", hooks);
}

static void await_file(const struct fixture *f, const char *name)
{
	for (int i = 0; i < POLLS && !fake_has(f->bundle, name); i++)
		usleep(10000);
	assert_true(fake_has(f->bundle, name));
}

static void assert_no_container(const struct fixture *f)
{
	assert_int_equal(fake_load(f->bundle, "c"), 0);
}

/* One of containerd's, whose script ends with 4. */
static void run_to_end(struct fixture *f)
{
	assert_return_code(create_durable(f, "c", ""), 0);
	assert_return_code(shim_start(f->client, "c", NULL, NULL, &f->err), 0);
	wait_exit(f, "c", NULL, 4);
}

/* With a limit of its own, as containerd sends it. */
static struct shim_client *begin_create(struct fixture *f, int64_t timeout_ns)
{
	_cleanup_strbuf_ struct strbuf frame = { 0 };
	Task__CreateRequest request = TASK__CREATE_REQUEST__INIT;
	struct ttrpc_call call = { .service = "containerd.task.v2.Task",
				   .method = "Create",
				   .message = &request,
				   .timeout_ns = timeout_ns };
	struct shim_client *creator;

	request.id = proto_string("c");
	request.bundle = f->bundle;
	assert_return_code(shim_connect(f->address, &creator, &f->err), 0);
	assert_return_code(ttrpc_pack_request(&call, 1, &frame, &f->err), 0);
	assert_return_code(ttrpc_send(shim_fd(creator), frame.data, frame.len, &f->err), 0);
	return creator;
}

static enum ttrpc_code finish_create(struct shim_client *creator)
{
	_cleanup_proto_ Ttrpc__Response *response = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	struct ttrpc_header header;

	assert_return_code(ttrpc_receive(shim_fd(creator), &header, &data, NULL), 0);
	assert_return_code(
		proto_unpack(&ttrpc__response__descriptor, data, header.length, &response, NULL),
		0);
	return response->status ? (enum ttrpc_code)response->status->code : TTRPC_OK;
}

/* ---- Creates that are not awaited ---- */

/*
 * A Create that is held in the midst: before its container is made, or when it is there already.
 * Whether it had come that far when its time was over.
 */
static bool check_out_of_time(const char *what, int64_t timeout_ns, const char *expected)
{
	struct fixture f;
	struct shim_client *creator;
	char hold[32], held[32];
	bool was_held;

	snprintf(hold, sizeof(hold), "hold-%s", what);
	snprintf(held, sizeof(held), "held-%s", what);
	start(&f, "exit 0", true);
	fixture_write(&f, hold, "");
	creator = begin_create(&f, timeout_ns);
	assert_int_equal(finish_create(creator), TTRPC_DEADLINE_EXCEEDED);
	/* containerd asks for its removal then, and leaves. */
	assert_int_equal(shim_delete(f.client, "c", NULL, NULL, &f.err), -ENOENT);
	assert_no_container(&f);
	was_held = fake_has(f.bundle, held);
	if (was_held)
		assert_file(&f, "backend", expected);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	shim_close(creator);
	fixture_wait_end(&f);
	assert_file(&f, "events", "");
	fixture_stop(&f);
	return was_held;
}

/* The machine may be so busy that the time is over before. */
static void check_held(const char *what, const char *expected)
{
	int64_t timeout_ns = INT64_C(100000000);

	while (!check_out_of_time(what, timeout_ns, expected)) {
		timeout_ns *= 2;
		assert_true(timeout_ns < INT64_C(60000000000));
	}
}

static void create_that_ran_out_of_time_leaves_nothing(void **state)
{
	(void)state;
	check_held("create", "");
	check_held("created", "destroy\n");
}

static void create_whose_client_hung_up_leaves_nothing(void **state)
{
	struct fixture f;
	struct shim_client *creator;

	(void)state;
	start(&f, "exit 0", true);
	fixture_write(&f, "hold-created", "");
	creator = begin_create(&f, 0);
	await_file(&f, "held-created");
	shim_close(creator);
	fixture_wait_end(&f);
	assert_no_container(&f);
	assert_file(&f, "backend", "destroy\n");
	assert_file(&f, "events", "");
	fixture_stop(&f);
}

static void delete_calls_a_create_off(void **state)
{
	struct fixture f;
	struct shim_client *creator;

	(void)state;
	start(&f, "exit 0", true);
	fixture_write(&f, "hold-created", "");
	creator = begin_create(&f, 0);
	await_file(&f, "held-created");
	/* What is only asked for in the midst of it is remembered. */
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	assert_int_equal(shim_delete(f.client, "c", NULL, NULL, &f.err), -ENOENT);
	assert_no_container(&f);
	assert_int_equal(finish_create(creator), TTRPC_UNKNOWN);
	shim_close(creator);
	fixture_wait_end(&f);
	assert_file(&f, "backend", "destroy\n");
	fixture_stop(&f);
}

static void begin_call(struct fixture *f, const char *method, struct shim_client **ret)
{
	Task__ProcessRequest request = TASK__PROCESS_REQUEST__INIT;

	request.id = proto_string("c");
	assert_return_code(shim_connect(f->address, ret, &f->err), 0);
	assert_return_code(shim_call_begin(*ret, method, &request, 0, &f->err), 0);
}

/* Two of containerd on one folder of states: the other one had the id first. */
static void create_that_is_called_off_leaves_the_container_of_others(void **state)
{
	struct fixture first, second;
	struct shim_client *creator;
	char path[200];

	(void)state;
	start(&first, "exit 4", false);
	assert_return_code(create_durable(&first, "c", ""), 0);
	start(&second, "exit 5", false);
	snprintf(path, sizeof(path), "%s/root", second.bundle);
	assert_return_code(symlink(first.bundle, path), errno);
	fixture_write(&second, "hold-create", "");
	creator = begin_create(&second, 0);
	await_file(&second, "held-create");
	assert_int_equal(shim_delete(second.client, "c", NULL, NULL, &second.err), -ENOENT);
	assert_int_equal(finish_create(creator), TTRPC_UNKNOWN);
	shim_close(creator);
	/* Nor does one whose maker died before it could tell. */
	fixture_unlink(&second, "hold-create");
	fixture_write(&second, "die-create", "");
	assert_int_equal(create_durable(&second, "c", ""), -ECHILD);
	assert_int_equal(create_durable(&second, "c", ""), -EEXIST);
	assert_file(&second, "backend", "");
	fixture_stop(&second);
	assert_return_code(shim_start(first.client, "c", NULL, NULL, &first.err), 0);
	wait_exit(&first, "c", NULL, 4);
	assert_file(&first, "backend", "");
	fixture_stop(&first);
}

static void delete_calls_a_start_off(void **state)
{
	struct shim_client *starter;
	struct fixture f;

	(void)state;
	start(&f, "exit 0", true);
	fixture_write(&f, "hold-start", "");
	assert_return_code(create_durable(&f, "c", ""), 0);
	begin_call(&f, "Start", &starter);
	await_file(&f, "held-start");
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_true(shim_call_finish(starter, NULL, NULL, &f.err) < 0);
	assert_no_container(&f);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	shim_close(starter);
	fixture_wait_end(&f);
	assert_file(&f, "backend", "destroy\n");
	assert_file(&f, "events", "create\nexit c 126\ndelete\n");
	fixture_stop(&f);
}

static void delete_calls_a_restore_off(void **state)
{
	Task__CreateRequest request = TASK__CREATE_REQUEST__INIT;
	struct shim_client *starter;
	struct fixture f;

	(void)state;
	start(&f, "exit 0", true);
	fixture_write(&f, "hold-created", "");
	request.id = proto_string("c");
	request.bundle = f.bundle;
	request.checkpoint = f.bundle;
	assert_return_code(shim_call(f.client, "Create", &request, NULL, NULL, &f.err), 0);
	begin_call(&f, "Start", &starter);
	await_file(&f, "held-created");
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_true(shim_call_finish(starter, NULL, NULL, &f.err) < 0);
	assert_no_container(&f);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	shim_close(starter);
	fixture_wait_end(&f);
	assert_file(&f, "events", "create\ndelete\n");
	fixture_stop(&f);
}

/* Nothing is left that nobody would end. */
static void deadline_calls_a_restore_off(void **state)
{
	Task__CreateRequest request = TASK__CREATE_REQUEST__INIT;
	struct shim_client *starter;
	struct fixture f;

	(void)state;
	start(&f, "exit 4", false);
	fixture_write(&f, "hold-created", "");
	request.id = proto_string("c");
	request.bundle = f.bundle;
	request.checkpoint = f.bundle;
	assert_return_code(shim_call(f.client, "Create", &request, NULL, NULL, &f.err), 0);
	begin_call(&f, "Start", &starter);
	await_file(&f, "held-created");
	assert_return_code(shim_set_deadline(f.client, "c", 1, false, &f.err), 0);
	assert_true(shim_call_finish(starter, NULL, NULL, &f.err) < 0);
	assert_no_container(&f);
	shim_close(starter);
	fixture_unlink(&f, "hold-created");
	/* Nor is it started later, unless it is allowed anew. */
	assert_true(shim_start(f.client, "c", NULL, NULL, &f.err) < 0);
	assert_no_container(&f);
	assert_return_code(shim_set_deadline(f.client, "c", 3600000, false, &f.err), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 4);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	fixture_stop(&f);
}

/* A shim that served others before leaves with the last one, whose Create was given up. */
static void shutdown_counts_when_the_create_has_failed(void **state)
{
	struct shim_client *creator;
	struct pollfd end;
	struct fixture f;

	(void)state;
	start(&f, "exit 0", false);
	assert_return_code(create_durable(&f, "other", ""), 0);
	assert_return_code(shim_delete(f.client, "other", NULL, NULL, &f.err), 0);
	fixture_write(&f, "hold-create", "");
	creator = begin_create(&f, 0);
	await_file(&f, "held-create");
	assert_return_code(shim_shutdown(f.client, "other", &f.err), 0);
	shim_close(creator);
	end = (struct pollfd){ .fd = f.shim_pidfd, .events = POLLIN };
	assert_int_equal(poll(&end, 1, 60000), 1);
	fixture_stop(&f);
}

/* ---- children that are killed ---- */

static void killed_creator_leaves_nothing(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, "exit 4", false);
	fixture_write(&f, "die-created", "");
	assert_int_equal(create_durable(&f, "c", ""), -ECHILD);
	assert_no_container(&f);
	assert_file(&f, "backend", "destroy\n");
	/* Its name is free again. */
	run_to_end(&f);
	fixture_stop(&f);
}

static void killed_starter_ends_the_container(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, "exit 4", true);
	fixture_write(&f, "die-start", "");
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_int_equal(shim_start(f.client, "c", NULL, NULL, &f.err), -ECHILD);
	wait_exit(&f, "c", NULL, 126);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_no_container(&f);
	fixture_stop(&f);
}

static void killed_restorer_leaves_nothing(void **state)
{
	Task__CreateRequest request = TASK__CREATE_REQUEST__INIT;
	struct fixture f;

	(void)state;
	start(&f, "exit 4", false);
	fixture_write(&f, "die-created", "");
	request.id = proto_string("c");
	request.bundle = f.bundle;
	request.checkpoint = f.bundle;
	assert_return_code(shim_call(f.client, "Create", &request, NULL, NULL, &f.err), 0);
	assert_int_equal(shim_start(f.client, "c", NULL, NULL, &f.err), -ECHILD);
	assert_no_container(&f);
	assert_file(&f, "backend", "destroy\n");
	/* Once more, and nobody is killed. */
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 4);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	fixture_stop(&f);
}

static void killed_remover_has_its_work_done(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, "exit 4", false);
	run_to_end(&f);
	fixture_write(&f, "die-destroy", "");
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_no_container(&f);
	assert_file(&f, "backend", "destroy\n");
	fixture_stop(&f);
}

/* Who is killed again and again is not waited for: the shim does it, and runs no hooks. */
static void remover_that_is_always_killed_has_its_work_done(void **state)
{
	struct fixture f;
	char path[200];

	(void)state;
	start(&f, "exit 4", false);
	run_to_end(&f);
	/* A folder, which is not removed when one has died by it. */
	snprintf(path, sizeof(path), "%s/die-destroy", f.bundle);
	assert_return_code(mkdir(path, 0700), errno);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_no_container(&f);
	assert_file(&f, "backend", "destroy without hooks\n");
	fixture_stop(&f);
}

/* As with a poststop hook that hangs. */
static void all_but_its_delete_is_answered_while_a_delete_hangs(void **state)
{
	struct shim_client *deleter;
	struct shim_state now;
	struct fixture f;

	(void)state;
	start(&f, "exit 4", true);
	run_to_end(&f);
	fixture_write(&f, "hold-destroy", "");
	begin_call(&f, "Delete", &deleter);
	await_file(&f, "held-destroy");
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	assert_int_equal(now.status, SHIM_STOPPED);
	wait_exit(&f, "c", NULL, 4);
	assert_int_equal(shim_kill(f.client, "c", NULL, SIGKILL, true, &f.err), -ENOENT);
	assert_int_equal(shim_delete(f.client, "c", NULL, NULL, &f.err), -EBUSY);
	assert_int_equal(create_durable(&f, "c", ""), -EEXIST);
	/* Nothing that is asked for ends the shim in the midst of it. */
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	fixture_unlink(&f, "hold-destroy");
	assert_return_code(shim_call_finish(deleter, NULL, NULL, &f.err), 0);
	shim_close(deleter);
	assert_no_container(&f);
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	fixture_wait_end(&f);
	assert_file(&f, "events", "create\nstart\nexit c 4\ndelete\n");
	fixture_stop(&f);
}

/* Who waits for it no more may ask again. */
static void delete_that_was_given_up_is_taken_over(void **state)
{
	struct shim_client *deleter, *next;
	struct fixture f;

	(void)state;
	start(&f, "exit 4", false);
	run_to_end(&f);
	fixture_write(&f, "hold-destroy", "");
	begin_call(&f, "Delete", &deleter);
	await_file(&f, "held-destroy");
	shim_close(deleter);
	/* That it has left is seen before what comes later, and this before what comes then. */
	begin_call(&f, "Delete", &next);
	assert_int_equal(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), -ENOENT);
	fixture_unlink(&f, "hold-destroy");
	assert_return_code(shim_call_finish(next, NULL, NULL, &f.err), 0);
	shim_close(next);
	assert_no_container(&f);
	assert_file(&f, "backend", "destroy\n");
	fixture_stop(&f);
}

static void container_that_a_killed_checkpoint_froze_can_be_resumed(void **state)
{
	Task__CheckpointRequest checkpoint = TASK__CHECKPOINT_REQUEST__INIT;
	struct shim_state now;
	struct fixture f;

	(void)state;
	start(&f, "exec sleep 1000", false);
	assert_return_code(create_durable(&f, "c", ""), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	fixture_write(&f, "die-checkpoint", "");
	fixture_write(&f, "frozen", "");
	checkpoint.id = proto_string("c");
	checkpoint.path = f.bundle;
	assert_int_equal(shim_call(f.client, "Checkpoint", &checkpoint, NULL, NULL, &f.err),
			 -ECHILD);
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	assert_int_equal(now.status, SHIM_PAUSED);
	assert_return_code(shim_resume(f.client, "c", &f.err), 0);
	fixture_stop(&f);
}

/* ---- ctr's containers ---- */

static void create(struct fixture *f, const char *script, enum shim_restart restart)
{
	create_own(f, script, &(struct shim_policy){ .restart = restart });
}

static struct shim_state look(struct fixture *f)
{
	struct shim_state now;

	assert_return_code(shim_state(f->client, "c", NULL, &now, &f->err), 0);
	return now;
}

static void others_are_served_while_a_container_is_given_back(void **state)
{
	struct shim_client *waiter;
	struct shim_exit end;
	struct pollfd early;
	struct fixture f;

	(void)state;
	start(&f, "", true);
	fixture_write(&f, "hold-destroy", "");
	create(&f, "exit 3", SHIM_RESTART_NO);
	assert_return_code(shim_connect(f.address, &waiter, &f.err), 0);
	assert_return_code(shim_wait_begin(waiter, "c", NULL, &f.err), 0);
	await_file(&f, "held-destroy");
	assert_int_equal(look(&f).status, SHIM_STOPPED);
	/* The end is told when nothing is left. */
	early = (struct pollfd){ .fd = shim_fd(waiter), .events = POLLIN };
	assert_int_equal(poll(&early, 1, 100), 0);
	fixture_unlink(&f, "hold-destroy");
	assert_return_code(shim_wait_finish(waiter, &end, &f.err), 0);
	assert_int_equal(end.status, 3);
	assert_no_container(&f);
	shim_close(waiter);
	fixture_wait_end(&f);
	assert_file(&f, "backend", "destroy\nrelease\n");
	assert_file(&f, "events", "create\nstart\nexit c 3\n");
	fixture_stop(&f);
}

static void await_runs(const struct fixture *f, const char *expected)
{
	for (int i = 0; i < POLLS; i++) {
		_cleanup_free_ char *text = fixture_read(f, "runs");

		if (!strcmp(text, expected))
			return;
		usleep(10000);
	}
	assert_file(f, "runs", expected);
}

static const char *counting(const struct fixture *f, const char *rest)
{
	static char script[300];

	snprintf(script, sizeof(script), "echo run >>%s/runs; %s", f->bundle, rest);
	return script;
}

static void others_are_served_while_a_container_is_restarted(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, "", true);
	create(&f, counting(&f, "exec sleep 1000"), SHIM_RESTART_ALWAYS);
	await_runs(&f, "run\n");
	fixture_write(&f, "hold-destroy", "");
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	await_file(&f, "held-destroy");
	assert_true(look(&f).restarting);
	fixture_write(&f, "hold-create", "");
	fixture_unlink(&f, "hold-destroy");
	await_file(&f, "held-create");
	assert_true(look(&f).restarting);
	fixture_write(&f, "hold-start", "");
	fixture_unlink(&f, "hold-create");
	await_file(&f, "held-start");
	assert_int_equal(look(&f).status, SHIM_CREATED);
	fixture_unlink(&f, "hold-start");
	await_runs(&f, "run\nrun\n");
	assert_int_equal(look(&f).restarts, 1);
	assert_return_code(shim_kill_finally(f.client, "c", SIGKILL, true, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	fixture_wait_end(&f);
	assert_file(&f, "backend", "destroy\ndestroy\nrelease\n");
	assert_file(&f, "events", "create\nstart\nexit c 137\nstart\nexit c 137\n");
	fixture_stop(&f);
}

static void final_signal_calls_a_restart_off(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, "", false);
	create(&f, counting(&f, "exit 5"), SHIM_RESTART_ALWAYS);
	fixture_write(&f, "hold-created", "");
	await_file(&f, "held-created");
	assert_return_code(shim_kill_finally(f.client, "c", SIGTERM, true, &f.err), 0);
	fixture_unlink(&f, "hold-created");
	wait_exit(&f, "c", NULL, 5);
	assert_no_container(&f);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void killed_creator_is_no_end_of_restarts(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, "", false);
	create(&f, counting(&f, "exec sleep 1000"), SHIM_RESTART_ALWAYS);
	await_runs(&f, "run\n");
	fixture_write(&f, "die-created", "");
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	await_runs(&f, "run\nrun\n");
	assert_int_equal(look(&f).restarts, 2);
	assert_return_code(shim_kill_finally(f.client, "c", SIGKILL, true, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	assert_no_container(&f);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_that_ran_out_of_time_leaves_nothing),
		cmocka_unit_test(create_whose_client_hung_up_leaves_nothing),
		cmocka_unit_test(delete_calls_a_create_off),
		cmocka_unit_test(create_that_is_called_off_leaves_the_container_of_others),
		cmocka_unit_test(delete_calls_a_start_off),
		cmocka_unit_test(delete_calls_a_restore_off),
		cmocka_unit_test(deadline_calls_a_restore_off),
		cmocka_unit_test(shutdown_counts_when_the_create_has_failed),
		cmocka_unit_test(killed_creator_leaves_nothing),
		cmocka_unit_test(killed_starter_ends_the_container),
		cmocka_unit_test(killed_restorer_leaves_nothing),
		cmocka_unit_test(killed_remover_has_its_work_done),
		cmocka_unit_test(remover_that_is_always_killed_has_its_work_done),
		cmocka_unit_test(all_but_its_delete_is_answered_while_a_delete_hangs),
		cmocka_unit_test(delete_that_was_given_up_is_taken_over),
		cmocka_unit_test(container_that_a_killed_checkpoint_froze_can_be_resumed),
		cmocka_unit_test(others_are_served_while_a_container_is_given_back),
		cmocka_unit_test(others_are_served_while_a_container_is_restarted),
		cmocka_unit_test(final_signal_calls_a_restart_off),
		cmocka_unit_test(killed_creator_is_no_end_of_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
