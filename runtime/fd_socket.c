/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/fd_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

/* Paths longer than sun_path are reached through a descriptor of their folder. */
static int fill_address(const char *path, const char *what, struct sockaddr_un *addr,
			int *ret_folder, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX], fd_path[PATH_FD_SIZE];

	addr->sun_family = AF_UNIX;
	if (strlen(path) < sizeof(addr->sun_path)) {
		strcpy(addr->sun_path, path);
		return 0;
	}
	if (!slash || slash - path >= (int)sizeof(folder) ||
	    strlen(slash) + PATH_FD_SIZE > sizeof(addr->sun_path))
		return err_set(err, ENAMETOOLONG, "connect to %s %s", what, path);
	snprintf(folder, sizeof(folder), "%.*s/", (int)(slash - path), path);
	*ret_folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_folder < 0)
		return err_set(err, errno, "open %s", folder);
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s%s", path_of_fd(*ret_folder, fd_path),
		 slash);
	return 0;
}

int fd_socket_connect(const char *path, const char *what, struct err *err)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), folder = -1;
	struct sockaddr_un addr = { 0 };
	int r;

	if (fd < 0)
		return err_set(err, errno, "create socket");
	r = fill_address(path, what, &addr, &folder, err);
	if (r < 0)
		return r;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(err, errno, "connect to %s %s", what, path);
	return take_fd(&fd);
}

int fd_socket_send(int socket, int fd, const char *text, size_t len)
{
	struct iovec iov = { .iov_base = (char *)(uintptr_t)text, .iov_len = len };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	do
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* The descriptor went with the first byte; the rest may take more than one call. */
	for (size_t sent = (size_t)n; sent < len; sent += (size_t)n) {
		n = send(socket, text + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -errno;
	}
	return 0;
}
