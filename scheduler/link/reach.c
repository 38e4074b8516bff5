/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two requests are on their way at a time: one that listens for what the client says, and one that
 * says what the process has written. While the latter is away nothing more is read of the process;
 * while the process does not take its input, nobody listens.
 */
#include "scheduler/link/reach.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/http/async.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/process.h"
#include "scheduler/link/pki.h"
#include "scheduler/link/reach_child.h"

#define NS_PER_MS INT64_C(1000000)
#define CHUNK ((size_t)16 << 10)
#define PATIENCE_S 30 /* the master lets nobody listen for longer than a few seconds */
#define AGAIN_MS 200  /* after a "too often" */
#define BEAT_MS 4000  /* the master hears of us at least so often */
#define FIRST_FRAME_MAX (FRAME_MAX + FRAME_HEAD)

struct reach {
	const struct reach_options *options;
	struct loop *loop;
	struct http_async *async;
	char *url, *address;
	struct reach_child child;
	struct loop_source *out, *err, *in, *end, *again, *beat, *killer;
	struct http_flight *listening, *saying;
	struct frame_reader heard;
	struct strbuf said;  /* that the master has not taken yet */
	size_t saying_len;   /* so much of it is on its way */
	struct strbuf input; /* that the process has not taken yet */
	size_t input_at;
	bool input_ends, exited, last; /* last: what is being said is the last */
	bool gone;		       /* nobody listens to us any more */
	unsigned kills;
	int status;
};

static int step(struct reach *reach);

/* ---- the end ---- */

/* HUP is what a terminal that is closed says; ctr passes it and TERM on. */
static int on_kill(void *data)
{
	static const int signals[] = { SIGHUP, SIGTERM, SIGKILL };
	static const int64_t after_ms[] = { 1000, 2000, 1000 };
	struct reach *reach = data;
	unsigned n = reach->kills < 2 ? reach->kills++ : 2;

	reach->killer = NULL;
	process_pidfd_signal(reach->child.pidfd, signals[n]);
	return loop_add_time(reach->loop, clock_monotonic_ns() + after_ms[n] * NS_PER_MS, on_kill,
			     reach, &reach->killer, NULL);
}

static void leave(struct reach *reach)
{
	reach->gone = true;
	reach->listening = http_flight_cancel(reach->listening);
	reach->saying = http_flight_cancel(reach->saying);
	reach->out = loop_remove(reach->out);
	reach->err = loop_remove(reach->err);
	reach->in = loop_remove(reach->in);
	/* Its next write fails. */
	cleanup_fd(&reach->child.stdin_fd);
	cleanup_fd(&reach->child.stdout_fd);
	cleanup_fd(&reach->child.stderr_fd);
	reach->child.stdin_fd = reach->child.stdout_fd = reach->child.stderr_fd = -1;
	if (reach->exited)
		loop_quit(reach->loop, 0);
	else if (!reach->killer)
		on_kill(reach);
}

static int on_exit_known(void *data, uint32_t events)
{
	struct reach *reach = data;
	int status = 0;

	(void)events;
	process_wait(reach->child.pidfd, &status);
	reach->end = loop_remove(reach->end);
	reach->killer = loop_remove(reach->killer);
	reach->exited = true;
	reach->status = process_exit_code(status);
	if (reach->gone)
		loop_quit(reach->loop, 0);
	return reach->gone ? 0 : step(reach);
}

/* ---- what the client says ---- */

static int take_frame(void *data, enum frame_kind kind, const char *bytes, size_t len)
{
	struct reach *reach = data;
	int signal;

	switch (kind) {
	case FRAME_STDIN:
		if (reach->child.stdin_fd >= 0)
			strbuf_add(&reach->input, bytes, len);
		break;
	case FRAME_STDIN_END:
		reach->input_ends = true;
		break;
	case FRAME_WINDOW:
		reach_child_resize(&reach->child, bytes);
		break;
	case FRAME_SIGNAL:
		signal = atoi(bytes);
		if (signal > 0 && signal < NSIG)
			process_pidfd_signal(reach->child.pidfd, signal);
		break;
	default:
		break;
	}
	return strbuf_ok(&reach->input) ? 0 : -ENOMEM;
}

static int on_again(void *data)
{
	struct reach *reach = data;

	reach->again = NULL;
	return step(reach);
}

/* Too often, or not now: later. Anything else but a success ends it. */
static bool is_later(struct reach *reach, const struct http_answer *answer)
{
	if (!answer || (answer->status != 429 && answer->status != 503))
		return false;
	reach->again = loop_remove(reach->again);
	return loop_add_time(reach->loop, clock_monotonic_ns() + AGAIN_MS * NS_PER_MS, on_again,
			     reach, &reach->again, NULL) == 0;
}

