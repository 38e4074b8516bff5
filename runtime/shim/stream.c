/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "runtime/shim/log.h"

#define CHUNK 16384

struct stream {
	struct stream_options o;
	struct loop_source *in;	   /* NULL while the sink holds us back */
	struct loop_source *out;   /* NULL while nothing waits for the sink */
	struct loop_source *timer; /* of stream_finish() */
	char *pending;
	size_t pending_len, pending_done;
	bool finishing;	  /* end at EAGAIN */
	long finish_left; /* bytes that were in the source then; -1: no bound */
	bool ended, log_failed;
};

static int on_source(void *data, uint32_t events);

static void close_sink(struct stream *s)
{
	s->out = loop_remove(s->out);
	if (s->o.sink_fd >= 0)
		close(s->o.sink_fd);
	s->o.sink_fd = -1;
	free(take_ptr(s->pending));
	s->pending_len = s->pending_done = 0;
}

static void end(struct stream *s)
{
	if (s->ended)
		return;
	s->ended = true;
	s->in = loop_remove(s->in);
	s->timer = loop_remove(s->timer);
	close_sink(s);
	close(take_fd(&s->o.source_fd));
	if (s->o.ended)
		s->o.ended(s->o.data);
}

static int on_sink(void *data, uint32_t events);

/* Keeps what the sink did not take and stops reading until it does. */
static int hold_back(struct stream *s, const char *data, size_t len)
{
	s->pending = malloc(len);
	if (!s->pending)
		return -ENOMEM;
	memcpy(s->pending, data, len);
	s->pending_len = len;
	s->pending_done = 0;
	s->in = loop_remove(s->in);
	return loop_add_fd(s->o.loop, s->o.sink_fd, EPOLLOUT, on_sink, s, &s->out, NULL);
}

/* Number of bytes written; -EAGAIN is 0; other errors are returned. */
static ssize_t sink_write(struct stream *s, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(s->o.sink_fd, data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static void resume(struct stream *s)
{
	if (!s->ended && !s->in &&
	    loop_add_fd(s->o.loop, s->o.source_fd, EPOLLIN, on_source, s, &s->in, NULL) < 0)
		end(s);
}

static void lose_sink(struct stream *s)
{
	close_sink(s);
	if (s->o.stop_without_sink)
		end(s);
	else
		resume(s);
}

static void deliver(struct stream *s, const char *data, size_t len)
{
	ssize_t n;

	if (s->o.log) {
		int r = shim_log_append(s->o.log, s->o.name, data, len);

		if (r < 0 && !s->log_failed)
			log_warn("write the container's log: %s; output is lost", strerror(-r));
		s->log_failed = r < 0;
	}
	if (s->o.sink_fd < 0)
		return;
	n = sink_write(s, data, len);
	if (n < 0 || ((size_t)n < len && hold_back(s, data + n, len - (size_t)n) < 0))
		lose_sink(s);
}

/* Reads once. >0 when there may be more, 0 when the source is empty or the stream ended. */
static int pump(struct stream *s)
{
	char buf[CHUNK];
	size_t want = sizeof(buf);
	ssize_t n;

	if (s->finishing && s->finish_left >= 0 && (size_t)s->finish_left < want)
		want = (size_t)s->finish_left;
	n = want ? read(s->o.source_fd, buf, want) : 0;
	if (n < 0 && errno == EINTR)
		return 1;
	if (n < 0 && errno == EAGAIN) {
		if (s->finishing && !s->timer)
			end(s);
		return 0;
	}
	/* EIO: the last slave of a terminal was closed. */
	if (n <= 0) {
		end(s);
		return 0;
	}
	if (s->finishing && s->finish_left >= 0)
		s->finish_left -= n;
	deliver(s, buf, (size_t)n);
	return 1;
}

static int on_source(void *data, uint32_t events)
{
	(void)events;
	pump(data);
	return 0;
}

static void pump_all(struct stream *s)
{
	while (!s->ended && !s->pending && pump(s) > 0)
		;
}

static int on_sink(void *data, uint32_t events)
{
	struct stream *s = data;
	ssize_t n = sink_write(s, s->pending + s->pending_done, s->pending_len - s->pending_done);

	(void)events;
	if (n >= 0) {
		s->pending_done += (size_t)n;
		if (s->pending_done < s->pending_len)
			return 0;
		free(take_ptr(s->pending));
		s->out = loop_remove(s->out);
	} else {
		lose_sink(s);
	}
	if (s->ended)
		return 0;
	if (s->finishing) {
		pump_all(s);
		if (s->ended || s->pending)
			return 0;
	}
	resume(s);
	return 0;
}

static int on_timer(void *data)
{
	struct stream *s = data;

	s->timer = NULL;
	pump_all(s);
	return 0;
}

void stream_finish(struct stream *s, int wait_ms)
{
	int available = 0;

	if (s->ended || s->finishing)
		return;
	s->finishing = true;
	s->finish_left = -1;
	if (wait_ms > 0) {
		int64_t deadline = clock_monotonic_ns() + (int64_t)wait_ms * 1000000;

		if (loop_add_time(s->o.loop, deadline, on_timer, s, &s->timer, NULL) < 0)
			s->timer = NULL;
	} else if (ioctl(s->o.source_fd, FIONREAD, &available) == 0) {
		s->finish_left = available;
	}
	pump_all(s);
}

void stream_close_when_empty(struct stream *s)
{
	if (s->ended || s->finishing)
		return;
	s->finishing = true;
	s->finish_left = -1;
	pump_all(s);
}

bool stream_has_ended(const struct stream *s)
{
	return s->ended;
}

int stream_new(const struct stream_options *options, struct stream **ret, struct err *err)
{
	struct stream *s = calloc(1, sizeof(*s));
	int r;

	if (!s) {
		close(options->source_fd);
		if (options->sink_fd >= 0)
			close(options->sink_fd);
		return err_set(err, ENOMEM, "copy %s", options->name);
	}
	s->o = *options;
	r = loop_add_fd(s->o.loop, s->o.source_fd, EPOLLIN, on_source, s, &s->in, err);
	if (r < 0) {
		s->o.ended = NULL;
		stream_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct stream *stream_free(struct stream *s)
{
	if (!s)
		return NULL;
	s->o.ended = NULL;
	end(s);
	free(s);
	return NULL;
}
