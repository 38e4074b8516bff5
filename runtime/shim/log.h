/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a container's output. One record a line, as Kubernetes' CRI writes them:
 *
 *	2026-11-22T16:14:49.123456789Z stdout F a whole line
 *	2026-11-22T16:14:49.123456789Z stdout P a part, without the end of its line
 *	2026-11-22T16:14:49.123456789Z shim F 12 lines (340 bytes) were dropped: ...
 *
 * What has arrived is written at once: a piece without newline (a prompt, a part of a long line)
 * becomes a P record, and the F record that follows on the same stream completes it. So nothing is
 * buffered, `logs` shows what there is, and output is reproduced byte for byte.
 *
 * Rotation. A record that would make the file larger than max_bytes begins a new one: PATH becomes
 * PATH.1, PATH.1 becomes PATH.2, and so on; never are there more than max_files.
 *
 * A disk that takes no more does not hold the container back: what cannot be written is dropped and
 * counted, a half-written record is taken away again, and the first record that can be written
 * after that tells how much is missing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SHIM_LOG_MAX_BYTES_DEFAULT (INT64_C(10) << 20)
#define SHIM_LOG_MAX_FILES_DEFAULT 3u
#define SHIM_LOG_MAX_FILES_LIMIT 1000u

struct shim_log;

struct shim_log_options {
	const char *path;
	int64_t max_bytes;  /* 0: the default; -1: no limit, and so no rotation */
	unsigned max_files; /* with the one that is written; 0: the default */
};

/* Creates with mode 0600 and appends. */
int shim_log_open(const struct shim_log_options *options, struct shim_log **ret, struct err *err);
struct shim_log *shim_log_free(struct shim_log *log);

/*
 * Returns 0, or -errno where some of it was dropped.
 *
 * mark: NULL, or where to note, in one store, how far it has come, for one who finds this process
 * dead (spool.h): so many bytes of data are done, and nothing after them has left a trace in the
 * log below that size.
 */
int shim_log_append(struct shim_log *log, const char *stream, const void *data, size_t len,
		    uint64_t *mark);

/* A record of the shim's own; newlines become spaces. */
void shim_log_note(struct shim_log *log, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

int64_t shim_log_size(const struct shim_log *log);

/* Takes away what was written after the size, if that much is there. */
void shim_log_truncate(struct shim_log *log, int64_t size);

static inline uint64_t shim_log_mark(int64_t size, size_t done)
{
	return (uint64_t)size << 16 | (done & 0xffff);
}
