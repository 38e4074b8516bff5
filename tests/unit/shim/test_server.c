/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile or broken peer does to the server: nothing. */
#include <sys/socket.h>

#include "base/clock.h"
#include "tests/unit/shim/fixture.h"

static int raw(struct fixture *f)
{
	int fd = ttrpc_connect(f->address, false, &f->err);

	assert_return_code(fd, -fd);
	return fd;
}

/* Waits until the shim has closed the connection. */
static void assert_dropped(int fd)
{
	char buf[4096];
	ssize_t n;

	do
		n = recv(fd, buf, sizeof(buf), 0);
	while (n > 0);
	assert_true(n == 0 || errno == ECONNRESET);
	close(fd);
}

static void assert_alive(struct fixture *f)
{
	assert_int_equal(shim_kill(f->client, "none", NULL, 1, false, &f->err), -ENOENT);
}

static void test_broken_frames_cost_the_connection_only(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} frames[] = {
		{ "\xff\xff\xff\xff\0\0\0\1\1\0", 10 }, /* 4 GiB */
		{ "\x00\x40\x00\x01\0\0\0\1\1\0", 10 }, /* 4 MiB + 1 */
		{ "\0\0\0\0\0\0\0\2\1\0", 10 },		/* even stream */
		{ "\0\0\0\0\0\0\0\0\1\0", 10 },		/* stream 0 */
		{ "\0\0\0\0\0\0\0\1\2\0", 10 },		/* an answer */
		{ "\0\0\0\0\0\0\0\1\3\0", 10 },		/* data of a stream */
		{ "\0\0\0\0\0\0\0\1\x7f\0", 10 },	/* unknown type */
		{ "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 35 },
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		int fd = raw(&f);

		assert_int_equal(send(fd, frames[i].data, frames[i].len, MSG_NOSIGNAL),
				 frames[i].len);
		assert_dropped(fd);
		assert_alive(&f);
	}
	fixture_stop(&f);
}

static void test_garbage_in_a_frame_is_an_invalid_argument(void **state)
{
	struct ttrpc_header header;
	Ttrpc__Response *response;
	struct fixture f;
	uint8_t *data;
	int fd;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	fd = raw(&f);
	assert_int_equal(write(fd, "\0\0\0\3\0\0\0\1\1\0\xff\xff\xff", 13), 13);
	assert_return_code(ttrpc_receive(fd, &header, &data, &f.err), 0);
	assert_int_equal(header.stream, 1);
	assert_return_code(
		proto_unpack(&ttrpc__response__descriptor, data, header.length, &response, NULL),
		0);
	assert_int_equal(response->status->code, TTRPC_INVALID_ARGUMENT);
	proto_free(response);
	free(data);
	close(fd);
	fixture_stop(&f);
}

static void pack(struct strbuf *frame, uint32_t stream, const char *id)
{
	Task__ProcessRequest message = TASK__PROCESS_REQUEST__INIT;
	struct ttrpc_call call = { .service = "containerd.task.v2.Task",
				   .method = "State",
				   .message = &message };

	message.id = proto_string(id);
	assert_return_code(ttrpc_pack_request(&call, stream, frame, NULL), 0);
}

static void test_frames_may_come_byte_by_byte_and_many_at_once(void **state)
{
	struct strbuf frames = { 0 };
	struct ttrpc_header header;
	struct fixture f;
	uint8_t *data;
	int fd;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	fd = raw(&f);
	for (uint32_t stream = 1; stream < 200; stream += 2)
		pack(&frames, stream, "nobody");
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(write(fd, frames.data + i, 1), 1);
		usleep(200);
	}
	assert_return_code(fd_write_all(fd, frames.data + 100, frames.len - 100), 0);
	for (uint32_t stream = 1; stream < 200; stream += 2) {
		assert_return_code(ttrpc_receive(fd, &header, &data, &f.err), 0);
		assert_int_equal(header.stream, stream);
		free(data);
	}
	close(fd);
	strbuf_deinit(&frames);
	fixture_stop(&f);
}

