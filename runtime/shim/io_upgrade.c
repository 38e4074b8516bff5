/* SPDX-License-Identifier: Apache-2.0 */
/* Stdio handed to the program that takes our place. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/shim/io_struct.h"

static int save_end(const struct end *e, Upgrade__End *ret)
{
	int source = e->stream ? stream_source(e->stream) : -1;

	if (e->child >= 0 || e->ours >= 0 || source == -EBUSY)
		return -EBUSY;
	ret->lasting = e->lasting;
	ret->source = source;
	return fanout_save(e->clients, ret);
}

/* The first element holds both. */
static int save_late(const struct io *io, Upgrade__Io *ret)
{
	Upgrade__Late *items = calloc(2, sizeof(*items));

	ret->late = calloc(2, sizeof(*ret->late));
	if (!items || !ret->late) {
		free(items);
		free(take_ptr(ret->late));
		return -ENOMEM;
	}
	for (int i = 0; i < 2; i++) {
		items[i] = (Upgrade__Late)UPGRADE__LATE__INIT;
		items[i].fd = io->late.fifos[i].fd;
		items[i].late = io->late.fifos[i].late;
		ret->late[i] = &items[i];
	}
	ret->n_late = 2;
	return 0;
}

int io_save(const struct io *io, Upgrade__Io *ret)
{
	Upgrade__End *ends = calloc(3, sizeof(*ends));
	int r = io->finished || io->logger || io->stdin_fd >= 0 ? -EBUSY : 0;

	ret->ends = calloc(3, sizeof(*ret->ends));
	if (!ends || !ret->ends) {
		free(ends);
		free(take_ptr(ret->ends));
		return -ENOMEM;
	}
	for (int i = 0; i < 3; i++) {
		ends[i] = (Upgrade__End)UPGRADE__END__INIT;
		ret->ends[i] = &ends[i];
	}
	ret->n_ends = 3;
	for (int i = 0; i < 3 && r == 0; i++)
		r = save_end(&io->ends[i], &ends[i]);
	if (r == 0)
		r = save_late(io, ret);
	ret->stdin_writer = io->stdin_writer;
	ret->console = io->console_fd;
	ret->slave = io->slave_fd;
	return r == 0 ? io_input_save(io->inputs, &ret->inputs, &ret->n_inputs) : r;
}

void io_unsave(Upgrade__Io *saved)
{
	for (size_t i = 0; i < saved->n_ends; i++)
		fanout_unsave(saved->ends[i]);
	if (saved->ends)
		free(saved->ends[0]);
	free(take_ptr(saved->ends));
	free(take_ptr(saved->inputs));
	if (saved->late)
		free(saved->late[0]);
	free(take_ptr(saved->late));
	saved->n_ends = saved->n_inputs = saved->n_late = 0;
}

static int restore_end(struct io *io, int i, const Upgrade__End *saved, struct err *err)
{
	struct end *e = &io->ends[i];
	int r;

	e->lasting = saved->lasting;
	*(i ? &e->ours : &io->stdin_fd) = saved->source;
	r = fanout_restore(e->clients, saved, err);
	return r == 0 && saved->source >= 0 ? io_start_stream(io, i, err) : r;
}

/* Of what is not taken over the other sides must see the end. */
static void drop_end(const Upgrade__End *saved)
{
	int fds[] = { saved->lasting, saved->source };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		io_close_fd(&fds[i]);
	for (size_t i = 0; i < saved->n_sinks; i++) {
		int fd = saved->sinks[i]->fd;

		io_close_fd(&fd);
	}
}

int io_restore(const struct io_options *options, const Upgrade__Io *saved, struct io **ret,
	       struct err *err)
{
	struct io *io;
	int r;

	if (saved->n_ends != 3)
		return err_say(err, EBADMSG, "what the shim left has no stdio");
	r = io_alloc(options, &io, err);
	if (r < 0)
		return r;
	io->stdin_writer = saved->stdin_writer;
	io->console_fd = saved->console;
	io->slave_fd = saved->slave;
	for (size_t i = 0; i < saved->n_late && i < 2; i++)
		io_late_restore(&io->late, (int)i, saved->late[i]->fd, saved->late[i]->late);
	for (int i = 0; i < 3; i++)
		if (r == 0)
			r = restore_end(io, i, saved->ends[i], err);
		else
			drop_end(saved->ends[i]);
	for (size_t i = 0; i < saved->n_inputs; i++)
		if (r == 0)
			r = io_input_add(&io->inputs, options->loop, saved->inputs[i],
					 io->console_fd >= 0 ? io->console_fd : io->ends[0].lasting,
					 err);
		else
			close(saved->inputs[i]);
	if (r < 0)
		io_free(io);
	else
		*ret = io;
	return r;
}
