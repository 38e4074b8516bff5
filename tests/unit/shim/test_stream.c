/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a stream whose source somebody holds open: neither an end of file nor a hangup. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "runtime/shim/fanout.h"
#include "runtime/shim/stream.h"
#include "tests/unit/skip.h"

#define MUCH (1 << 20) /* as much as the stream reads in a turn */
#define PATIENCE_NS (60 * 1000000000LL)

enum { ENDED = 1, TIMED_OUT = 2 };

static void on_end(void *data)
{
	loop_quit(data, ENDED);
}

static int on_time_out(void *data)
{
	loop_quit(data, TIMED_OUT);
	return 0;
}

/* A full pipe; false where the kernel grants none so large. */
static bool open_pipe(int ret[2])
{
	_cleanup_free_ char *bytes = calloc(1, MUCH);

	assert_non_null(bytes);
	assert_return_code(pipe2(ret, O_CLOEXEC | O_NONBLOCK), errno);
	if (fcntl(ret[1], F_SETPIPE_SZ, MUCH) == MUCH && write(ret[1], bytes, MUCH) == MUCH)
		return true;
	close(ret[0]);
	close(ret[1]);
	return false;
}

static void ends(void (*finish)(struct stream *stream))
{
	struct loop *loop;
	struct fanout *sinks;
	struct stream *stream;
	int fds[2], code = ENDED;
	struct err err = { 0 };

	if (!open_pipe(fds))
		skip_because("a pipe cannot be made so large");
	assert_return_code(loop_new(&loop, &err), 0);
	assert_return_code(fanout_new(loop, &sinks, &err), 0);
	assert_return_code(stream_new(&(struct stream_options){ .loop = loop,
								.name = "stdout",
								.source_fd = fds[0],
								.sinks = sinks,
								.ended = on_end,
								.data = loop },
				      &stream, &err),
			   0);
	assert_return_code(loop_add_time(loop, clock_monotonic_ns() + PATIENCE_NS, on_time_out,
					 loop, NULL, &err),
			   0);
	finish(stream);
	if (!stream_has_ended(stream))
		code = loop_run(loop, &err);
	assert_int_equal(code, ENDED);
	stream_free(stream);
	fanout_free(sinks);
	loop_free(loop);
	close(fds[1]);
}

static void finish_now(struct stream *stream)
{
	stream_finish(stream, 0);
}

static void finish_terminal(struct stream *stream)
{
	stream_finish(stream, 1);
}

static void test_what_is_there_is_the_last_of_it(void **state)
{
	(void)state;
	ends(finish_now);
}

static void test_terminal_that_is_held_open(void **state)
{
	(void)state;
	ends(finish_terminal);
}

static void test_stdin_that_is_held_open(void **state)
{
	(void)state;
	ends(stream_close_when_empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_there_is_the_last_of_it),
		cmocka_unit_test(test_terminal_that_is_held_open),
		cmocka_unit_test(test_stdin_that_is_held_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
