/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "runtime/shim/io_open.h"
#include "runtime/shim/stream.h"

/* The last bytes of a terminal pass through a kernel worker. */
#define TERMINAL_END_MS 500

struct io {
	struct loop *loop;
	bool terminal, durable, finished;
	int child_fds[3]; /* the process's ends */
	int pipes[3];	  /* ours of the same pipes */
	int ends[3];	  /* the client's: FIFOs, files, loggers */
	int stdin_writer; /* see io_open_input() */
	struct shim_log *log;
	int console_fd, slave_fd;
	struct stream *streams[3];
	struct loop_source *timer; /* of the report that all is drained */
	void (*drained)(void *data);
	void *data;
};

static void close_fds(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(take_fd(&fds[i]));
}

struct io *io_free(struct io *io)
{
	if (!io)
		return NULL;
	loop_remove(io->timer);
	for (int i = 0; i < 3; i++)
		stream_free(io->streams[i]);
	close_fds(io->child_fds, 3);
	close_fds(io->pipes, 3);
	close_fds(io->ends, 3);
	close_fds(&io->stdin_writer, 1);
	close_fds(&io->console_fd, 1);
	close_fds(&io->slave_fd, 1);
	free(io);
	return NULL;
}

/* A pipe between the process's descriptor i and us, where somebody is at the other end; else
 * /dev/null. */
static int open_pipe(struct io *io, int i, const struct io_options *o, struct err *err)
{
	int fds[2];

	if (io->ends[i] < 0 && (i == 0 || !io->log)) {
		io->child_fds[i] = open("/dev/null", (i ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
		return io->child_fds[i] < 0 ? err_set(err, errno, "open /dev/null") : 0;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe for a container");
	io->child_fds[i] = fds[i ? 1 : 0];
	io->pipes[i] = fds[i ? 0 : 1];
	if (fcntl(io->pipes[i], F_SETFL, O_NONBLOCK) < 0 ||
	    ((o->uid || o->gid) && fchown(io->child_fds[i], o->uid, o->gid) < 0))
		return err_set(err, errno, "set up a pipe for a container");
	return 0;
}

static int open_ends(struct io *io, const struct io_options *o, struct err *err)
{
	int r = io_open_input(o->stdin_path, o->durable || o->keep_stdin, &io->ends[0],
			      &io->stdin_writer, err);

	if (r == 0 && io_is_binary(o->stdout_path)) {
		pid_t pid;

		/* The logger sees the end of its pipes and ends by itself; the reaper gets it. */
		return io_start_binary(o->stdout_path, o->id, o->namespace_, &io->ends[1], &pid,
				       err);
	}
	if (r == 0)
		r = io_open_output(o->stdout_path, o->durable, &io->ends[1], err);
	if (r == 0 && !o->terminal)
		r = io_open_output(o->stderr_path, o->durable, &io->ends[2], err);
	return r;
}

int io_new(const struct io_options *o, struct io **ret, struct err *err)
{
	struct io *io = calloc(1, sizeof(*io));
	int r;

	if (!io)
		return err_set(err, ENOMEM, "open stdio");
	*io = (struct io){ .loop = o->loop,
			   .terminal = o->terminal,
			   .durable = o->durable,
			   .child_fds = { -1, -1, -1 },
			   .pipes = { -1, -1, -1 },
			   .ends = { -1, -1, -1 },
			   .stdin_writer = -1,
			   .log = o->log,
			   .console_fd = -1,
			   .slave_fd = -1,
			   .drained = o->drained,
			   .data = o->data };
	r = open_ends(io, o, err);
	for (int i = 0; i < 3 && r == 0 && !o->terminal; i++)
		r = open_pipe(io, i, o, err);
	if (r < 0) {
		io_free(io);
		return r;
	}
	*ret = io;
	return 0;
}

const int *io_child_fds(const struct io *io)
{
	return io->terminal ? NULL : io->child_fds;
}

static int on_drained(void *data)
{
	struct io *io = data;

	io->timer = NULL;
	if (io->drained)
		io->drained(io->data);
	return 0;
}

static void on_stream_end(void *data)
{
	struct io *io = data;

	/* By the timer, because the stream that has just ended is still in use above us. */
	if (io->finished && io_is_drained(io) && !io->timer)
		loop_add_time(io->loop, clock_monotonic_ns(), on_drained, io, &io->timer, NULL);
}

static int start_stream(struct io *io, int i, struct err *err)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	struct stream_options o = {
		.loop = io->loop,
		.name = names[i],
		.source_fd = take_fd(i ? &io->pipes[i] : &io->ends[i]),
		.sink_fd = take_fd(i ? &io->ends[i] : &io->pipes[i]),
		.log = i ? io->log : NULL,
		.stop_without_sink = i == 0,
		.ended = i ? on_stream_end : NULL,
		.data = io,
	};

	return stream_new(&o, &io->streams[i], err);
}

/* The master serves as both ends, each with a descriptor of its own. */
static int attach_console(struct io *io, int console_fd, struct err *err)
{
	io->console_fd = console_fd;
	if (fcntl(console_fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return err_set(err, errno, "set up the terminal");
	/* A program may close its terminal and open it again (systemd does): a slave of our own
	 * keeps the hang-up away while the process lives. */
	io->slave_fd = ioctl(console_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	io->pipes[1] = fcntl(console_fd, F_DUPFD_CLOEXEC, 3);
	if (io->ends[0] >= 0)
		io->pipes[0] = fcntl(console_fd, F_DUPFD_CLOEXEC, 3);
	if (io->pipes[1] < 0 || (io->ends[0] >= 0 && io->pipes[0] < 0))
		return err_set(err, errno, "set up the terminal");
	return 0;
}

int io_attach(struct io *io, int console_fd, struct err *err)
{
	int r = 0;

	close_fds(io->child_fds, 3);
	if (console_fd >= 0)
		r = attach_console(io, console_fd, err);
	for (int i = 0; i < 3 && r == 0; i++)
		if (io->pipes[i] >= 0)
			r = start_stream(io, i, err);
	return r;
}

void io_finish(struct io *io)
{
	if (io->finished)
		return;
	io->finished = true;
	io->streams[0] = stream_free(io->streams[0]);
	close_fds(&io->slave_fd, 1);
	/* What no stream took over: of a process that never came to life, clients must see the end.
	 */
	close_fds(io->child_fds, 3);
	close_fds(io->pipes, 3);
	close_fds(io->ends, 3);
	close_fds(&io->stdin_writer, 1);
	for (int i = 1; i < 3; i++)
		if (io->streams[i])
			stream_finish(io->streams[i], io->terminal ? TERMINAL_END_MS : 0);
	on_stream_end(io);
}

bool io_is_drained(const struct io *io)
{
	for (int i = 1; i < 3; i++)
		if (io->streams[i] && !stream_has_ended(io->streams[i]))
			return false;
	return true;
}

void io_close_stdin(struct io *io)
{
	close_fds(&io->stdin_writer, 1);
	if (!io->durable && io->streams[0])
		stream_close_when_empty(io->streams[0]);
}

int io_resize(struct io *io, uint32_t width, uint32_t height, struct err *err)
{
	struct winsize size = { .ws_row = (unsigned short)height, .ws_col = (unsigned short)width };

	if (io->console_fd < 0)
		return err_say(err, EBUSY, "the process has no terminal");
	if (ioctl(io->console_fd, TIOCSWINSZ, &size) < 0)
		return err_set(err, errno, "resize the terminal");
	return 0;
}
