/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last output in the FIFOs of a durable client. containerd's clients open theirs in the
 * background, and throw away what they have not opened when Delete is answered: a process may
 * write, end, be reported and be deleted before they have. So this keeps a FIFO open after the
 * stream's end until all was read: ten seconds at most where nobody had opened it at first, one
 * where somebody had, and as long as somebody still does.
 *
 * The kernel does not tell the writer of a pipe that was not full that it was read: while there is
 * something to wait for, this looks every few milliseconds.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"

struct io_late {
	struct loop *loop;
	struct io_late_fifo {
		int fd; /* its writing end; -1: none */
		bool late;
	} fifos[2]; /* stdout and stderr */
	struct loop_source *timer;
	int64_t since_ns;
	void (*over)(void *data); /* from the loop: nothing is waited for any more */
	void *data;
};

void io_late_init(struct io_late *late, struct loop *loop, void (*over)(void *data), void *data);
void io_late_deinit(struct io_late *late);

/* Output i (0, 1) goes to the FIFO fd, which is not owned; late: nobody has opened its other end.
 */
int io_late_add(struct io_late *late, int i, int fd, bool is_late, struct err *err);

/* As io_late_add() was told: fd is -1, or taken over. */
void io_late_restore(struct io_late *late, int i, int fd, bool is_late);

/* All output of the process is in the FIFOs, and only we hold them open for writing. >0: not all is
 * read; over() follows. 0: there is nothing to wait for. */
int io_late_finish(struct io_late *late);
