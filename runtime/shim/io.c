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
#include "runtime/shim/fanout.h"
#include "runtime/shim/io_client.h"
#include "runtime/shim/io_late.h"
#include "runtime/shim/io_pipe.h"
#include "runtime/shim/io_struct.h"
#include "runtime/shim/stream.h"

/* The last bytes of a terminal pass through a kernel worker. */
#define TERMINAL_END_MS 500

static const char *const names[] = { "stdin", "stdout", "stderr" };

struct io *io_free(struct io *io)
{
	if (!io)
		return NULL;
	loop_remove(io->timer);
	io->logger = io_logger_free(io->logger);
	io_late_deinit(&io->late);
	io_input_free_all(&io->inputs);
	for (int i = 0; i < 3; i++) {
		struct end *e = &io->ends[i];

		stream_free(e->stream);
		fanout_free(e->clients);
		io_close_fd(&e->child);
		io_close_fd(&e->ours);
		io_close_fd(&e->lasting);
	}
	io_close_fd(&io->stdin_fd);
	io_close_fd(&io->stdin_writer);
	io_close_fd(&io->console_fd);
	io_close_fd(&io->slave_fd);
	free(io);
	return NULL;
}

/* ---- opening ---- */

static void on_late_over(void *data);

static int open_null(struct end *e, bool input, struct err *err)
{
	e->child = open("/dev/null", (input ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
	return e->child < 0 ? err_set(err, errno, "open /dev/null") : 0;
}

static int set_pipe(struct io *io, struct end *e, const struct io_pipe *pipe, bool lasting,
		    struct err *err)
{
	e->child = pipe->child;
	if (lasting) {
		e->lasting = pipe->ours;
		e->ours = fcntl(pipe->ours, F_DUPFD_CLOEXEC, 3);
	} else {
		e->ours = pipe->ours;
	}
	if (e->ours < 0 || ((io->o.uid || io->o.gid) && fchown(e->child, io->o.uid, io->o.gid) < 0))
		return err_set(err, errno, "set up a pipe for a container");
	return 0;
}

static bool is_wanted(const struct io *io, int i)
{
	if (i == 0)
		return io->stdin_fd >= 0 ||
		       (io->ends[0].stream && !stream_has_ended(io->ends[0].stream));
	return io->o.log || !fanout_is_empty(io->ends[i].clients);
}

/* A pipe between the process's descriptor i and us, where somebody is at the other end; else
 * /dev/null. */
static int open_pipe(struct io *io, int i, struct err *err)
{
	bool lasting = io->o.lasting && (i > 0 || io->o.keep_stdin);
	struct end *e = &io->ends[i];
	struct io_pipe pipe;
	int r;

	if (!is_wanted(io, i))
		return open_null(e, i == 0, err);
	r = lasting ? io_pipe_make_lasting(&pipe, err) : io_pipe_make(i == 0, &pipe, err);
	return r < 0 ? r : set_pipe(io, e, &pipe, lasting, err);
}

/* Where a process's stdio is known already: that of one that was adopted. */
static int adopt_pipe(struct io *io, int i, int fd, struct err *err)
{
	struct end *e = &io->ends[i];

	if (fd < 0)
		return 0;
	e->lasting = fd;
	e->ours = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return e->ours < 0 ? err_set(err, errno, "take over the stdio of a container") : 0;
}

static int open_pipes(struct io *io, const struct io_options *o, struct err *err)
{
	int r = 0;

	for (int i = 0; i < 3; i++) {
		if (o->pipes && r == 0)
			r = adopt_pipe(io, i, o->pipes[i], err);
		else if (o->pipes && o->pipes[i] >= 0)
			close(o->pipes[i]);
		else if (r == 0 && !o->terminal && !o->pipes)
			r = open_pipe(io, i, err);
	}
	return r;
}

int io_alloc(const struct io_options *o, struct io **ret, struct err *err)
{
	struct io *io = calloc(1, sizeof(*io));
	int r = 0;

	if (!io)
		return err_set(err, ENOMEM, "open stdio");
	io->o = *o;
	io->stdin_fd = io->stdin_writer = io->console_fd = io->slave_fd = -1;
	io_late_init(&io->late, o->loop, on_late_over, io);
	for (int i = 0; i < 3; i++) {
		io->ends[i] = (struct end){ .io = io, .child = -1, .ours = -1, .lasting = -1 };
		if (r == 0)
			r = fanout_new(o->loop, &io->ends[i].clients, err);
	}
	if (r < 0)
		io_free(io);
	else
		*ret = io;
	return r;
}

int io_new(const struct io_options *o, struct io **ret, struct err *err)
{
	struct io *io;
	int r = io_alloc(o, &io, err);

	if (r < 0)
		return r;
	r = io_open_clients(io, o, err);
	if (r == 0)
		r = open_pipes(io, o, err);
	if (r < 0) {
		io_free(io);
		return r;
	}
	*ret = io;
	return 0;
}

bool io_is_ready(const struct io *io)
{
	return !io->logger;
}

const int *io_child_fds(struct io *io)
{
	for (int i = 0; i < 3; i++)
		io->child_fds[i] = io->ends[i].child;
	return io->o.terminal ? NULL : io->child_fds;
}

/* ---- copying ---- */

static int on_drained(void *data)
{
	struct io *io = data;

	io->timer = NULL;
	if (io->o.drained)
		io->o.drained(io->o.data);
	return 0;
}

static bool streams_have_ended(const struct io *io)
{
	for (int i = 1; i < 3; i++)
		if (io->ends[i].stream && !stream_has_ended(io->ends[i].stream))
			return false;
	return true;
}

static void check_drained(struct io *io)
{
	/* By the timer, because the stream that has just ended is still in use above us. */
	if (io->finished && !io->timer && streams_have_ended(io) && io_late_finish(&io->late) == 0)
		loop_add_time(io->o.loop, clock_monotonic_ns(), on_drained, io, &io->timer, NULL);
}

static void on_late_over(void *data)
{
	check_drained(data);
}

/* The clients' end of file; of stdin, the process's. */
static void on_stream_end(void *data)
{
	struct end *e = data;
	bool input = e == &e->io->ends[0];

	/* A terminal that ended may be followed by another one. */
	if (input || e->io->finished || !e->io->o.renewable)
		fanout_close(e->clients);
	if (!input)
		check_drained(e->io);
}

int io_start_stream(struct io *io, int i, struct err *err)
{
	struct end *e = &io->ends[i];
	struct stream_options o = {
		.loop = io->o.loop,
		.name = names[i],
		.source_fd = take_fd(i ? &e->ours : &io->stdin_fd),
		.sinks = e->clients,
		.log = i ? io->o.log : NULL,
		.spool = i && io->o.lasting ? io->o.spool : NULL,
		.index = (unsigned)i,
		.stop_without_sink = i == 0 && !io->o.renewable,
		.ended = on_stream_end,
		.data = e,
	};

	return stream_new(&o, &e->stream, err);
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
	io->ends[1].ours = fcntl(console_fd, F_DUPFD_CLOEXEC, 3);
	if (is_wanted(io, 0))
		io->ends[0].ours = fcntl(console_fd, F_DUPFD_CLOEXEC, 3);
	if (io->ends[1].ours < 0 || (is_wanted(io, 0) && io->ends[0].ours < 0))
		return err_set(err, errno, "set up the terminal");
	return 0;
}

/* Our end of the process's stdin is what stdin is copied to. */
static int attach_input(struct io *io, struct err *err)
{
	struct end *e = &io->ends[0];
	int r;

	if (e->ours < 0)
		return 0;
	r = fanout_add(e->clients, take_fd(&e->ours), true, NULL, NULL, NULL, err);
	if (r == 0 && io->stdin_fd >= 0)
		r = io_start_stream(io, 0, err);
	return r;
}

int io_attach(struct io *io, int console_fd, struct err *err)
{
	int r = 0;

	for (int i = 0; i < 3; i++)
		io_close_fd(&io->ends[i].child);
	if (console_fd >= 0)
		r = attach_console(io, console_fd, err);
	if (r == 0)
		r = attach_input(io, err);
	for (int i = 1; i < 3 && r == 0; i++)
		if (io->ends[i].ours >= 0)
			r = io_start_stream(io, i, err);
	return r;
}

/* ---- the end, and what follows ---- */

static void leave_console(struct io *io)
{
	for (int i = 1; i < 3; i++)
		io->ends[i].stream = stream_free(io->ends[i].stream);
	io_close_fd(&io->slave_fd);
	io_close_fd(&io->console_fd);
}

static int renew_pipe(struct io *io, int i, struct err *err)
{
	struct end *e = &io->ends[i];

	if (e->lasting < 0)
		return open_pipe(io, i, err);
	e->child = io_pipe_reopen(e->lasting, err);
	return e->child < 0 ? e->child : 0;
}

int io_renew(struct io *io, struct err *err)
{
	int r = 0;

	/* Of stdin the pipe goes with the process, unless it lasts. */
	if (io->ends[0].lasting < 0)
		fanout_clear(io->ends[0].clients);
	if (io->o.terminal) {
		leave_console(io);
		return 0;
	}
	for (int i = 0; i < 3 && r == 0; i++) {
		/* Of a process that could not be made. */
		io_close_fd(&io->ends[i].child);
		if (io->ends[i].lasting < 0)
			io_close_fd(&io->ends[i].ours);
		r = renew_pipe(io, i, err);
	}
	return r;
}

void io_finish(struct io *io)
{
	if (io->finished)
		return;
	io->finished = true;
	io->logger = io_logger_free(io->logger);
	io->ends[0].stream = stream_free(io->ends[0].stream);
	io_input_free_all(&io->inputs);
	io_close_fd(&io->stdin_fd);
	io_close_fd(&io->stdin_writer);
	io_close_fd(&io->slave_fd);
	for (int i = 0; i < 3; i++) {
		struct end *e = &io->ends[i];

		/* What no stream took over: of a process that never came to life, clients must see
		 * the end. */
		io_close_fd(&e->child);
		io_close_fd(&e->ours);
		if (!e->stream || stream_has_ended(e->stream))
			fanout_close(e->clients);
		else
			stream_finish(e->stream, io->o.terminal ? TERMINAL_END_MS : 0);
	}
	check_drained(io);
}

bool io_is_drained(const struct io *io)
{
	return streams_have_ended(io) && !io->late.timer;
}

void io_close_stdin(struct io *io)
{
	io_close_fd(&io->stdin_writer);
	if (!io->o.durable && io->ends[0].stream)
		stream_close_when_empty(io->ends[0].stream);
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

void io_pipe_inodes(const struct io *io, uint64_t ret[static 3])
{
	for (int i = 0; i < 3; i++)
		ret[i] = io_pipe_inode(io->ends[i].lasting);
}