/* Sends calls until the server has had enough of a client that never reads. */
static void test_client_that_never_reads_is_dropped(void **state)
{
	struct strbuf frames = { 0 };
	struct fixture f;
	int64_t deadline;
	char *id;
	int fd;
	bool dropped = false;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	fd = raw(&f);
	id = malloc(50001);
	memset(id, 'a', 50000);
	id[50000] = '\0';
	pack(&frames, 1, id);
	free(id);
	deadline = clock_monotonic_ns() + INT64_C(60000000000);
	while (!dropped && clock_monotonic_ns() < deadline)
		dropped = send(fd, frames.data, frames.len, MSG_NOSIGNAL) < 0;
	assert_true(dropped);
	close(fd);
	assert_alive(&f);
	strbuf_deinit(&frames);
	fixture_stop(&f);
}

/* Of those that one process opens the silent ones go first, and who comes is served. */
static void test_silent_connections_make_room(void **state)
{
	int fds[SERVER_CONNECTIONS_MAX + 20];
	struct fixture f;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	assert_alive(&f);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = raw(&f);
	for (size_t i = 0; i < 5; i++) {
		struct shim_client *other;

		assert_return_code(shim_connect(f.address, &other, &f.err), 0);
		assert_int_equal(shim_kill(other, "none", NULL, 1, false, &f.err), -ENOENT);
		shim_close(other);
	}
	assert_alive(&f);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	fixture_stop(&f);
}

/* Sends a call on each of many connections from another process, which then holds them. */
static pid_t hold_connections(struct fixture *f, size_t count, const char *method)
{
	Task__ProcessRequest message = TASK__PROCESS_REQUEST__INIT;
	struct ttrpc_call call = { .service = "containerd.task.v2.Task",
				   .method = method,
				   .message = &message };
	struct strbuf frame = { 0 };
	int unused, ready[2];
	char byte;
	pid_t pid;

	message.id = proto_string("c");
	assert_return_code(ttrpc_pack_request(&call, 1, &frame, NULL), 0);
	assert_return_code(pipe2(ready, O_CLOEXEC), errno);
	pid = process_clone(0, -1, &unused);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (size_t i = 0; i < count; i++) {
			int fd = ttrpc_connect(f->address, false, NULL);

			if (fd < 0 || send(fd, frame.data, frame.len, MSG_NOSIGNAL) < 0)
				_exit(1);
			/* A reply tells that it was heard. */
			if (!strcmp(method, "State"))
				recv(fd, &byte, 1, 0);
		}
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(unused);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	strbuf_deinit(&frame);
	return pid;
}

static void test_who_opens_many_takes_from_itself(void **state)
{
	static const char *const methods[] = { "State", "Wait" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct fixture f;
		pid_t pid;
		int status;

		fixture_start(&f, "b", "exit 0", false);
		assert_return_code(create_durable(&f, "c", ""), 0);
		pid = hold_connections(&f, SERVER_CONNECTIONS_MAX + 50, methods[i]);
		assert_alive(&f);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_alive(&f);
		fixture_stop(&f);
	}
}

static void send_wait(int fd, uint32_t stream, int64_t timeout_ns)
{
	Task__ProcessRequest message = TASK__PROCESS_REQUEST__INIT;
	struct ttrpc_call call = { .service = "containerd.task.v2.Task",
				   .method = "Wait",
				   .message = &message,
				   .timeout_ns = timeout_ns };
	struct strbuf frame = { 0 };

	message.id = proto_string("c");
	assert_return_code(ttrpc_pack_request(&call, stream, &frame, NULL), 0);
	assert_return_code(fd_write_all(fd, frame.data, frame.len), 0);
	strbuf_deinit(&frame);
}

static int read_code(int fd, uint32_t stream)
{
	struct ttrpc_header header;
	Ttrpc__Response *response;
	uint8_t *data;
	int code;

	assert_return_code(ttrpc_receive(fd, &header, &data, NULL), 0);
	assert_int_equal(header.stream, stream);
	assert_return_code(
		proto_unpack(&ttrpc__response__descriptor, data, header.length, &response, NULL),
		0);
	code = response->status ? response->status->code : 0;
	proto_free(response);
	free(data);
	return code;
}

