/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FIFOs whose reader comes late. containerd's clients open theirs in the background: a process may
 * write, end and be reported before they have. What it wrote is in the FIFO as long as somebody has
 * that open; so this keeps it so until it was read, ten seconds at most after the stream's end.
 *
 * The kernel does not tell the writer of a pipe that was not full that it was read: while there is
 * something to wait for, this looks every few milliseconds.
 */
#pragma once

#include "base/err.h"
#include "base/loop.h"

struct io_late {
	struct loop *loop;
	int fds[2]; /* of stdout and stderr; -1: nobody is late */
	struct loop_source *timer;
	int64_t deadline_ns;
	void (*over)(void *data); /* from the loop: nothing is waited for any more */
	void *data;
};

void io_late_init(struct io_late *late, struct loop *loop, void (*over)(void *data), void *data);
void io_late_deinit(struct io_late *late);

/* Output i (0, 1) goes to fd, which is not owned, and nobody has opened its other end. */
int io_late_add(struct io_late *late, int i, int fd, struct err *err);

/* All output of the process is in the FIFOs. >0: not all is read; over() follows. 0: all is. */
int io_late_finish(struct io_late *late);
