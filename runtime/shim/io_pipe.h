/* SPDX-License-Identifier: Apache-2.0 */
/* The pipes between a process and the shim; all O_CLOEXEC, ours O_NONBLOCK. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct io_pipe {
	int ours, child;
};

/* An ordinary one; input: the process reads from it. */
int io_pipe_make(bool input, struct io_pipe *ret, struct err *err);

/* Both ends read and write, so that it stays whole when either holder dies. */
int io_pipe_make_lasting(struct io_pipe *ret, struct err *err);

/* One more end for a process of a lasting pipe. Returns an fd. */
int io_pipe_reopen(int ours, struct err *err);

/* 0: it is no pipe. */
uint64_t io_pipe_inode(int fd);

/*
 * Finds the pipes of a dead shim among the descriptors of the container's processes. inodes: 0
 * where there was none. ret_fds: our ends, -1 where nobody has it any more.
 */
void io_pipe_find(const pid_t *pids, size_t count, const uint64_t inodes[static 3],
		  int ret_fds[static 3]);