static void test_clients_own_limit_is_kept(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_start(&f, "b", "exit 3", false);
	assert_return_code(create_durable(&f, "c", ""), 0);
	fd = raw(&f);
	/* Far more than are kept of those who gave up. */
	for (uint32_t i = 0; i < 200; i++)
		send_wait(fd, 2 * i + 1, 1000000);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(read_code(fd, 2 * i + 1), TTRPC_DEADLINE_EXCEEDED);
	send_wait(fd, 1001, INT64_C(60000000000));
	assert_return_code(shim_start(f.client, "c", NULL, NULL, &f.err), 0);
	assert_int_equal(read_code(fd, 1001), TTRPC_OK);
	wait_exit(&f, "c", NULL, 3);
	close(fd);
	fixture_stop(&f);
}

static void test_frame_that_stays_half_is_dropped(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	fd = raw(&f);
	assert_int_equal(write(fd, "\0\x10\0\0\0\0\0\1\1\0abc", 13), 13);
	assert_alive(&f);
	assert_dropped(fd);
	fixture_stop(&f);
}

static void test_held_memory_is_bounded(void **state)
{
	int fds[32];
	struct fixture f;
	size_t dropped = 0;
	char *half = calloc(1, TTRPC_MESSAGE_MAX);

	(void)state;
	memcpy(half, "\0\x40\0\0\0\0\0\1\1\0", 10);
	fixture_start(&f, "b", "exit 0", false);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct timeval patience = { .tv_sec = 20 };

		fds[i] = raw(&f);
		setsockopt(fds[i], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		for (size_t done = 0; done < TTRPC_MESSAGE_MAX - 100;) {
			ssize_t n = send(fds[i], half + done, TTRPC_MESSAGE_MAX - 100 - done,
					 MSG_NOSIGNAL);

			if (n < 0)
				break;
			done += (size_t)n;
		}
		assert_alive(&f);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		char byte;

		dropped += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
		close(fds[i]);
	}
	assert_in_range(dropped, ARRAY_SIZE(fds) - SERVER_HELD_MAX / TTRPC_MESSAGE_MAX,
			ARRAY_SIZE(fds));
	free(half);
	fixture_stop(&f);
}

static void test_executed_processes_that_nobody_deletes_are_bounded(void **state)
{
	struct fixture f;
	struct shim_exec_options o = { .id = "c",
				       .process_json = "{\"args\":[\"true\"],\"cwd\":\"/\"}" };
	char id[32], name[20000];
	int r = 0, i = 0;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	assert_return_code(create_durable(&f, "c", ""), 0);
	memset(name, '/', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	o.exec_id = "long";
	o.stdout_path = name;
	assert_int_equal(shim_exec(f.client, &o, &f.err), -EINVAL);
	o.stdout_path = NULL;
	for (; r == 0 && i < 2000; i++) {
		snprintf(id, sizeof(id), "e%d", i);
		o.exec_id = id;
		r = shim_exec(f.client, &o, &f.err);
	}
	assert_true(r < 0);
	assert_int_equal(i, 1025);
	assert_return_code(shim_delete(f.client, "c", "e7", NULL, &f.err), 0);
	assert_return_code(shim_exec(f.client, &o, &f.err), 0);
	fixture_stop(&f);
}

static void test_half_a_frame_and_gone(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	fd = raw(&f);
	assert_int_equal(write(fd, "\0\x10\0\0\0\0\0\1\1\0abc", 13), 13);
	close(fd);
	assert_alive(&f);
	fixture_wait_end(&f);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_frames_cost_the_connection_only),
		cmocka_unit_test(test_garbage_in_a_frame_is_an_invalid_argument),
		cmocka_unit_test(test_frames_may_come_byte_by_byte_and_many_at_once),
		cmocka_unit_test(test_client_that_never_reads_is_dropped),
		cmocka_unit_test(test_silent_connections_make_room),
		cmocka_unit_test(test_who_opens_many_takes_from_itself),
		cmocka_unit_test(test_clients_own_limit_is_kept),
		cmocka_unit_test(test_frame_that_stays_half_is_dropped),
		cmocka_unit_test(test_held_memory_is_bounded),
		cmocka_unit_test(test_executed_processes_that_nobody_deletes_are_bounded),
		cmocka_unit_test(test_half_a_frame_and_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
