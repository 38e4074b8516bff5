/* SPDX-License-Identifier: Apache-2.0 */
/* What the new program makes of what the old one left, where not all of it is whole. */
#include "tests/unit/shim/fixture.h"

#include "runtime/shim/upgrade.h"

/* As the old program has left it: a container of containerd with its init and one more process. */
static struct {
	Upgrade__State state;
	Upgrade__Task task, *tasks[1];
	Upgrade__Process init, exec, *execs[1];
	struct strbuf request;
} old;

static pid_t run(const struct fixture *f, const char *name, int *ret_pidfd)
{
	char script[200];
	pid_t pid = process_clone(0, -1, ret_pidfd);

	/* Each ends when the test takes its file away. */
	snprintf(script, sizeof(script), "while [ -e %s/%s ]; do sleep 0.01; done; exit 7",
		 f->bundle, name);
	if (pid == 0)
		fake_exec(NULL, -1, script);
	return pid;
}

static void fill_process(Upgrade__Process *p, const char *exec_id, pid_t pid, int pidfd)
{
	*p = (Upgrade__Process)UPGRADE__PROCESS__INIT;
	p->exec_id = proto_string(exec_id);
	p->pid = pid;
	p->pidfd = pidfd;
}

static void fill_request(const struct fixture *f)
{
	Task__CreateRequest request = TASK__CREATE_REQUEST__INIT;

	request.id = proto_string("c");
	request.bundle = (char *)(uintptr_t)f->bundle;
	proto_pack(&request, &old.request);
	old.task.request.data = (uint8_t *)old.request.data;
	old.task.request.len = old.request.len;
}

static void leave_behind(const struct fixture *f, struct shim_options *options)
{
	struct fake init = { .id = "c" };
	int pidfd;

	fixture_write(f, "init-runs", "");
	fixture_write(f, "exec-runs", "");
	fixture_write(f, "no-adopt", "");
	snprintf(init.bundle, sizeof(init.bundle), "%s", f->bundle);
	init.pid = run(f, "init-runs", &pidfd);
	close(pidfd);
	fake_save(&init);
	fill_process(&old.init, "", init.pid, -1);
	fill_process(&old.exec, "e", 0, -1);
	old.exec.pid = run(f, "exec-runs", &old.exec.pidfd);
	old.state = (Upgrade__State)UPGRADE__STATE__INIT;
	old.task = (Upgrade__Task)UPGRADE__TASK__INIT;
	fill_request(f);
	old.execs[0] = &old.exec;
	old.task.init = &old.init;
	old.task.execs = old.execs;
	old.task.n_execs = 1;
	old.tasks[0] = &old.task;
	old.state.tasks = old.tasks;
	old.state.n_tasks = 1;
	old.state.version = UPGRADE_VERSION;
	old.state.listen_fd = old.state.lock_fd = -1;
	options->upgrade = &old.state;
}

static int setup(void **state)
{
	(void)state;
	fixture_prepare = leave_behind;
	return 0;
}

static struct shim_state look(struct fixture *f, const char *exec_id)
{
	struct shim_state now;

	assert_return_code(shim_state(f->client, "c", exec_id, &now, &f->err), 0);
	return now;
}

static void processes_of_a_container_that_cannot_be_opened_are_held(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", true);
	assert_int_equal(look(&f, NULL).status, SHIM_RUNNING);
	assert_int_equal(look(&f, "e").status, SHIM_RUNNING);
	fixture_unlink(&f, "exec-runs");
	wait_exit(&f, "c", "e", 7);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, true, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	/* What is damaged can be removed. */
	assert_file(&f, "backend", "destroy\nunmount\n");
	assert_return_code(shim_shutdown(f.client, "c", &f.err), 0);
	fixture_wait_end(&f);
	assert_file(&f, "events", "exit e 7\nexit c 137\ndelete\n");
	fixture_stop(&f);
}

static void container_is_looked_for_again(void **state)
{
	Task__TaskRequest request = TASK__TASK_REQUEST__INIT;
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "", false);
	request.id = proto_string("c");
	assert_true(shim_call(f.client, "Stats", &request, NULL, NULL, &f.err) < 0);
	fixture_unlink(&f, "no-adopt");
	assert_return_code(shim_call(f.client, "Stats", &request, NULL, NULL, &f.err), 0);
	fixture_unlink(&f, "init-runs");
	fixture_unlink(&f, "exec-runs");
	wait_exit(&f, "c", NULL, 7);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_of_a_container_that_cannot_be_opened_are_held),
		cmocka_unit_test(container_is_looked_for_again),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
