/* SPDX-License-Identifier: Apache-2.0 */
/* Output, input, the log, and the end of a container that ctr made. */
#include "tests/unit/shim/fixture.h"

#define CAT_JSON "{\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"cat\"],\"env\":[]}"
#define LINES 200000

/* Paths of a container's files in the bundle. */
struct names {
	char in[160], out[160], error[160], log[160], exit[160];
};

static void make_names(const struct fixture *f, struct names *n)
{
	snprintf(n->in, sizeof(n->in), "%s/in", f->bundle);
	snprintf(n->out, sizeof(n->out), "%s/out", f->bundle);
	snprintf(n->error, sizeof(n->error), "%s/error", f->bundle);
	snprintf(n->log, sizeof(n->log), "%s/log", f->bundle);
	snprintf(n->exit, sizeof(n->exit), "%s/exit.json", f->bundle);
	assert_return_code(mkfifo(n->in, 0600), errno);
	assert_return_code(mkfifo(n->out, 0600), errno);
	assert_return_code(mkfifo(n->error, 0600), errno);
}

static int open_reader(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	assert_return_code(fd, errno);
	assert_return_code(fcntl(fd, F_SETFL, 0), errno);
	return fd;
}

static void create(struct fixture *f, const struct shim_create_options *o)
{
	struct shim_create_options options = *o;

	options.id = "c";
	options.bundle = f->bundle;
	assert_return_code(shim_create(f->client, &options, NULL, &f->err), 0);
}

static char *read_all(int fd)
{
	char *text;

	assert_return_code(fd_read_all(fd, 64 << 20, &text, NULL, NULL), 0);
	close(fd);
	return text;
}

/* The log's text of one stream, put together again; owned by the caller. */
static char *unlog(const struct fixture *f, const char *stream)
{
	char *log = fixture_read(f, "log"), *save = NULL, *out = calloc(1, strlen(log) + 1);
	char mark[3][16];

	snprintf(mark[0], sizeof(mark[0]), "Z %s F ", stream);
	snprintf(mark[1], sizeof(mark[1]), "Z %s P ", stream);
	for (char *line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *space = strchr(line, ' ');

		assert_non_null(space);
		for (int i = 0; i < 2; i++)
			if (!strncmp(space - 1, mark[i], strlen(mark[i]))) {
				strcat(out, space - 1 + strlen(mark[i]));
				if (i == 0)
					strcat(out, "\n");
			}
	}
	free(log);
	return out;
}

static void test_output_goes_to_log_and_client(void **state)
{
	struct fixture f;
	struct names n;
	char *text;
	int out, error;

	(void)state;
	fixture_start(&f, "b", "echo one; printf two; echo bad >&2; exit 3", false);
	make_names(&f, &n);
	out = open_reader(n.out);
	error = open_reader(n.error);
	create(&f, &(struct shim_create_options){
			   .stdout_path = n.out, .stderr_path = n.error, .log_path = n.log });
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 3);
	/* All was delivered before Wait was answered, and the end of file is there. */
	text = read_all(out);
	assert_string_equal(text, "one\ntwo");
	free(text);
	text = read_all(error);
	assert_string_equal(text, "bad\n");
	free(text);
	text = unlog(&f, "stdout");
	assert_string_equal(text, "one\ntwo");
	free(text);
	text = unlog(&f, "stderr");
	assert_string_equal(text, "bad\n");
	free(text);
	fixture_stop(&f);
}

static void test_vanished_client_stops_nothing(void **state)
{
	struct fixture f;
	struct names n;
	char script[128], *log;
	size_t lines = 0;
	int out;

	(void)state;
	snprintf(script, sizeof(script),
		 "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done");
	fixture_start(&f, "b", script, false);
	make_names(&f, &n);
	out = open_reader(n.out);
	create(&f, &(struct shim_create_options){ .stdout_path = n.out, .log_path = n.log });
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	close(out);
	wait_exit(&f, "c", NULL, 0);
	/* A read may end within a line, so only the text put together again is certain. */
	log = unlog(&f, "stdout");
	for (char *p = log; (p = strstr(p, "line ")); p++)
		lines++;
	assert_int_equal(lines, 3000);
	assert_string_equal(log + strlen(log) - 10, "line 3000\n");
	free(log);
	fixture_stop(&f);
}

