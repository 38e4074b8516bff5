/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames in a stream of bytes: a letter that says what it is, the length in three bytes, the
 * highest first, and so many bytes. The stdio of a process that is elsewhere goes so
 * (scheduler/api/streams.h).
 */
#pragma once

#include <stddef.h>

#include "base/strbuf.h"

#define FRAME_HEAD 4
#define FRAME_MAX ((size_t)64 << 10)

enum frame_kind {
	/* To the process. */
	FRAME_STDIN = 'i',
	FRAME_STDIN_END = 'd',
	FRAME_WINDOW = 'w', /* "ROWS COLUMNS" of the terminal that it is shown in */
	FRAME_SIGNAL = 's', /* its number in decimal digits */
	FRAME_TASK = 't',   /* JSON: what is to run; the first of all */
	/* From it. */
	FRAME_STDOUT = 'o',
	FRAME_STDERR = 'e',
	FRAME_EXIT = 'x',  /* its status in decimal digits; the last of all */
	FRAME_ERROR = 'f', /* a sentence, in place of an exit */
	/* Of who stands between. */
	FRAME_NAME = 'n', /* the stream's */
	FRAME_PULSE = 'p',
};

/* Data beyond FRAME_MAX goes into frames of its own. */
void frame_add(struct strbuf *sb, enum frame_kind kind, const void *data, size_t len);

/* So many bytes at the front of it have arrived; what was added meanwhile stays. */
void frame_drop(struct strbuf *sb, size_t len);

/* Data is NUL-terminated, for those who take it for text. <0 ends the reading. */
typedef int (*frame_fn)(void *data, enum frame_kind kind, const char *bytes, size_t len);

/* What has come of a frame that is not whole yet; a zeroed one is new. */
struct frame_reader {
	struct strbuf part;
};

/* Calls fn for each frame that is whole now. -EBADMSG: one is longer than may be; -ENOMEM; or what
 * fn returned. */
int frame_read(struct frame_reader *reader, const char *bytes, size_t len, frame_fn fn, void *data);
void frame_reader_deinit(struct frame_reader *reader);
