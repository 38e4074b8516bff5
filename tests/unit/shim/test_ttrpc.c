/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and messages, against bytes as containerd 1.6 sent them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fd.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/task.pb-c.h"
#include "runtime/shim/ttrpc.h"

/* The captured Wait of containerd: header, service, method, payload {1: "cap2"}. */
static const char wait_frame[] = "\x00\x00\x00\x27\x00\x00\x00\x09\x01\x00"
				 "\x0a\x17"
				 "containerd.task.v2.Task"
				 "\x12\x04"
				 "Wait"
				 "\x1a\x06\x0a\x04"
				 "cap2";

static void test_captured_request_is_packed_byte_for_byte(void **state)
{
	Task__ProcessRequest message = TASK__PROCESS_REQUEST__INIT;
	struct ttrpc_call call = { .service = "containerd.task.v2.Task",
				   .method = "Wait",
				   .message = &message };
	struct strbuf frame = { 0 };

	(void)state;
	message.id = proto_string("cap2");
	assert_return_code(ttrpc_pack_request(&call, 9, &frame, NULL), 0);
	assert_int_equal(frame.len, sizeof(wait_frame) - 1);
	assert_memory_equal(frame.data, wait_frame, frame.len);
	strbuf_deinit(&frame);
}

static void test_captured_request_is_read(void **state)
{
	Ttrpc__Request *request;
	Task__ProcessRequest *message;
	struct ttrpc_header header;

	(void)state;
	ttrpc_header_parse(wait_frame, &header);
	assert_int_equal(header.length, 0x27);
	assert_int_equal(header.stream, 9);
	assert_int_equal(header.type, TTRPC_REQUEST);
	assert_int_equal(header.flags, 0);
	assert_return_code(proto_unpack(&ttrpc__request__descriptor, wait_frame + 10, header.length,
					&request, NULL),
			   0);
	assert_string_equal(request->service, "containerd.task.v2.Task");
	assert_string_equal(request->method, "Wait");
	assert_return_code(proto_unpack(&task__process_request__descriptor, request->payload.data,
					request->payload.len, &message, NULL),
			   0);
	assert_string_equal(message->id, "cap2");
	assert_string_equal(message->exec_id, "");
	proto_free(message);
	proto_free(request);
}

static void test_answer_has_the_layout_of_containerd(void **state)
{
	/* Response{2: WaitResponse{2: Timestamp{1: 1, 2: 2}}} */
	static const char expected[] = "\x00\x00\x00\x08\x00\x00\x00\x09\x02\x00"
				       "\x12\x06\x12\x04\x08\x01\x10\x02";
	Task__WaitResponse message = TASK__WAIT_RESPONSE__INIT;
	Pb__Timestamp time = PB__TIMESTAMP__INIT;
	struct strbuf frame = { 0 };

	(void)state;
	proto_set_time(&time, 1000000002);
	message.exited_at = &time;
	assert_return_code(ttrpc_pack_response(9, TTRPC_OK, &message, NULL, &frame), 0);
	assert_int_equal(frame.len, sizeof(expected) - 1);
	assert_memory_equal(frame.data, expected, frame.len);
	strbuf_deinit(&frame);
}

static void test_empty_answer_is_a_frame_without_data(void **state)
{
	struct strbuf frame = { 0 };

	(void)state;
	assert_return_code(ttrpc_pack_response(3, TTRPC_OK, NULL, NULL, &frame), 0);
	assert_int_equal(frame.len, TTRPC_HEADER_SIZE);
	assert_memory_equal(frame.data, "\0\0\0\0\0\0\0\3\2\0", TTRPC_HEADER_SIZE);
	strbuf_deinit(&frame);
}

static int answered_with(enum ttrpc_code code, int error)
{
	struct err why = { 0 }, got = { 0 };
	Ttrpc__Response *response;
	struct strbuf frame = { 0 };
	int r;

	err_say(&why, error, "the reason");
	assert_return_code(ttrpc_pack_response(1, code, NULL, &why, &frame), 0);
	assert_return_code(proto_unpack(&ttrpc__response__descriptor, frame.data + 10,
					frame.len - 10, &response, NULL),
			   0);
	r = ttrpc_check_response(response, &got);
	if (r < 0)
		assert_string_equal(got.text, "the reason");
	proto_free(response);
	strbuf_deinit(&frame);
	return r;
}

