/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/pump.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

static int watch(struct pump *pump);

static bool is_empty(const struct pump *pump)
{
	return pump->start == pump->end;
}

/* errno of a descriptor that is not ready after all. */
static bool is_later(int code)
{
	return code == EAGAIN || code == EINTR;
}

static void read_some(struct pump *pump)
{
	size_t room = sizeof(pump->buffer) - (pump->filter ? PUMP_FILTER_ROOM : 0), len;
	ssize_t n = read(pump->source, pump->buffer, room);

	if (n < 0 && is_later(errno))
		return;
	if (n <= 0) {
		/* EIO is what a terminal says when its other side has gone. */
		pump->done = true;
		if (!pump->draining)
			pump->ended(pump, false, pump->data);
		return;
	}
	len = (size_t)n;
	pump->start = 0;
	if (pump->filter && pump->filter(pump, pump->buffer, &len, pump->data)) {
		pump->done = true;
		pump->end = 0;
		pump->ended(pump, false, pump->data);
		return;
	}
	pump->end = pump->draining ? 0 : len;
}

static void write_some(struct pump *pump)
{
	ssize_t n = write(pump->sink, pump->buffer + pump->start, pump->end - pump->start);

	if (n >= 0) {
		pump->start += (size_t)n;
		return;
	}
	if (is_later(errno))
		return;
	pump->error = errno;
	pump->start = pump->end = 0;
	pump->draining = true;
	pump->ended(pump, true, pump->data);
}

static int step(struct pump *pump)
{
	pump->watch = loop_remove(pump->watch);
	if (is_empty(pump))
		read_some(pump);
	else
		write_some(pump);
	return watch(pump);
}

static int on_ready(void *data, uint32_t events)
{
	(void)events;
	return step(data);
}

static int on_always_ready(void *data)
{
	struct pump *pump = data;

	pump->watch = NULL; /* a timer removes itself */
	return step(pump);
}

static int watch(struct pump *pump)
{
	bool reading = is_empty(pump);
	int r;

	if (pump->done && reading)
		return 0;
	r = loop_add_fd(pump->loop, reading ? pump->source : pump->sink,
			reading ? EPOLLIN : EPOLLOUT, on_ready, pump, &pump->watch, NULL);
	if (r == -EPERM)
		r = loop_add_time(pump->loop, clock_monotonic_ns(), on_always_ready, pump,
				  &pump->watch, NULL);
	return r;
}

int pump_start(struct pump *pump, struct err *err)
{
	int r = watch(pump);

	return r < 0 ? err_set(err, -r, "watch descriptor %d", pump->source) : 0;
}

void pump_stop(struct pump *pump)
{
	pump->watch = loop_remove(pump->watch);
	pump->done = true;
	pump->start = pump->end = 0;
}
