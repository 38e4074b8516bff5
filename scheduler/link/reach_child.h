/* SPDX-License-Identifier: Apache-2.0 */
/* The `ctr logs` or `ctr exec` of a stream: how it is called, and its stdio. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct reach_child {
	pid_t pid;
	int pidfd;
	/* Our ends, non-blocking; -1: there is none (any more). Of a terminal there is one output.
	 */
	int stdin_fd, stdout_fd, stderr_fd;
	bool terminal;
};

#define REACH_CHILD_NONE                                                      \
	{                                                                     \
		.pidfd = -1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 \
	}

/* task: JSON of scheduler/api/streams_ask.h. */
int reach_child_start(const char *root, const char *runroot, const char *task, size_t len,
		      struct reach_child *ret, struct err *err);
/* "ROWS COLUMNS". */
void reach_child_resize(const struct reach_child *child, const char *window);
/* Closes our ends; who lives goes on. */
void reach_child_deinit(struct reach_child *child);