static void on_heard(void *data, const struct http_answer *answer, const struct err *err)
{
	struct reach *reach = data;

	(void)err;
	reach->listening = NULL;
	if (is_later(reach, answer))
		return;
	if (!answer || answer->status != 200 ||
	    frame_read(&reach->heard, answer->body, answer->len, take_frame, reach) < 0)
		leave(reach);
	else
		step(reach);
}

static int ask(struct reach *reach, const char *method, const char *query, struct strbuf *body,
	       http_async_fn fn, struct http_flight **ret)
{
	char url[256];
	struct http_call call = { .unix_path = reach->options->socket,
				  .address = reach->address,
				  .trust = reach->address ? &reach->options->trust : NULL,
				  .method = method,
				  .url = url,
				  .body = body ? (body->data ? body->data : "") : NULL,
				  .body_len = body ? body->len : 0,
				  .timeout_s = PATIENCE_S };

	/* A client that does not read lets us wait for as long as it likes. */
	if (body)
		call.timeout_s = -1;
	snprintf(url, sizeof(url), "%s%s", reach->url, query);
	return http_async_start(reach->async, &call, fn, reach, ret, NULL);
}

static int listen_on(struct reach *reach)
{
	if (reach->listening || reach->again || reach->exited || reach->input.len)
		return 0;
	return ask(reach, "GET", "", NULL, on_heard, &reach->listening);
}

/* ---- to the process ---- */

static int on_input_ready(void *data, uint32_t events)
{
	struct reach *reach = data;

	(void)events;
	reach->in = loop_remove(reach->in);
	return step(reach);
}

static int give_input(struct reach *reach)
{
	struct strbuf *input = &reach->input;
	int fd = reach->child.stdin_fd;

	while (fd >= 0 && reach->input_at < input->len) {
		ssize_t n = write(fd, input->data + reach->input_at, input->len - reach->input_at);

		if (n < 0 && errno == EAGAIN)
			return reach->in ? 0
					 : loop_add_fd(reach->loop, fd, EPOLLOUT, on_input_ready,
						       reach, &reach->in, NULL);
		/* It does not want any. */
		if (n < 0 && errno != EINTR)
			reach->input_ends = true;
		if (n < 0 && errno != EINTR)
			break;
		reach->input_at += n > 0 ? (size_t)n : 0;
	}
	input->len = reach->input_at = 0;
	/* A terminal has no end of input. */
	if (reach->input_ends && fd >= 0 && !reach->child.terminal)
		close(take_fd(&reach->child.stdin_fd));
	return 0;
}

/* ---- of the process ---- */

