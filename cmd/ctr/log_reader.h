/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a container's log (runtime/shim/log.h): lines "TIME STREAM TAG TEXT", where TAG is F for
 * what ended with a newline and P for a piece without one. Bytes come in as the files give them,
 * text goes out as the container wrote it. What the supervisor itself has to tell (how much of the
 * output was dropped) goes to stderr in words of ours.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/strbuf.h"

struct log_reader {
	/* Set by who makes it. */
	FILE *out, *err;  /* where the streams go; out NULL: lines are only counted */
	bool timestamps;  /* the time in front of each line */
	int64_t since_ns; /* leave out what is older; 0: nothing */
	int64_t until_ns; /* leave out what is from then on; 0: nothing */
	size_t skip;	  /* lines to leave out first */

	size_t lines;	       /* so many there were, but for those left out by their time */
	bool past;	       /* something came that is not before until_ns */
	struct strbuf partial; /* of a record whose end has not come yet */
	bool inside[2];	       /* the last piece of the stream did not end its line */
	bool hidden[2];	       /* ... and that line is left out */
};

/* -ENOMEM, or -errno of a failed write. */
int log_reader_feed(struct log_reader *reader, const char *data, size_t len);
void log_reader_deinit(struct log_reader *reader);
