/* SPDX-License-Identifier: Apache-2.0 */
/* The clients of a process's stdio: those that Create or Exec names, and those that come later. */
#include <errno.h>

#include "base/cleanup.h"
#include "runtime/shim/io_open.h"
#include "runtime/shim/io_struct.h"

#define CLIENTS_MAX 32

static int add_client(struct io *io, int i, int fd, struct err *err)
{
	return fd < 0 ? 0 : fanout_add(io->ends[i].clients, fd, true, NULL, NULL, NULL, err);
}

/* Output i to what the client names. */
static int open_output(struct io *io, int i, const char *path, int *ret, struct err *err)
{
	int r = io_open_output(path, io->o.durable, ret, err);

	return r > 0 ? io_late_add(&io->late, i, *ret, r == IO_FIFO_UNREAD, err) : r;
}

static void on_logger_over(void *data, const struct err *why)
{
	struct io *io = data;

	io->logger = NULL;
	if (io->o.ready)
		io->o.ready(io->o.data, why);
}

static int start_logger(struct io *io, const struct io_options *o, int fds[static 2],
			struct err *err)
{
	const struct io_logger_options logger = {
		.loop = o->loop,
		.uri = o->stdout_path,
		.id = o->id,
		.namespace_ = o->namespace_,
		.over = on_logger_over,
		.data = io,
	};

	return io_logger_start(&logger, fds, &io->logger, err);
}

int io_open_clients(struct io *io, const struct io_options *o, struct err *err)
{
	int fds[2] = { -1, -1 };
	int r = io_open_input(o->stdin_path, o->durable || o->keep_stdin, &io->stdin_fd,
			      &io->stdin_writer, err);

	if (r == 0 && io_is_logger(o->stdout_path))
		r = start_logger(io, o, fds, err);
	else if (r == 0)
		r = open_output(io, 0, o->stdout_path, &fds[0], err);
	if (r == 0 && !o->terminal && fds[1] < 0)
		r = open_output(io, 1, o->stderr_path, &fds[1], err);
	for (int i = 0; i < 2; i++) {
		if (r == 0)
			r = add_client(io, i + 1, take_fd(&fds[i]), err);
		io_close_fd(&fds[i]);
	}
	return r;
}

int io_add_client(struct io *io, const char *stdin_path, const char *stdout_path,
		  const char *stderr_path, struct err *err)
{
	struct fanout *fanouts[] = { io->ends[1].clients, io->ends[2].clients };
	int in, writer, out[2] = { -1, -1 }, r;

	if (fanout_count(fanouts[0]) >= CLIENTS_MAX)
		return err_say(err, EBUSY, "it has %d clients already", CLIENTS_MAX);
	r = io_open_input(stdin_path, false, &in, &writer, err);
	if (r == 0 && in >= 0)
		r = io_input_add(&io->inputs, io->o.loop, in,
				 io->console_fd >= 0 ? io->console_fd : io->ends[0].lasting, err);
	if (r == 0)
		r = io_open_output(stdout_path, false, &out[0], err);
	if (r == 0 && !io->o.terminal)
		r = io_open_output(stderr_path, false, &out[1], err);
	if (r < 0) {
		io_close_fd(&out[0]);
		return r;
	}
	return io_client_add_outputs(fanouts, out, err);
}
