/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a container's log (runtime/shim/log.h): lines "TIME STREAM TAG TEXT", where TAG is F for
 * what ended with a newline and P for a piece without one. Bytes come in as the file gives them,
 * text goes out as the container wrote it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/strbuf.h"

struct log_reader {
	FILE *out, *err;       /* where the streams go; set by who makes it */
	bool timestamps;       /* the time in front of each line */
	size_t skip;	       /* lines to leave out first */
	struct strbuf partial; /* of a record whose end has not come yet */
	bool inside[2];	       /* the last piece of the stream did not end its line */
};

/* -ENOMEM, or -errno of a failed write. */
int log_reader_feed(struct log_reader *reader, const char *data, size_t len);
void log_reader_deinit(struct log_reader *reader);

/* How many lines there are: records that end one, and a piece at the end. */
size_t log_reader_count(const char *data, size_t len);
