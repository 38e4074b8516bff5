/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event loop over epoll: descriptors, deadlines and signals, in one thread.
 *
 * A source is owned by the loop's user and removed with loop_remove(), also from inside its own
 * callback. A callback returns 0, or <0 (fatal) which ends loop_run() with that value.
 */
#pragma once

#include <signal.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_source;

typedef int (*loop_fd_fn)(void *data, uint32_t events); /* EPOLL* bits */
typedef int (*loop_time_fn)(void *data);
typedef int (*loop_signal_fn)(void *data, int signal);

int loop_new(struct loop **ret, struct err *err);
struct loop *loop_free(struct loop *loop);

/* The fd stays the caller's, who closes it after loop_remove(). */
int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn, void *data,
		struct loop_source **ret, struct err *err);
int loop_change_fd(struct loop_source *source, uint32_t events);

/* Fires once at the deadline (CLOCK_MONOTONIC, ns) and is then removed by itself. */
int loop_add_time(struct loop *loop, int64_t deadline_ns, loop_time_fn fn, void *data,
		  struct loop_source **ret, struct err *err);

/* Blocks the signals of the set in this process and delivers them here (signalfd). */
int loop_add_signals(struct loop *loop, const sigset_t *set, loop_signal_fn fn, void *data,
		     struct loop_source **ret, struct err *err);

struct loop_source *loop_remove(struct loop_source *source); /* takes NULL, returns NULL */

/* Runs until loop_quit() or a fatal callback; returns the code of either. */
int loop_run(struct loop *loop, struct err *err);
void loop_quit(struct loop *loop, int code);
