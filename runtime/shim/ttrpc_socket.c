/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of unix sockets. A sockaddr holds 107 characters; a longer path is reached through an
 * open descriptor of its folder, "/proc/self/fd/N/NAME".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/shim/ttrpc.h"

/* ret_dir is owned by the caller and must stay open until the address was used. */
static int fill_address(const char *path, struct sockaddr_un *ret, int *ret_dir, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	int dir, n;

	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	if (path[0] != '/')
		return err_say(err, EINVAL, "socket address %s is not an absolute path", path);
	if (strlen(path) < sizeof(ret->sun_path)) {
		strcpy(ret->sun_path, path);
		return 0;
	}
	n = snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (n >= (int)sizeof(folder))
		return err_set(err, ENAMETOOLONG, "use socket %s", path);
	dir = dir_open(AT_FDCWD, folder, err);
	if (dir < 0)
		return dir;
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d%s", dir, slash);
	if (n >= (int)sizeof(ret->sun_path)) {
		close(dir);
		return err_set(err, ENAMETOOLONG, "use socket %s", path);
	}
	*ret_dir = dir;
	return 0;
}

int ttrpc_connect(const char *address, bool nonblock, struct err *err)
{
	static const struct timeval patience = { .tv_sec = 10 };
	const char *path = strncmp(address, "unix://", 7) ? address : address + 7;
	_cleanup_fd_ int fd = -1, dir = -1;
	struct sockaddr_un sa;
	int r = fill_address(path, &sa, &dir, err);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0), 0);
	if (fd < 0)
		return err_set(err, errno, "make a socket");
	if (!nonblock)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	while (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		if (errno != EINTR)
			return err_set(err, !nonblock && errno == EAGAIN ? ETIMEDOUT : errno,
				       "connect to %s", path);
	return take_fd(&fd);
}

int ttrpc_listen(const char *path, struct err *err)
{
	_cleanup_fd_ int fd = -1, dir = -1;
	struct sockaddr_un sa;
	mode_t mask;
	int r = fill_address(path, &sa, &dir, err);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, errno, "make a socket");
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0)
		return err_set(err, -r, "bind to %s", path);
	if (listen(fd, 64) < 0)
		return err_set(err, errno, "listen on %s", path);
	return take_fd(&fd);
}
