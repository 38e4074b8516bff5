/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar-cell/stream.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/frame.h"
#include "base/http/async.h"
#include "base/loop.h"
#include "cmd/cellar-cell/remote.h"
#include "cmd/ctr/terminal.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define CHUNK ((size_t)16 << 10)
#define AGAIN_MS 200 /* after a "too often" */
#define PATIENCE 3   /* so many signals, then we leave */
#define QUIET_S 10   /* the master sends pulses more often */
#define QUIET_MAX 4  /* so many times QUIET_S without a byte, then we leave */
#define SIGNAL_STATUS 128

static const int passed_on[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2 };

struct stream {
	const struct ask *ask;
	const struct stream_options *options;
	struct place place;
	struct loop *loop;
	struct http_async *async;
	struct http_flight *hearing, *saying;
	struct loop_source *in, *again, *signals, *quiet;
	struct frame_reader heard;
	struct strbuf said; /* that the master has not taken yet */
	size_t saying_len;  /* so much of it is on its way */
	char name[64];	    /* "": not known yet */
	bool in_ended, ended;
	int status; /* <0: an error that err tells */
	unsigned impatience;
	unsigned quiet_count; /* of times QUIET_S */
	struct err err;
};

static int step(struct stream *stream);

static int on_again(void *data)
{
	struct stream *stream = data;

	stream->again = NULL;
	return step(stream);
}

/* ---- what it says ---- */

static int take_frame(void *data, enum frame_kind kind, const char *bytes, size_t len)
{
	struct stream *stream = data;

	switch (kind) {
	case FRAME_NAME:
		snprintf(stream->name, sizeof(stream->name), "%s", bytes);
		/* Inside of libcurl no request can be begun. */
		stream->again = loop_remove(stream->again);
		return loop_add_time(stream->loop, clock_monotonic_ns(), on_again, stream,
				     &stream->again, NULL);
	case FRAME_STDOUT:
		return fd_write_all(STDOUT_FILENO, bytes, len);
	case FRAME_STDERR:
		return fd_write_all(STDERR_FILENO, bytes, len);
	case FRAME_EXIT:
		stream->ended = true;
		stream->status = atoi(bytes);
		return 0;
	case FRAME_ERROR:
		stream->ended = true;
		stream->status = err_say(&stream->err, EIO, "%s", bytes);
		return 0;
	default:
		return 0;
	}
}

static int on_bytes(void *data, const char *bytes, size_t len)
{
	struct stream *stream = data;

	stream->quiet_count = 0;
	return frame_read(&stream->heard, bytes, len, take_frame, stream);
}

/* Counted, not measured: who was stopped for an hour finds what has come meanwhile first. */
static int on_quiet(void *data)
{
	struct stream *stream = data;

	stream->quiet = NULL;
	if (++stream->quiet_count < QUIET_MAX)
		return loop_add_time(stream->loop, clock_monotonic_ns() + QUIET_S * NS_PER_S,
				     on_quiet, stream, &stream->quiet, NULL);
	if (!stream->ended)
		stream->status =
			err_say(&stream->err, ETIMEDOUT, "the cell has said nothing for %d seconds",
				(QUIET_MAX - 1) * QUIET_S);
	loop_quit(stream->loop, 0);
	return 0;
}

static void on_over(void *data, const struct http_answer *answer, const struct err *err)
{
	struct stream *stream = data;

	stream->hearing = NULL;
	if (!stream->ended && answer && answer->status != 200)
		stream->status = cell_refused(stream->ask, answer, &stream->err);
	else if (!stream->ended && answer)
		stream->status =
			err_say(&stream->err, EIO, "the cell has left in the middle of it");
	else if (!stream->ended) {
		stream->err = *err;
		stream->status = -err->code;
	}
	loop_quit(stream->loop, 0);
}

/* ---- what we say ---- */

/* That it is over the stream itself says. */
static void on_said(void *data, const struct http_answer *answer, const struct err *err)
{
	struct stream *stream = data;

	(void)err;
	stream->saying = NULL;
	if (answer && (answer->status == 429 || answer->status == 503)) {
		loop_add_time(stream->loop, clock_monotonic_ns() + AGAIN_MS * NS_PER_MS, on_again,
			      stream, &stream->again, NULL);
		return;
	}
	frame_drop(&stream->said, stream->saying_len);
	if (answer && answer->status == 200)
		step(stream);
}

static int on_input(void *data, uint32_t events)
{
	struct stream *stream = data;
	char buf[CHUNK];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	(void)events;
	stream->in = loop_remove(stream->in);
	if (n > 0)
		frame_add(&stream->said, FRAME_STDIN, buf, (size_t)n);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		stream->in_ended = true;
		frame_add(&stream->said, FRAME_STDIN_END, "", 0);
	}
	return step(stream);
}

