/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One direction of a process's stdio: bytes from a source (pipe, terminal, FIFO) to a log and to
 * sinks (fanout.h), in the event loop.
 *
 * The log is written first and always; a sink that holds and takes nothing holds the source back
 * (so a slow reader slows the container, as with a pipe), a sink whose reader has gone is dropped.
 * Memory is held only for bytes that a sink did not take yet.
 *
 * With a spool, what has left the pipe and is not in the log yet outlives this process.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"

struct fanout;
struct shim_log;
struct spool;
struct stream;

struct stream_options {
	struct loop *loop;
	const char *name;	   /* "stdout", ...: in the log; a literal */
	int source_fd;		   /* non-blocking; the stream's from here on, also on failure */
	struct fanout *sinks;	   /* the caller's; the stream is its writer */
	struct shim_log *log;	   /* the caller's; or NULL */
	struct spool *spool;	   /* the same; the source is then a pipe without an end of file */
	unsigned index;		   /* in the spool: which of those that share it */
	bool stop_without_sink;	   /* stdin: nobody to write to is the end */
	void (*ended)(void *data); /* the source is at its end, and no sink holds */
	void *data;
};

int stream_new(const struct stream_options *options, struct stream **ret, struct err *err);
struct stream *stream_free(struct stream *stream);

/*
 * The process has ended: what is in the source now is the last of it. Delivers that and ends,
 * without waiting for an end of file that some other holder of the pipe might never give. A
 * terminal's end does come, but its last bytes may be on their way in the kernel: wait_ms gives
 * the end of file so much time.
 */
void stream_finish(struct stream *stream, int wait_ms);

/* stdin: ends once what is in the source has been delivered. */
void stream_close_when_empty(struct stream *stream);

/* Its source, which stays its own: -1 when it has ended, -EBUSY while it is about to. */
int stream_source(const struct stream *stream);

bool stream_has_ended(const struct stream *stream);