static void take_output(struct reach *reach, int *fd, enum frame_kind kind)
{
	char buf[CHUNK];
	ssize_t n = read(*fd, buf, sizeof(buf));

	if (n > 0)
		frame_add(&reach->said, kind, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		/* EIO: a terminal that nobody has open any more. */
		close(take_fd(fd));
}

static int on_output(void *data, uint32_t events)
{
	struct reach *reach = data;

	(void)events;
	reach->out = loop_remove(reach->out);
	reach->err = loop_remove(reach->err);
	if (reach->child.stdout_fd >= 0)
		take_output(reach, &reach->child.stdout_fd, FRAME_STDOUT);
	if (reach->child.stderr_fd >= 0)
		take_output(reach, &reach->child.stderr_fd, FRAME_STDERR);
	return step(reach);
}

static int watch_outputs(struct reach *reach)
{
	int r = 0;

	if (reach->child.stdout_fd >= 0 && !reach->out)
		r = loop_add_fd(reach->loop, reach->child.stdout_fd, EPOLLIN, on_output, reach,
				&reach->out, NULL);
	if (r == 0 && reach->child.stderr_fd >= 0 && !reach->err)
		r = loop_add_fd(reach->loop, reach->child.stderr_fd, EPOLLIN, on_output, reach,
				&reach->err, NULL);
	return r;
}

static void on_said(void *data, const struct http_answer *answer, const struct err *err)
{
	struct reach *reach = data;

	(void)err;
	reach->saying = NULL;
	if (is_later(reach, answer))
		return;
	if (!answer || answer->status != 200) {
		leave(reach);
		return;
	}
	frame_drop(&reach->said, reach->saying_len);
	if (reach->last)
		loop_quit(reach->loop, 0);
	else
		step(reach);
}

static int post(struct reach *reach)
{
	reach->saying_len = reach->said.len;
	return ask(reach, "POST", reach->last ? "?end=true" : "", &reach->said, on_said,
		   &reach->saying);
}

static int say(struct reach *reach)
{
	char status[16];

	if (reach->saying || reach->again)
		return 0;
	if (!reach->said.len && reach->exited && reach->child.stdout_fd < 0 &&
	    reach->child.stderr_fd < 0) {
		snprintf(status, sizeof(status), "%d", reach->status);
		frame_add(&reach->said, FRAME_EXIT, status, strlen(status));
		reach->last = true;
	}
	if (!strbuf_ok(&reach->said))
		return -ENOMEM;
	if (!reach->said.len)
		return watch_outputs(reach);
	return post(reach);
}

static int step(struct reach *reach)
{
	int r = give_input(reach);

	if (r == 0)
		r = say(reach);
	return r == 0 ? listen_on(reach) : r;
}

/* Who waits for its process only is not dead. */
static int on_beat(void *data)
{
	struct reach *reach = data;

	reach->beat = NULL;
	if (!reach->listening && !reach->saying && !reach->gone && !reach->again)
		post(reach);
	return loop_add_time(reach->loop, clock_monotonic_ns() + BEAT_MS * NS_PER_MS, on_beat,
			     reach, &reach->beat, NULL);
}

/* ---- life ---- */

static int take_task(void *data, enum frame_kind kind, const char *bytes, size_t len)
{
	struct reach *reach = data;
	struct err err = { 0 };

	if (reach->child.pidfd >= 0 || kind != FRAME_TASK)
		return take_frame(data, kind, bytes, len);
	if (reach_child_start(reach->options->root, reach->options->runroot, bytes, len,
			      &reach->child, &err) == 0)
		return 0;
	frame_add(&reach->said, FRAME_ERROR, err.text, strlen(err.text));
	reach->last = true;
	return 0;
}

/* Before anything is started; whoever was quicker has it. */
static int claim(struct reach *reach, struct err *err)
{
	_cleanup_http_answer_ struct http_answer answer = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_call call = { .unix_path = reach->options->socket,
				  .address = reach->address,
				  .trust = reach->address ? &reach->options->trust : NULL,
				  .method = "GET",
				  .answer_max = 2 * FIRST_FRAME_MAX };

	if (asprintf(&url, "%s?claim=true", reach->url) < 0)
		return err_set(err, ENOMEM, "take up a stream");
	call.url = url;
	err_try(http_call(&call, &answer, err));
	if (answer.status != 200)
		return err_say(err, EPROTO, "the master answers with status %ld", answer.status);
	if (frame_read(&reach->heard, answer.body, answer.len, take_task, reach) < 0)
		return err_say(err, EBADMSG, "the master's answer is damaged");
	return 0;
}

static void reach_deinit(struct reach *reach)
{
	http_flight_cancel(reach->listening);
	http_flight_cancel(reach->saying);
	http_async_free(reach->async);
	loop_remove(reach->out);
	loop_remove(reach->err);
	loop_remove(reach->in);
	loop_remove(reach->end);
	loop_remove(reach->again);
	loop_remove(reach->beat);
	loop_remove(reach->killer);
	loop_free(reach->loop);
	reach_child_deinit(&reach->child);
	frame_reader_deinit(&reach->heard);
	strbuf_deinit(&reach->said);
	strbuf_deinit(&reach->input);
	free(reach->url);
	free(reach->address);
}

int reach_run(const struct reach_options *options, struct err *err)
{
	_cleanup_(reach_deinit) struct reach reach = { .options = options,
						       .child = REACH_CHILD_NONE };

	signal(SIGPIPE, SIG_IGN);
	if ((options->host_port && !(reach.address = strdup(options->host_port))) ||
	    asprintf(&reach.url, "%s/v1/agent/streams/%s",
		     options->host_port ? "https://" PKI_MASTER_HOST : "http://cell",
		     options->stream) < 0)
		return err_set(err, ENOMEM, "take up a stream");
	err_try(claim(&reach, err));
	err_try(loop_new(&reach.loop, err));
	err_try(http_async_new(reach.loop, &reach.async, err));
	if (reach.child.pidfd >= 0)
		err_try(loop_add_fd(reach.loop, reach.child.pidfd, EPOLLIN, on_exit_known, &reach,
				    &reach.end, err));
	else
		reach.exited = true;
	err_try(loop_add_time(reach.loop, clock_monotonic_ns() + BEAT_MS * NS_PER_MS, on_beat,
			      &reach, &reach.beat, err));
	if (step(&reach) < 0)
		return err_set(err, ENOMEM, "carry a stream");
	return loop_run(reach.loop, err);
}
