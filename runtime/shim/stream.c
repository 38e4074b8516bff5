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
#include "runtime/shim/fanout.h"
#include "runtime/shim/log.h"
#include "runtime/shim/spool.h"

#define CHUNK 16384
#define CHUNKS_MAX 64 /* at once, as much as a pipe takes: then others have their turn */
#define TURN_NS 1000000

struct stream {
	struct stream_options o;
	struct loop_source *in;	   /* NULL while a sink holds us back */
	struct loop_source *timer; /* of stream_finish(), or of the next turn of pump_all() */
	bool finishing;		   /* end at EAGAIN */
	long finish_left;	   /* bytes that were in the source then; -1: no bound */
	bool exhausted;		   /* at its end, but a sink holds */
	bool ended, log_failed;
};

static int on_source(void *data, uint32_t events);

static void end(struct stream *s)
{
	if (s->ended)
		return;
	s->in = loop_remove(s->in);
	s->timer = loop_remove(s->timer);
	/* The last bytes are delivered first. */
	s->exhausted = true;
	if (fanout_is_held(s->o.sinks))
		return;
	s->ended = true;
	fanout_set_writer(s->o.sinks, NULL, NULL, NULL);
	close(take_fd(&s->o.source_fd));
	if (s->o.ended)
		s->o.ended(s->o.data);
}

static void resume(struct stream *s)
{
	if (!s->ended && !s->in &&
	    loop_add_fd(s->o.loop, s->o.source_fd, EPOLLIN, on_source, s, &s->in, NULL) < 0)
		end(s);
}

static void deliver(struct stream *s, const char *data, size_t len, uint64_t *mark)
{
	if (s->o.log) {
		int r = shim_log_append(s->o.log, s->o.name, data, len, mark);

		if (r < 0 && !s->log_failed)
			log_warn("write the container's log: %s; output is lost", strerror(-r));
		s->log_failed = r < 0;
	}
	fanout_write(s->o.sinks, data, len);
	if (!s->ended && fanout_is_held(s->o.sinks))
		s->in = loop_remove(s->in);
}

static ssize_t read_source(struct stream *s, char *buf)
{
	size_t want = CHUNK;

	if (s->finishing && s->finish_left >= 0 && (size_t)s->finish_left < want)
		want = (size_t)s->finish_left;
	if (!want)
		return 0;
	if (s->o.spool)
		return spool_read(s->o.spool, s->o.source_fd, s->o.index, want, s->o.log);
	return read(s->o.source_fd, buf, want);
}

/* Reads once, into buf or the spool. >0 when there may be more, 0 when the source is empty or the
 * stream ended. */
static int pump_into(struct stream *s, char *buf)
{
	ssize_t n = read_source(s, buf);

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
	deliver(s, buf, (size_t)n, s->o.spool ? spool_mark(s->o.spool) : NULL);
	if (s->o.spool)
		spool_finish(s->o.spool);
	/* Now: an empty pipe that somebody holds gives no event. */
	if (s->finishing && s->finish_left == 0) {
		end(s);
		return 0;
	}
	return 1;
}

static int pump_own(struct stream *s)
{
	char buf[CHUNK];

	return pump_into(s, buf);
}

static int pump(struct stream *s)
{
	return s->o.spool ? pump_into(s, spool_data(s->o.spool)) : pump_own(s);
}

static int on_source(void *data, uint32_t events)
{
	(void)events;
	pump(data);
	return 0;
}

static int on_timer(void *data);

/* Of a finishing stream. The rest has its turn soon, after others had theirs, and not by an event:
 * none tells that the source has become empty. */
static void pump_all(struct stream *s)
{
	for (int i = 0; i < CHUNKS_MAX; i++)
		if (s->ended || s->exhausted || fanout_is_held(s->o.sinks) || pump(s) <= 0)
			return;
	if (!s->ended && !s->exhausted && !s->timer &&
	    loop_add_time(s->o.loop, clock_monotonic_ns() + TURN_NS, on_timer, s, &s->timer, NULL) <
		    0)
		end(s);
}

/* No sink holds any more. */
static void on_ready(void *data)
{
	struct stream *s = data;

	if (s->ended)
		return;
	if (s->exhausted) {
		end(s);
		return;
	}
	if (s->finishing)
		pump_all(s);
	if (!s->ended && !s->exhausted && !fanout_is_held(s->o.sinks))
		resume(s);
}

static void on_no_sink(void *data)
{
	struct stream *s = data;

	if (s->o.stop_without_sink)
		end(s);
	else
		on_ready(s);
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

int stream_source(const struct stream *s)
{
	if (s->ended)
		return -1;
	return s->finishing ? -EBUSY : s->o.source_fd;
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
		return err_set(err, ENOMEM, "copy %s", options->name);
	}
	s->o = *options;
	fanout_set_writer(s->o.sinks, on_ready, on_no_sink, s);
	r = loop_add_fd(s->o.loop, s->o.source_fd, EPOLLIN, on_source, s, &s->in, err);
	if (r < 0) {
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
	loop_remove(s->in);
	loop_remove(s->timer);
	if (!s->ended) {
		fanout_set_writer(s->o.sinks, NULL, NULL, NULL);
		close(s->o.source_fd);
	}
	free(s);
	return NULL;
}
