/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One direction of an attached process's stdio: bytes from one descriptor to another, in the event
 * loop, one buffer of them at a time. Neither end has to be non-blocking: a descriptor is read and
 * written only when it is ready, and then at most PIPE_BUF bytes, which a ready pipe takes without
 * waiting. Ordinary files, which epoll refuses, are always ready.
 *
 * Invariant: the source is watched while the buffer is empty, the sink while it is not; so an end
 * that hangs up while nothing is to be done with it does not spin the loop.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"

#define PUMP_FILTER_ROOM 64

struct pump {
	struct loop *loop; /* these are set by who makes it */
	int source, sink;  /* the caller's */
	/* Once, when the source is at its end and all is written, or nobody reads the sink any
	 * more (broken). Bytes that follow then are thrown away. */
	void (*ended)(struct pump *pump, bool broken, void *data);
	/* May change what was read, with room for PUMP_FILTER_ROOM bytes more; true: as at the end
	 * of the source. NULL. */
	bool (*filter)(struct pump *pump, char *data, size_t *len, void *filter_data);
	void *data;

	struct loop_source *watch;
	size_t start, end; /* of what is in the buffer */
	bool draining;	   /* the sink is broken: read and forget */
	int error;	   /* errno that broke it */
	bool done;	   /* the source is at its end, or cannot be read */
	char buffer[PIPE_BUF];
};

int pump_start(struct pump *pump, struct err *err);
void pump_stop(struct pump *pump);
