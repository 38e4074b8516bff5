/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/fanout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"

struct fanout_sink {
	struct fanout *fanout;
	struct fanout_sink *next;
	int fd;
	bool holds, closing;
	struct loop_source *source; /* NULL where epoll refuses it: an ordinary file */
	char *pending;
	size_t len, done; /* of pending */
	fanout_lost_fn lost;
	void *data;
};

struct fanout {
	struct loop *loop;
	struct fanout_sink *sinks;
	void (*ready)(void *data);
	void (*empty)(void *data);
	void *data;
	bool closing;
};

int fanout_new(struct loop *loop, struct fanout **ret, struct err *err)
{
	struct fanout *f = calloc(1, sizeof(*f));

	if (!f)
		return err_set(err, ENOMEM, "open stdio");
	f->loop = loop;
	*ret = f;
	return 0;
}

void fanout_set_writer(struct fanout *f, void (*ready)(void *data), void (*empty)(void *data),
		       void *data)
{
	f->ready = ready;
	f->empty = empty;
	f->data = data;
}

void fanout_remove(struct fanout_sink *sink)
{
	if (!sink)
		return;
	for (struct fanout_sink **at = &sink->fanout->sinks; *at; at = &(*at)->next)
		if (*at == sink) {
			*at = sink->next;
			break;
		}
	loop_remove(sink->source);
	close(sink->fd);
	free(sink->pending);
	free(sink);
}

static void lose(struct fanout_sink *sink, enum fanout_loss why)
{
	struct fanout *f = sink->fanout;
	bool held = fanout_is_held(f);
	fanout_lost_fn lost = sink->lost;
	void *data = sink->data;

	fanout_remove(sink);
	if (lost)
		lost(data, why);
	if (!f->sinks && f->empty && !f->closing)
		f->empty(f->data);
	else if (held && !fanout_is_held(f) && f->ready)
		f->ready(f->data);
}

void fanout_clear(struct fanout *f)
{
	bool held = fanout_is_held(f);

	while (f->sinks)
		fanout_remove(f->sinks);
	if (held && f->ready)
		f->ready(f->data);
}

struct fanout *fanout_free(struct fanout *f)
{
	if (!f)
		return NULL;
	/* Who owns what belongs to a sink hears of it. */
	f->ready = f->empty = NULL;
	while (f->sinks)
		lose(f->sinks, FANOUT_CLOSED);
	free(f);
	return NULL;
}

static int listen_for(struct fanout_sink *sink)
{
	return sink->source ? loop_change_fd(sink->source, sink->pending ? EPOLLOUT : 0) : -EPERM;
}

