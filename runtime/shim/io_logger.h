/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A logger that is a program: binary:///PROGRAM?KEY=VALUE&... It reads stdout from descriptor 3 and
 * stderr from 4, and closes 5, or writes to it, when it is ready. The object is there until then;
 * afterwards the logger ends by itself with its pipes, and the reaper gets it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"

struct io_logger;

struct io_logger_options {
	struct loop *loop;
	const char *uri, *id, *namespace_; /* needed by io_logger_start() only */
	/* From the loop, once: it is ready (why is NULL), or was not after 10 s and was killed. The
	 * object has been freed. */
	void (*over)(void *data, const struct err *why);
	void *data;
};

bool io_is_logger(const char *path);

/* ret_fds: our writing ends of its stdout and stderr. */
int io_logger_start(const struct io_logger_options *options, int ret_fds[static 2],
		    struct io_logger **ret, struct err *err);
/* Kills it. */
struct io_logger *io_logger_free(struct io_logger *logger);
