/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/io_late.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define SECOND_NS INT64_C(1000000000)
#define LOOK_NS INT64_C(3000000)

void io_late_init(struct io_late *late, struct loop *loop, void (*over)(void *data), void *data)
{
	*late = (struct io_late){
		.loop = loop, .fifos = { { -1, false }, { -1, false } }, .over = over, .data = data
	};
}

void io_late_deinit(struct io_late *late)
{
	late->timer = loop_remove(late->timer);
	for (int i = 0; i < 2; i++)
		cleanup_fd(&late->fifos[i].fd);
}

int io_late_add(struct io_late *late, int i, int fd, bool is_late, struct err *err)
{
	char path[40];

	/* Only a descriptor that cannot read is told whether somebody else can. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "keep a FIFO open");
	late->fifos[i] = (struct io_late_fifo){ fd, is_late };
	return 0;
}

void io_late_restore(struct io_late *late, int i, int fd, bool is_late)
{
	late->fifos[i] = (struct io_late_fifo){ fd, is_late };
}

static bool has_readers(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 0 || !(p.revents & POLLERR);
}

/* Closes one that is done with. */
static bool is_done(struct io_late_fifo *fifo, int64_t waited_ns)
{
	int unread = 0;

	if (fifo->fd >= 0 && ioctl(fifo->fd, FIONREAD, &unread) == 0 && unread > 0 &&
	    waited_ns < (fifo->late ? 10 : 1) * SECOND_NS && (fifo->late || has_readers(fifo->fd)))
		return false;
	cleanup_fd(&fifo->fd);
	fifo->fd = -1;
	return true;
}

static int on_look(void *data)
{
	struct io_late *late = data;

	late->timer = NULL;
	if (io_late_finish(late) == 0)
		late->over(late->data);
	return 0;
}

int io_late_finish(struct io_late *late)
{
	int64_t now = clock_monotonic_ns();
	bool done;

	if (late->timer)
		return 1;
	if (!late->since_ns)
		late->since_ns = now;
	done = is_done(&late->fifos[0], now - late->since_ns);
	done = is_done(&late->fifos[1], now - late->since_ns) && done;
	if (done)
		return 0;
	if (loop_add_time(late->loop, now + LOOK_NS, on_look, late, &late->timer, NULL) == 0)
		return 1;
	io_late_deinit(late);
	return 0;
}
