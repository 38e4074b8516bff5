/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's end of a stream (scheduler/api/streams.h): what a process in a task writes comes out
 * of our stdout and stderr, and it gets our stdin, signals and the size of our terminal.
 */
#pragma once

#include "cmd/cellar-cell/verbs.h"

struct stream_options {
	const char *method, *path, *body; /* body: or NULL */
	bool input;			  /* it gets our stdin */
	bool terminal;			  /* ours is put into raw mode */
	bool signals;			  /* are passed on; the third in a row makes us leave */
};

/* Returns its exit status, or -errno with the sentence in err. */
int stream_run(const struct ask *ask, const struct stream_options *options, struct err *err);
