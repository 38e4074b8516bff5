/* SPDX-License-Identifier: Apache-2.0 */
/* The stdio of a process, for io.c, io_ends.c and io_upgrade.c. */
#pragma once

#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/shim/fanout.h"
#include "runtime/shim/io.h"
#include "runtime/shim/io_client.h"
#include "runtime/shim/io_late.h"
#include "runtime/shim/io_logger.h"
#include "runtime/shim/stream.h"

/* One of the three; what a stream's callback gets. */
struct end {
	struct io *io;
	int child;		/* the process's end, until io_attach() */
	int ours;		/* of the same pipe, until a stream has it */
	int lasting;		/* a descriptor of the lasting pipe, or -1 */
	struct stream *stream;	/* NULL before io_attach() */
	struct fanout *clients; /* of stdin: the process's pipe or terminal */
};

struct io {
	struct io_options o; /* without the paths */
	bool finished;
	struct end ends[3];
	int child_fds[3]; /* as io_child_fds() gives them */
	int stdin_fd;	  /* where the client's stdin comes from, until a stream has it */
	int stdin_writer; /* see io_open_input() */
	int console_fd, slave_fd;
	struct io_input *inputs; /* of clients that came later */
	struct io_late late;
	struct io_logger *logger;  /* NULL: ready */
	struct loop_source *timer; /* of the report that all is drained */
};

static inline void io_close_fd(int *fd)
{
	if (*fd >= 0)
		close(take_fd(fd));
}

/* Opens what the options name, for a new io. */
int io_open_clients(struct io *io, const struct io_options *options, struct err *err);

/* Without anything opened. */
int io_alloc(const struct io_options *options, struct io **ret, struct err *err);

/* From ends[i].ours, or stdin_fd for stdin. */
int io_start_stream(struct io *io, int i, struct err *err);
