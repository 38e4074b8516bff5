/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shim has taken out of a container's pipes and not written to the log yet: in a file of a
 * tmpfs that is mapped, so that it outlives a kill -9 of the shim, and the one that adopts the
 * container goes on at the very byte.
 *
 * Theory of operation. One batch is under way at a time. Of each it is noted, each by one store:
 *
 *	1 expected	so many bytes are in the pipe, and they alone will be read; the buffer
 *begins with a pattern 2 READING	the read may have happened: then the pattern is gone, and
 *`expected` bytes are here 3 HELD		they are here
 *	4 mark		so many of them are in the log, and the log was so long before the next
 *	5 IDLE
 *
 * Who finds 2 or 3 cuts the log to the length in `mark` and writes the rest of the batch again. The
 * pattern can lie only where a container writes these very bytes and the shim dies within the
 * read.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct shim_log;
struct spool;

/* Opens or makes the file; what it holds stays. */
int spool_open(const char *path, struct spool **ret, struct err *err);
struct spool *spool_close(struct spool *spool);

/*
 * Reads what is in a pipe that has no end of file (a writer of ours keeps it open) into the buffer.
 * As read(2); -1 with EAGAIN when it is empty.
 */
ssize_t spool_read(struct spool *spool, int fd, unsigned index, size_t want,
		   const struct shim_log *log);
char *spool_data(struct spool *spool);
uint64_t *spool_mark(struct spool *spool); /* for shim_log_append() */
void spool_finish(struct spool *spool);

/* Writes to the log what a dead shim left. names: of the streams, by index. */
void spool_recover(struct spool *spool, struct shim_log *log, const char *const *names,
		   size_t count);
