/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting through the exec fifo. Init blocks in opening it for writing; that we open it for
 * reading lets it go on, and what it writes is EXECUTING, then nothing when the program was
 * executed (the fifo closes with the execution) or FAILED.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/fd.h"
#include "isolation/launch_parts.h"

/* Reads one message if it is there: 1; 0 at the end; -EAGAIN when there is none yet; -errno. */
static int read_message(int fd, struct sync_message *m)
{
	ssize_t n = read(fd, m, SYNC_SHORT);
	int r;

	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	if (n != (ssize_t)SYNC_SHORT)
		return -EPROTO;
	if (m->type != SYNC_FAILED)
		return 1;
	/* Written in one piece, smaller than PIPE_BUF: the rest is there. */
	r = fd_read_exact(fd, (char *)m + SYNC_SHORT, sizeof(*m) - SYNC_SHORT);
	m->err.text[sizeof(m->err.text) - 1] = '\0';
	return r < 0 ? r : 1;
}

static int finish(bool announced, struct err *err)
{
	if (announced)
		return 0;
	return err_say(err, ESRCH, "the container's first process died before it was started");
}

int launch_start(int dirfd, const char *name, int pidfd, struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	bool announced = false;

	if (fd < 0)
		return err_set(err, errno, "open the exec fifo %s", name);
	for (;;) {
		struct pollfd fds[] = { { fd, POLLIN, 0 }, { pidfd, POLLIN, 0 } };
		struct sync_message message;
		int r;

		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_set(err, errno, "wait for the container");
		}
		if (!fds[0].revents)
			return finish(announced, err); /* it died and wrote nothing */
		r = read_message(fd, &message);
		if (r == -EAGAIN)
			continue;
		if (r < 0)
			return err_set(err, -r, "read the exec fifo %s", name);
		if (r == 0)
			return finish(announced, err);
		if (message.type == SYNC_FAILED)
			return err_say(err, message.err.code, "%s", message.err.text);
		announced |= message.type == SYNC_EXECUTING;
	}
}