static int on_always_ready(void *data)
{
	struct stream *stream = data;

	stream->in = NULL; /* a timer removes itself */
	return on_input(data, 0);
}

static int watch_input(struct stream *stream)
{
	int r;

	if (!stream->options->input || stream->in_ended || stream->in)
		return 0;
	r = loop_add_fd(stream->loop, STDIN_FILENO, EPOLLIN, on_input, stream, &stream->in, NULL);
	if (r == -EPERM) /* an ordinary file */
		r = loop_add_time(stream->loop, clock_monotonic_ns(), on_always_ready, stream,
				  &stream->in, NULL);
	return r;
}

static int say(struct stream *stream)
{
	_cleanup_free_ char *path = NULL;
	struct http_call call = { .method = "POST",
				  .body = stream->said.data,
				  .body_len = stream->said.len,
				  .timeout_s = -1 };
	char url[PLACE_URL_SIZE];

	if (asprintf(&path, "/v1/streams/%s", stream->name) < 0)
		return -ENOMEM;
	if (place_call(&stream->place, path, url, &call, NULL) < 0)
		return -ENAMETOOLONG;
	stream->saying_len = stream->said.len;
	return http_async_start(stream->async, &call, on_said, stream, &stream->saying, NULL);
}

static int step(struct stream *stream)
{
	if (!*stream->name || stream->saying || stream->again)
		return 0;
	if (!strbuf_ok(&stream->said))
		return -ENOMEM;
	return stream->said.len ? say(stream) : watch_input(stream);
}

/* ---- signals ---- */

static void add_window(struct stream *stream)
{
	uint16_t columns, rows;
	char text[32];

	if (!terminal_size(&columns, &rows))
		return;
	snprintf(text, sizeof(text), "%u %u", rows, columns);
	frame_add(&stream->said, FRAME_WINDOW, text, strlen(text));
}

static int on_signal(void *data, int sig)
{
	struct stream *stream = data;
	char text[16];

	if (sig == SIGWINCH) {
		add_window(stream);
		return step(stream);
	}
	if (++stream->impatience >= PATIENCE || !*stream->name ||
	    (sig == SIGHUP && stream->options->terminal)) {
		stream->ended = true;
		stream->status = SIGNAL_STATUS + sig;
		loop_quit(stream->loop, 0);
		return 0;
	}
	snprintf(text, sizeof(text), "%d", sig);
	frame_add(&stream->said, FRAME_SIGNAL, text, strlen(text));
	return step(stream);
}

static int watch_signals(struct stream *stream, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	if (stream->options->terminal)
		sigaddset(&set, SIGWINCH);
	return loop_add_signals(stream->loop, &set, on_signal, stream, &stream->signals, err);
}

/* ---- life ---- */

static void stream_deinit(struct stream *stream)
{
	terminal_restore();
	http_flight_cancel(stream->hearing);
	http_flight_cancel(stream->saying);
	http_async_free(stream->async);
	loop_remove(stream->in);
	loop_remove(stream->again);
	loop_remove(stream->signals);
	loop_remove(stream->quiet);
	loop_free(stream->loop);
	place_deinit(&stream->place);
	frame_reader_deinit(&stream->heard);
	strbuf_deinit(&stream->said);
}

static int begin(struct stream *stream, struct err *err)
{
	const struct stream_options *o = stream->options;
	struct http_call call = { .method = o->method,
				  .body = o->body,
				  .body_len = o->body ? strlen(o->body) : 0,
				  .timeout_s = -1,
				  .on_data = on_bytes,
				  .data = stream };
	char url[PLACE_URL_SIZE];

	err_try(place_find(stream->ask->cell, &stream->place, err));
	err_try(place_call(&stream->place, o->path, url, &call, err));
	err_try(loop_new(&stream->loop, err));
	err_try(http_async_new(stream->loop, &stream->async, err));
	if (o->signals)
		err_try(watch_signals(stream, err));
	err_try(http_async_start(stream->async, &call, on_over, stream, &stream->hearing, err));
	err_try(loop_add_time(stream->loop, clock_monotonic_ns() + QUIET_S * NS_PER_S, on_quiet,
			      stream, &stream->quiet, err));
	return o->terminal && o->input ? terminal_make_raw(err) : 0;
}

int stream_run(const struct ask *ask, const struct stream_options *options, struct err *err)
{
	_cleanup_(stream_deinit) struct stream stream = { .ask = ask, .options = options };

	err_try(begin(&stream, err));
	err_try(loop_run(stream.loop, err));
	if (stream.status == -ECONNREFUSED)
		return place_refused(&stream.place, err);
	if (stream.status < 0)
		*err = stream.err;
	return stream.status;
}
