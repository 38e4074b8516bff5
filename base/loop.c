/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal inside a round of events: a removed source is unlinked from epoll at once, but freed only
 * after the round, because a later event of the same epoll_wait() may still point to it.
 */
#include "base/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"

enum source_kind { SOURCE_FD, SOURCE_TIME, SOURCE_SIGNAL };

/* Where a program comes to rest: side by side, so that one that has dropped its pages (the shim's
 * trim.c) needs few of them. */
#define LOOP_HOT __attribute__((hot))

struct loop_source {
	struct loop *loop;
	struct loop_source *next; /* in loop->timers or loop->dead */
	enum source_kind kind;
	bool dead;
	int fd;
	int64_t deadline_ns;
	void *data;
	union {
		loop_fd_fn on_fd;
		loop_time_fn on_time;
		loop_signal_fn on_signal;
	};
};

struct loop {
	int epoll_fd;
	bool quit;
	int code;
	struct loop_source *timers; /* by deadline */
	struct loop_source *dead;
};

int loop_new(struct loop **ret, struct err *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return err_set(err, ENOMEM, "make event loop");
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return err_set(err, errno, "make event loop");
	}
	*ret = loop;
	return 0;
}

LOOP_HOT static void bury(struct loop *loop)
{
	while (loop->dead) {
		struct loop_source *s = loop->dead;

		loop->dead = s->next;
		free(s);
	}
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	while (loop->timers)
		loop_remove(loop->timers);
	bury(loop);
	close(loop->epoll_fd);
	free(loop);
	return NULL;
}

static struct loop_source *source_new(struct loop *loop, enum source_kind kind, void *data)
{
	struct loop_source *s = calloc(1, sizeof(*s));

	if (s) {
		s->loop = loop;
		s->kind = kind;
		s->fd = -1;
		s->data = data;
	}
	return s;
}

static int watch(struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_ADD, s->fd, &ev) < 0 ? -errno : 0;
}

int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn, void *data,
		struct loop_source **ret, struct err *err)
{
	struct loop_source *s = source_new(loop, SOURCE_FD, data);
	int r;

	if (!s)
		return err_set(err, ENOMEM, "watch descriptor");
	s->fd = fd;
	s->on_fd = fn;
	r = watch(s, events);
	if (r < 0) {
		free(s);
		return err_set(err, -r, "watch descriptor");
	}
	*ret = s;
	return 0;
}

int loop_change_fd(struct loop_source *source, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = source };

	return epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &ev) < 0 ? -errno : 0;
}

int loop_add_time(struct loop *loop, int64_t deadline_ns, loop_time_fn fn, void *data,
		  struct loop_source **ret, struct err *err)
{
	struct loop_source *s = source_new(loop, SOURCE_TIME, data), **at = &loop->timers;

	if (!s)
		return err_set(err, ENOMEM, "set timer");
	s->deadline_ns = deadline_ns;
	s->on_time = fn;
	while (*at && (*at)->deadline_ns <= deadline_ns)
		at = &(*at)->next;
	s->next = *at;
	*at = s;
	if (ret)
		*ret = s;
	return 0;
}

int loop_add_signals(struct loop *loop, const sigset_t *set, loop_signal_fn fn, void *data,
		     struct loop_source **ret, struct err *err)
{
	struct loop_source *s = source_new(loop, SOURCE_SIGNAL, data);
	int r;

	if (!s)
		return err_set(err, ENOMEM, "watch signals");
	s->on_signal = fn;
	if (sigprocmask(SIG_BLOCK, set, NULL) < 0 ||
	    (s->fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
		r = -errno;
		free(s);
		return err_set(err, -r, "watch signals");
	}
	r = watch(s, EPOLLIN);
	if (r < 0) {
		close(s->fd);
		free(s);
		return err_set(err, -r, "watch signals");
	}
	*ret = s;
	return 0;
}

struct loop_source *loop_remove(struct loop_source *source)
{
	struct loop *loop;

	if (!source || source->dead)
		return NULL;
	loop = source->loop;
	if (source->kind == SOURCE_TIME) {
		struct loop_source **at = &loop->timers;

		while (*at && *at != source)
			at = &(*at)->next;
		if (*at)
			*at = source->next;
	} else {
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
		if (source->kind == SOURCE_SIGNAL)
			close(source->fd);
	}
	source->dead = true;
	source->next = loop->dead;
	loop->dead = source;
	return NULL;
}

static int dispatch_signals(struct loop_source *s)
{
	struct signalfd_siginfo info;

	while (!s->dead && read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int r = s->on_signal(s->data, (int)info.ssi_signo);

		if (r < 0)
			return r;
	}
	return 0;
}

static int dispatch(struct loop_source *s, uint32_t events)
{
	if (s->dead)
		return 0;
	if (s->kind == SOURCE_SIGNAL)
		return dispatch_signals(s);
	return s->on_fd(s->data, events);
}

LOOP_HOT static int fire_timers(struct loop *loop)
{
	while (loop->timers && !loop->quit) {
		struct loop_source *s = loop->timers;
		loop_time_fn fn = s->on_time;
		void *data = s->data;
		int r;

		if (s->deadline_ns > clock_monotonic_ns())
			break;
		loop_remove(s);
		r = fn(data);
		if (r < 0)
			return r;
	}
	return 0;
}

LOOP_HOT static int timeout_ms(const struct loop *loop)
{
	int64_t left;

	if (!loop->timers)
		return -1;
	left = loop->timers->deadline_ns - clock_monotonic_ns();
	if (left <= 0)
		return 0;
	left = (left + 999999) / 1000000;
	return left > 3600000 ? 3600000 : (int)left;
}

LOOP_HOT int loop_run(struct loop *loop, struct err *err)
{
	struct epoll_event events[32];
	int r = 0;

	loop->quit = false;
	while (!loop->quit) {
		int n = epoll_wait(loop->epoll_fd, events, 32, timeout_ms(loop));

		if (n < 0 && errno != EINTR)
			return err_set(err, errno, "wait for events");
		for (int i = 0; i < n && r >= 0 && !loop->quit; i++)
			r = dispatch(events[i].data.ptr, events[i].events);
		if (r >= 0)
			r = fire_timers(loop);
		bury(loop);
		if (r < 0)
			return r;
	}
	return loop->code;
}

void loop_quit(struct loop *loop, int code)
{
	loop->quit = true;
	loop->code = code;
}
