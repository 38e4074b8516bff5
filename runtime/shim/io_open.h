/* SPDX-License-Identifier: Apache-2.0 */
/* From the names of stdio in the Task API to descriptors; all O_CLOEXEC and O_NONBLOCK. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Where output goes: a FIFO's path, "file:///PATH" (folders are made, appended to). *ret: an fd; -1
 * for no path, and where nobody reads the FIFO of a client that is not durable. >0: a durable
 * client's FIFO, which somebody reads or nobody yet.
 */
enum { IO_FIFO = 1, IO_FIFO_UNREAD };
int io_open_output(const char *path, bool durable, int *ret, struct err *err);

/*
 * Where stdin comes from: a FIFO. ret_writer: with keep a writing end of it, which keeps the end of
 * file away until it is closed, else -1.
 */
int io_open_input(const char *path, bool keep, int *ret, int *ret_writer, struct err *err);