/* Number of bytes written; -EAGAIN is 0; other errors are returned. */
static ssize_t write_some(const struct fanout_sink *sink, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(sink->fd, data + done, len - done);

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

static int keep(struct fanout_sink *sink, const char *data, size_t len)
{
	size_t left = sink->len - sink->done;
	char *all;

	if (!sink->holds && left + len > FANOUT_PENDING_MAX)
		return -ENOBUFS;
	all = malloc(left + len);
	if (!all)
		return -ENOMEM;
	if (left)
		memcpy(all, sink->pending + sink->done, left);
	memcpy(all + left, data, len);
	free(sink->pending);
	sink->pending = all;
	sink->len = left + len;
	sink->done = 0;
	return listen_for(sink);
}

/* 0, or -errno when the sink is to be given up. */
static int put(struct fanout_sink *sink, const char *data, size_t len)
{
	ssize_t n = sink->pending ? 0 : write_some(sink, data, len);

	if (n < 0)
		return (int)n;
	return (size_t)n < len ? keep(sink, data + n, len - (size_t)n) : 0;
}

static void on_written(struct fanout_sink *sink)
{
	struct fanout *f = sink->fanout;

	free(take_ptr(sink->pending));
	sink->len = sink->done = 0;
	listen_for(sink);
	if (sink->closing)
		lose(sink, FANOUT_CLOSED);
	else if (sink->holds && !fanout_is_held(f) && f->ready)
		f->ready(f->data);
}

static int on_sink(void *data, uint32_t events)
{
	struct fanout_sink *sink = data;
	ssize_t n;

	if (!sink->pending) {
		if (events & (EPOLLERR | EPOLLHUP))
			lose(sink, FANOUT_GONE);
		return 0;
	}
	n = write_some(sink, sink->pending + sink->done, sink->len - sink->done);
	if (n < 0) {
		lose(sink, FANOUT_GONE);
		return 0;
	}
	sink->done += (size_t)n;
	if (sink->done == sink->len)
		on_written(sink);
	return 0;
}

int fanout_add(struct fanout *f, int fd, bool holds, fanout_lost_fn lost, void *data,
	       struct fanout_sink **ret, struct err *err)
{
	struct fanout_sink *sink = calloc(1, sizeof(*sink));
	int r;

	if (!sink) {
		close(fd);
		return err_set(err, ENOMEM, "open stdio");
	}
	*sink = (struct fanout_sink){
		.fanout = f, .next = f->sinks, .fd = fd, .holds = holds, .lost = lost, .data = data
	};
	r = loop_add_fd(f->loop, fd, 0, on_sink, sink, &sink->source, NULL);
	if (r < 0 && r != -EPERM) {
		close(fd);
		free(sink);
		return err_set(err, -r, "watch a client of stdio");
	}
	f->sinks = sink;
	if (ret)
		*ret = sink;
	return 0;
}

void fanout_write(struct fanout *f, const void *data, size_t len)
{
	struct fanout_sink *next;

	for (struct fanout_sink *sink = f->sinks; sink; sink = next) {
		int r = put(sink, data, len);

		next = sink->next;
		if (r < 0)
			lose(sink, r == -ENOBUFS ? FANOUT_TOO_SLOW : FANOUT_GONE);
	}
}

bool fanout_is_held(const struct fanout *f)
{
	for (const struct fanout_sink *sink = f->sinks; sink; sink = sink->next)
		if (sink->holds && sink->pending)
			return true;
	return false;
}

bool fanout_is_empty(const struct fanout *f)
{
	return !f->sinks;
}

size_t fanout_count(const struct fanout *f)
{
	size_t count = 0;

	for (const struct fanout_sink *sink = f->sinks; sink; sink = sink->next)
		count++;
	return count;
}

bool fanout_is_drained(const struct fanout *f)
{
	for (const struct fanout_sink *sink = f->sinks; sink; sink = sink->next)
		if (sink->pending)
			return false;
	return true;
}

void fanout_close(struct fanout *f)
{
	struct fanout_sink *next;

	f->closing = true;
	for (struct fanout_sink *sink = f->sinks; sink; sink = next) {
		next = sink->next;
		sink->closing = true;
		if (!sink->pending)
			lose(sink, FANOUT_CLOSED);
	}
}

int fanout_save(const struct fanout *f, Upgrade__End *ret)
{
	size_t count = fanout_count(f), i = 0;
	Upgrade__Sink *sinks = calloc(count + 1, sizeof(*sinks));

	ret->sinks = calloc(count + 1, sizeof(*ret->sinks));
	if (!sinks || !ret->sinks) {
		free(sinks);
		free(take_ptr(ret->sinks));
		return -ENOMEM;
	}
	/* The first element holds all of them. */
	ret->sinks[0] = sinks;
	for (const struct fanout_sink *sink = f->sinks; sink; sink = sink->next, i++) {
		sinks[i] = (Upgrade__Sink)UPGRADE__SINK__INIT;
		sinks[i].fd = sink->fd;
		sinks[i].holds = sink->holds;
		sinks[i].pending.data = (uint8_t *)sink->pending + sink->done;
		sinks[i].pending.len = sink->len - sink->done;
		ret->sinks[i] = &sinks[i];
	}
	ret->n_sinks = count;
	return 0;
}

void fanout_unsave(Upgrade__End *end)
{
	if (end->sinks)
		free(end->sinks[0]);
	free(take_ptr(end->sinks));
	end->n_sinks = 0;
}

int fanout_restore(struct fanout *f, const Upgrade__End *end, struct err *err)
{
	int r = 0;

	for (size_t i = end->n_sinks; i > 0; i--) {
		const Upgrade__Sink *saved = end->sinks[i - 1];
		struct fanout_sink *sink = NULL;

		if (r == 0)
			r = fanout_add(f, saved->fd, saved->holds, NULL, NULL, &sink, err);
		else
			close(saved->fd);
		if (r == 0 && saved->pending.len)
			r = keep(sink, (char *)saved->pending.data, saved->pending.len);
	}
	return r;
}