static void test_slow_client_gets_everything(void **state)
{
	struct fixture f;
	struct names n;
	struct shim_client *waiter;
	struct shim_exit exit;
	char script[128], *text;
	int out;

	(void)state;
	snprintf(script, sizeof(script), "seq %d", LINES);
	fixture_start(&f, "b", script, false);
	make_names(&f, &n);
	out = open_reader(n.out);
	create(&f, &(struct shim_create_options){ .stdout_path = n.out });
	assert_return_code(shim_connect(f.address, &waiter, &f.err), 0);
	assert_return_code(shim_wait_begin(waiter, "c", NULL, &f.err), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	usleep(100000);
	text = read_all(out);
	assert_int_equal(strlen(text), 1288895);
	assert_string_equal(text + 1288895 - 7, "200000\n");
	free(text);
	assert_return_code(shim_wait_finish(waiter, &exit, &f.err), 0);
	assert_int_equal(exit.status, 0);
	shim_close(waiter);
	fixture_stop(&f);
}

static void test_durable_client_may_come_late(void **state)
{
	struct fixture f;
	struct names n;
	char buf[16];
	int out;

	(void)state;
	fixture_start(&f, "b", "echo hello; exec sleep 1000", false);
	make_names(&f, &n);
	assert_return_code(create_durable(&f, "c", n.out), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	usleep(100000);
	/* Twice: a reader that goes away leaves the FIFO as it is. */
	for (int i = 0; i < 2; i++) {
		out = open_reader(n.out);
		assert_int_equal(read(out, buf, 3), 3);
		assert_memory_equal(buf, i ? "lo\n" : "hel", 3);
		close(out);
	}
	out = open_reader(n.out);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	assert_int_equal(read(out, buf, 1), 0); /* the end of file comes with the end */
	close(out);
	wait_exit(&f, "c", NULL, 137);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	fixture_stop(&f);
}

/* containerd's clients open their ends in the background. */
static void test_durable_client_may_come_after_the_end(void **state)
{
	struct fixture f;
	struct names n;
	char *text;

	(void)state;
	fixture_start(&f, "b", "echo hello", false);
	make_names(&f, &n);
	assert_return_code(create_durable(&f, "c", n.out), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 0);
	usleep(100000);
	text = read_all(open_reader(n.out));
	assert_string_equal(text, "hello\n");
	free(text);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	fixture_stop(&f);
}

static void test_stdin_ends_with_the_client(void **state)
{
	struct fixture f;
	struct names n;
	char *text;
	int in, out;

	(void)state;
	fixture_start(&f, "b", "exec cat", false);
	make_names(&f, &n);
	out = open_reader(n.out);
	create(&f, &(struct shim_create_options){ .stdin_path = n.in, .stdout_path = n.out });
	in = open(n.in, O_WRONLY | O_CLOEXEC);
	assert_return_code(in, errno);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	assert_int_equal(write(in, "through\n", 8), 8);
	close(in);
	wait_exit(&f, "c", NULL, 0);
	text = read_all(out);
	assert_string_equal(text, "through\n");
	free(text);
	fixture_stop(&f);
}

static void test_close_io_ends_stdin_of_an_exec(void **state)
{
	struct fixture f;
	struct names n;
	char *text;
	int in, out;

	(void)state;
	fixture_start(&f, "b", "exec sleep 1000", false);
	make_names(&f, &n);
	create(&f, &(struct shim_create_options){ .log_path = n.log });
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	out = open_reader(n.out);
	assert_return_code(shim_exec(f.client,
				     &(struct shim_exec_options){ .id = "c",
								  .exec_id = "e",
								  .stdin_path = n.in,
								  .stdout_path = n.out,
								  .process_json = CAT_JSON },
				     &f.err),
			   0);
	assert_return_code(shim_start(f.client, "c", "e", NULL, &f.err), 0);
	in = open(n.in, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(in, "x\n", 2), 2);
	assert_return_code(shim_close_stdin(f.client, "c", "e", &f.err), 0);
	wait_exit(&f, "c", "e", 0);
	text = read_all(out);
	assert_string_equal(text, "x\n");
	free(text);
	close(in);
	assert_file(&f, "log", ""); /* the log is the container's, not its execs' */
	fixture_stop(&f);
}

static void test_file_output_is_appended_to(void **state)
{
	struct fixture f;
	char uri[200];

	(void)state;
	fixture_start(&f, "b", "echo new", false);
	snprintf(uri, sizeof(uri), "file://%s/sub/folder/out.log", f.bundle);
	assert_return_code(create_durable(&f, "c", uri), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 0);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	assert_file(&f, "sub/folder/out.log", "new\n");
	fixture_stop(&f);
}

static void test_binary_logger_gets_output_and_names(void **state)
{
	static const char logger[] = "#!/bin/sh\nexec 5>&-\n"
				     "{ echo $CONTAINER_ID $CONTAINER_NAMESPACE \"$@\"; cat <&3; }"
				     " > $2.tmp; mv $2.tmp $2\n";
	struct fixture f;
	char uri[400], path[200], *text;

	(void)state;
	fixture_start(&f, "b", "echo logged", false);
	snprintf(path, sizeof(path), "%s/logger", f.bundle);
	assert_return_code(
		file_replace(AT_FDCWD, path, logger, strlen(logger), 0700, false, &f.err), 0);
	snprintf(uri, sizeof(uri), "binary://%s?to=%s/got&a%%20b=c", path, f.bundle);
	assert_return_code(create_durable(&f, "c", uri), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 0);
	assert_return_code(shim_delete(f.client, "c", NULL, NULL, &f.err), 0);
	snprintf(path, sizeof(path), "%s/got", f.bundle);
	for (int i = 0; i < POLLS && access(path, F_OK) < 0; i++)
		usleep(POLL_US); /* the logger is nobody's to wait for */
	text = fixture_read(&f, "got");
	snprintf(uri, sizeof(uri), "c test to %s/got a b c\nlogged\n", f.bundle);
	assert_string_equal(text, uri);
	free(text);
	fixture_stop(&f);
}

/* A Create with the logger, begun by f->client, and another client in its place. */
static struct shim_client *create_logged(struct fixture *f, const char *logger)
{
	Task__CreateRequest request = TASK__CREATE_REQUEST__INIT;
	struct shim_client *creator = f->client;
	char uri[400], path[200];

	snprintf(path, sizeof(path), "%s/logger", f->bundle);
	assert_return_code(
		file_replace(AT_FDCWD, path, logger, strlen(logger), 0700, false, &f->err), 0);
	snprintf(uri, sizeof(uri), "binary://%s?to=%s", path, f->bundle);
	request.id = proto_string("c");
	request.bundle = f->bundle;
	request.stdout = uri;
	assert_return_code(shim_call_begin(creator, "Create", &request, 0, &f->err), 0);
	assert_return_code(shim_connect(f->address, &f->client, &f->err), 0);
	return creator;
}

static void test_others_are_served_while_a_logger_comes_up(void **state)
{
	static const char logger[] = "#!/bin/sh\nwhile [ ! -e $2/go ]; do sleep 0.01; done\n"
				     "exec 5>&-; cat <&3 >/dev/null\n";
	struct shim_state seen;
	struct shim_client *creator;
	struct fixture f;
	char path[200];

	(void)state;
	fixture_start(&f, "b", "exit 3", true);
	creator = create_logged(&f, logger);
	/* It is not there yet, and its name is taken. */
	assert_int_equal(shim_state(f.client, "c", NULL, &seen, &f.err), -ENOENT);
	assert_int_equal(create_durable(&f, "c", ""), -EEXIST);
	snprintf(path, sizeof(path), "%s/go", f.bundle);
	assert_return_code(file_replace(AT_FDCWD, path, "", 0, 0600, false, &f.err), 0);
	assert_return_code(shim_call_finish(creator, NULL, NULL, &f.err), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 3);
	shim_close(creator);
	fixture_stop(&f);
}

/* Nobody knows of what it asked for: nothing of it stays. */
static void test_creator_that_goes_away_leaves_nothing(void **state)
{
	static const char logger[] = "#!/bin/sh\nwhile :; do sleep 0.01; done\n";
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exit 3", true);
	shim_close(create_logged(&f, logger));
	fixture_wait_end(&f);
	assert_file(&f, "backend", "");
	assert_file(&f, "events", "");
	fixture_stop(&f);
}

static void test_logger_that_is_none_fails_the_create(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exit 3", false);
	assert_int_equal(create_durable(&f, "c", "binary:///nowhere/logger"), -ENOENT);
	assert_string_equal(f.err.text,
			    "execute logger /nowhere/logger: No such file or directory");
	fixture_stop(&f);
}

static void test_exec_does_not_wait_for_background_children(void **state)
{
	struct fixture f;
	struct names n;
	char *text;
	int out;

	(void)state;
	fixture_start(&f, "b", "sleep 1000 & echo done", false);
	make_names(&f, &n);
	out = open_reader(n.out);
	create(&f, &(struct shim_create_options){ .stdout_path = n.out });
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 0);
	text = read_all(out);
	assert_string_equal(text, "done\n");
	free(text);
	fixture_stop(&f);
}

static void test_shim_of_ctr_ends_by_itself(void **state)
{
	struct fixture f;
	struct names n;
	char *text;

	(void)state;
	fixture_start(&f, "oom", "exit 9", false);
	make_names(&f, &n);
	create(&f, &(struct shim_create_options){ .exit_path = n.exit,
						  .rootfs = &(struct shim_mount){ "overlay", "o" },
						  .rootfs_count = 1 });
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 9);
	/* All is settled when Wait is answered. */
	assert_file(&f, "backend", "overlay\ndestroy\nunmount\n");
	text = fixture_read(&f, "exit.json");
	assert_non_null(strstr(text, "{\"version\":1,\"exit_code\":9,\"oom_killed\":true,"
				     "\"finished\":\"20"));
	free(text);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void test_connection_ends_after_the_removal(void **state)
{
	struct fixture f;
	struct shim_exit exit;
	struct shim_client *waiter;
	struct names n;
	char byte;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	make_names(&f, &n);
	create(&f, &(struct shim_create_options){ .exit_path = n.exit,
						  .engine_root = f.bundle,
						  .engine_runroot = f.dir,
						  .remove = true });
	/* Before Start: afterwards the shim may have gone already. */
	assert_return_code(shim_connect(f.address, &waiter, &f.err), 0);
	assert_return_code(shim_wait_begin(waiter, "c", NULL, &f.err), 0);
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	assert_return_code(shim_wait_finish(waiter, &exit, &f.err), 0);
	assert_int_equal(exit.status, 0);
	shim_close(waiter);
	assert_int_equal(read(shim_fd(f.client), &byte, 1), 0);
	assert_file(&f, "backend", "destroy\nremove\n");
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void test_client_that_does_not_read_delays_no_news(void **state)
{
	struct fixture f;
	struct names n;
	char *text;
	int fd;

	(void)state;
	fixture_start(&f, "b", "exec cat /dev/zero", false);
	make_names(&f, &n);
	fd = open_reader(n.out);
	create(&f, &(struct shim_create_options){ .exit_path = n.exit, .stdout_path = n.out });
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	usleep(50000);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	wait_exit(&f, "c", NULL, 137);
	assert_int_equal(access(n.exit, F_OK), 0);
	f.client = shim_close(f.client);
	/* The shim stays for the rest of it: what the FIFO holds and one read more. */
	text = read_all(fd);
	free(text);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void test_stdin_that_is_kept_outlives_its_writers(void **state)
{
	struct shim_state now;
	struct fixture f;
	struct names n;
	int fd;

	(void)state;
	fixture_start(&f, "b", "read line; echo got $line; read line; echo end", false);
	make_names(&f, &n);
	create(&f, &(struct shim_create_options){ .exit_path = n.exit,
						  .log_path = n.log,
						  .stdin_path = n.in,
						  .keep_stdin = true });
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	fd = open(n.in, O_WRONLY | O_CLOEXEC);
	assert_return_code(fd, errno);
	assert_int_equal(write(fd, "one\n", 4), 4);
	close(fd);
	usleep(50000);
	assert_return_code(shim_state(f.client, "c", NULL, &now, &f.err), 0);
	assert_int_equal(now.status, SHIM_RUNNING);
	assert_return_code(shim_close_stdin(f.client, "c", NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 0);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void test_container_gives_back_before_wait_is_answered(void **state)
{
	struct fixture f;
	struct names n;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	make_names(&f, &n);
	create(&f, &(struct shim_create_options){
			   .exit_path = n.exit, .engine_root = f.bundle, .engine_runroot = f.dir });
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	wait_exit(&f, "c", NULL, 0);
	assert_file(&f, "backend", "destroy\nrelease\n");
	fixture_wait_end(&f);
	fixture_stop(&f);
}

static void test_container_outlives_its_client(void **state)
{
	struct fixture f;
	struct names n;

	(void)state;
	fixture_start(&f, "b", "exec sleep 1000", false);
	make_names(&f, &n);
	create(&f, &(struct shim_create_options){ .exit_path = n.exit });
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	f.client = shim_close(f.client);
	usleep(50000);
	assert_return_code(shim_connect(f.address, &f.client, &f.err), 0);
	assert_return_code(shim_kill(f.client, "c", NULL, SIGKILL, false, &f.err), 0);
	f.client = shim_close(f.client);
	fixture_wait_end(&f);
	assert_int_equal(access(n.exit, F_OK), 0);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_goes_to_log_and_client),
		cmocka_unit_test(test_vanished_client_stops_nothing),
		cmocka_unit_test(test_slow_client_gets_everything),
		cmocka_unit_test(test_durable_client_may_come_late),
		cmocka_unit_test(test_durable_client_may_come_after_the_end),
		cmocka_unit_test(test_stdin_ends_with_the_client),
		cmocka_unit_test(test_close_io_ends_stdin_of_an_exec),
		cmocka_unit_test(test_file_output_is_appended_to),
		cmocka_unit_test(test_binary_logger_gets_output_and_names),
		cmocka_unit_test(test_others_are_served_while_a_logger_comes_up),
		cmocka_unit_test(test_creator_that_goes_away_leaves_nothing),
		cmocka_unit_test(test_logger_that_is_none_fails_the_create),
		cmocka_unit_test(test_exec_does_not_wait_for_background_children),
		cmocka_unit_test(test_shim_of_ctr_ends_by_itself),
		cmocka_unit_test(test_connection_ends_after_the_removal),
		cmocka_unit_test(test_client_that_does_not_read_delays_no_news),
		cmocka_unit_test(test_stdin_that_is_kept_outlives_its_writers),
		cmocka_unit_test(test_container_gives_back_before_wait_is_answered),
		cmocka_unit_test(test_container_outlives_its_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
