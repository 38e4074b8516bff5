/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One direction of a process's stdio: bytes from a source (pipe, terminal, FIFO) to a log and to
 * a sink (FIFO, pipe, terminal, file), in the event loop.
 *
 * The log is written first and always; a sink that takes nothing holds the source back (so a slow
 * reader slows the container, as with a pipe), a sink whose reader has gone is dropped. Memory is
 * held only for bytes that a sink did not take yet, at most one read's worth.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"

struct stream;
struct shim_log;

struct stream_options {
	struct loop *loop;
	const char *name;	   /* "stdout", ...: in the log; a literal */
	int source_fd;		   /* non-blocking; the stream's from here on, also on failure */
	int sink_fd;		   /* the same; or -1 */
	struct shim_log *log;	   /* the caller's; or NULL */
	bool stop_without_sink;	   /* stdin: nobody to write to is the end */
	void (*ended)(void *data); /* the source is at its end and all was delivered */
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

bool stream_has_ended(const struct stream *stream);
