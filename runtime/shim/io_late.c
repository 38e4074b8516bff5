/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/io_late.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define PATIENCE_NS INT64_C(10000000000)
#define LOOK_NS INT64_C(5000000)

void io_late_init(struct io_late *late, struct loop *loop, void (*over)(void *data), void *data)
{
	*late = (struct io_late){ .loop = loop, .fds = { -1, -1 }, .over = over, .data = data };
}

void io_late_deinit(struct io_late *late)
{
	late->timer = loop_remove(late->timer);
	for (int i = 0; i < 2; i++)
		cleanup_fd(&late->fds[i]);
}

int io_late_add(struct io_late *late, int i, int fd, struct err *err)
{
	late->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return late->fds[i] < 0 ? err_set(err, errno, "keep a FIFO open") : 0;
}

/* Closes what was read, or cannot be asked. */
static bool is_read(int *fd)
{
	int unread = 0;

	if (*fd >= 0 && ioctl(*fd, FIONREAD, &unread) == 0 && unread > 0)
		return false;
	if (*fd >= 0)
		close(take_fd(fd));
	return true;
}

static int on_look(void *data)
{
	struct io_late *late = data;

	late->timer = NULL;
	if (clock_monotonic_ns() >= late->deadline_ns || io_late_finish(late) == 0) {
		io_late_deinit(late);
		late->over(late->data);
	}
	return 0;
}

int io_late_finish(struct io_late *late)
{
	int64_t now = clock_monotonic_ns();
	bool first = is_read(&late->fds[0]), second = is_read(&late->fds[1]);

	if (first && second)
		return 0;
	if (late->timer)
		return 1;
	if (!late->deadline_ns)
		late->deadline_ns = now + PATIENCE_NS;
	if (loop_add_time(late->loop, now + LOOK_NS, on_look, late, &late->timer, NULL) == 0)
		return 1;
	io_late_deinit(late);
	return 0;
}