static void test_errors_arrive_with_code_and_sentence(void **state)
{
	(void)state;
	assert_int_equal(answered_with(TTRPC_NOT_FOUND, EIO), -ENOENT);
	assert_int_equal(answered_with(TTRPC_ALREADY_EXISTS, EIO), -EEXIST);
	assert_int_equal(answered_with(TTRPC_INVALID_ARGUMENT, EIO), -EINVAL);
	assert_int_equal(answered_with(TTRPC_FAILED_PRECONDITION, EIO), -EBUSY);
	assert_int_equal(answered_with(TTRPC_UNIMPLEMENTED, EIO), -ENOSYS);
	assert_int_equal(answered_with(TTRPC_UNKNOWN, EACCES), -EACCES);
	assert_int_equal(answered_with(14, ENOENT), -ENOENT);
}

static void test_abstract_and_relative_addresses_are_refused(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(ttrpc_connect("@abstract", false, &err), -EINVAL);
	assert_int_equal(ttrpc_connect("containerd-shim/x.sock", false, &err), -EINVAL);
	assert_int_equal(ttrpc_connect("unix://relative", false, &err), -EINVAL);
	assert_int_equal(ttrpc_listen("relative", &err), -EINVAL);
}

static void test_long_paths_work(void **state)
{
	char dir[] = "/tmp/cellar-ttrpc-XXXXXX", path[400];
	struct stat st;
	int listener, fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%0120d", dir, 1);
	assert_return_code(mkdir(path, 0700), errno);
	strcat(path, "/a-socket");
	assert_int_equal(ttrpc_connect(path, false, NULL), -ENOENT);
	listener = ttrpc_listen(path, NULL);
	assert_return_code(listener, -listener);
	assert_return_code(stat(path, &st), errno);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(ttrpc_listen(path, NULL), -EADDRINUSE);
	fd = ttrpc_connect(path, false, NULL);
	assert_return_code(fd, -fd);
	close(fd);
	close(listener);
	assert_int_equal(ttrpc_connect(path, false, NULL), -ECONNREFUSED);
	assert_return_code(tree_remove(AT_FDCWD, dir, NULL), 0);
}

static void test_receive_refuses_giants_and_half_frames(void **state)
{
	struct ttrpc_header header;
	struct err err = { 0 };
	uint8_t *data;
	int fds[2];

	(void)state;
	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), errno);
	assert_int_equal(write(fds[0], "\x00\x40\x00\x01\0\0\0\1\2\0", 10), 10);
	assert_int_equal(ttrpc_receive(fds[1], &header, &data, &err), -EBADMSG);
	assert_int_equal(write(fds[0], "\x00\x00\x00\x05\0\0\0\1\2\0xy", 12), 12);
	close(fds[0]);
	assert_int_equal(ttrpc_receive(fds[1], &header, &data, &err), -ECONNRESET);
	close(fds[1]);
}

static void test_millions_of_submessages_are_refused(void **state)
{
	size_t len = 2 << 20;
	char *data = malloc(len);
	Task__CreateRequest *request;
	struct err err = { 0 };

	(void)state;
	/* rootfs, of length zero, again and again */
	for (size_t i = 0; i < len; i += 2) {
		data[i] = 0x1a;
		data[i + 1] = 0;
	}
	assert_int_equal(proto_unpack(&task__create_request__descriptor, data, len, &request, &err),
			 -EBADMSG);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captured_request_is_packed_byte_for_byte),
		cmocka_unit_test(test_captured_request_is_read),
		cmocka_unit_test(test_answer_has_the_layout_of_containerd),
		cmocka_unit_test(test_empty_answer_is_a_frame_without_data),
		cmocka_unit_test(test_errors_arrive_with_code_and_sentence),
		cmocka_unit_test(test_abstract_and_relative_addresses_are_refused),
		cmocka_unit_test(test_long_paths_work),
		cmocka_unit_test(test_receive_refuses_giants_and_half_frames),
		cmocka_unit_test(test_millions_of_submessages_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
