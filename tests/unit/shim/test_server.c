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

static void test_more_connections_than_allowed_wait_for_their_turn(void **state)
{
	int fds[SERVER_CONNECTIONS_MAX - 1], extra;
	struct strbuf frame = { 0 };
	struct ttrpc_header header;
	struct fixture f;
	uint8_t *data;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	pack(&frame, 1, "nobody");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = raw(&f);
	extra = raw(&f);
	assert_return_code(fd_write_all(extra, frame.data, frame.len), 0);
	assert_alive(&f);
	assert_int_equal(recv(extra, &header, 1, MSG_DONTWAIT), -1);
	close(fds[0]);
	assert_return_code(ttrpc_receive(extra, &header, &data, &f.err), 0);
	free(data);
	close(extra);
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	strbuf_deinit(&frame);
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
		cmocka_unit_test(test_more_connections_than_allowed_wait_for_their_turn),
		cmocka_unit_test(test_half_a_frame_and_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
