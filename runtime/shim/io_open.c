/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/io_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"

static int open_file(const char *path, int *ret, struct err *err)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, r;

	if (path[0] != '/' || (size_t)(slash - path) >= sizeof(folder))
		return err_say(err, EINVAL, "output file://%s is not an absolute path", path);
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	r = folder[0] ? dir_create(AT_FDCWD, folder, 0755, err) : 0;
	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	if (fd < 0)
		return err_set(err, errno, "open output %s", path);
	*ret = fd;
	return 0;
}

static const char *strip_scheme(const char *path)
{
	return strncmp(path, "fifo://", 7) ? path : path + 7;
}

int io_open_output(const char *path, bool durable, int *ret, struct err *err)
{
	_cleanup_fd_ int probe = -1;
	struct stat st;
	int fd, flags = O_CLOEXEC | O_NONBLOCK;

	if (!path || !*path) {
		*ret = -1;
		return 0;
	}
	if (!strncmp(path, "file://", 7))
		return open_file(path + 7, ret, err);
	path = strip_scheme(path);
	if (path[0] != '/')
		return err_say(err, EINVAL, "output %s: a path, file:// or binary:// is needed",
			       path);
	if (stat(path, &st) < 0)
		return err_set(err, errno, "open output %s", path);
	/* A reader's end of our own keeps a durable client's FIFO alive while the client is away.
	 */
	durable = durable && S_ISFIFO(st.st_mode);
	/* Whether a client is there; open until we have the other: a client that waits for a writer
	 * to open it would else find the end of the file. */
	if (durable)
		probe = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	flags |= durable ? O_RDWR : O_WRONLY | O_APPEND;
	fd = open(path, flags);
	if (fd < 0 && errno == ENXIO && S_ISFIFO(st.st_mode)) {
		log_debug("nobody reads %s", path);
		*ret = -1;
		return 0;
	}
	if (fd < 0)
		return err_set(err, errno, "open output %s", path);
	*ret = fd;
	return !durable ? 0 : probe < 0 ? IO_FIFO_UNREAD : IO_FIFO;
}

int io_open_input(const char *path, bool keep, int *ret, int *ret_writer, struct err *err)
{
	_cleanup_fd_ int fd = -1, writer = -1;

	*ret = *ret_writer = -1;
	if (!path || !*path)
		return 0;
	path = strip_scheme(path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, errno, "open input %s", path);
	if (keep) {
		writer = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
		if (writer < 0)
			return err_set(err, errno, "open input %s", path);
	}
	*ret = take_fd(&fd);
	*ret_writer = take_fd(&writer);
	return 0;
}
