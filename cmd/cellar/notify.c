/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/container.h"
#include "runtime/notify.h"

static const char *manager(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && (path[0] == '/' || path[0] == '@') && path[1] ? path : NULL;
}

bool notify_is_wanted(void)
{
	return manager() != NULL;
}

/* Through a descriptor of the folder: the path may be longer than an address. */
static int bind_in(int folder, struct err *err)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[PATH_FD_SIZE];

	if (fd < 0)
		return err_set(err, errno, "create socket");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify.sock",
		 path_of_fd(folder, path));
	unlinkat(folder, "notify.sock", 0);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(folder, "notify.sock", 0777, 0) < 0)
		return err_set(err, errno, "make the container's notify socket");
	return take_fd(&fd);
}

int notify_open(const char *root, const char *id, int *ret_fd, struct err *err)
{
	_cleanup_fd_ int folder = -1;
	char path[PATH_MAX];
	int fd;

	*ret_fd = -1;
	if (!notify_is_wanted())
		return 0;
	snprintf(path, sizeof(path), "%s/%s/" NOTIFY_FOLDER, root ? root : CONTAINER_ROOT_DEFAULT,
		 id);
	folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0) /* made by somebody to whom nobody listened */
		return 0;
	fd = bind_in(folder, err);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static void tell(const char *text)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = manager();
	size_t len = path ? strlen(path) : 0;

	if (fd < 0 || len == 0 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		log_warn("NOTIFY_SOCKET %s: %s", path, strerror(errno));
}

bool notify_pass(int fd, pid_t pid)
{
	char said[4096], text[64];
	ssize_t n = recv(fd, said, sizeof(said) - 1, 0);

	if (n <= 0)
		return false;
	said[n] = '\0';
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		if (strcmp(line, "READY=1") == 0) {
			snprintf(text, sizeof(text), "READY=1\nMAINPID=%d", pid);
			tell(text);
			return true;
		}
	return false;
}

void notify_wait(int fd, pid_t pid, int pidfd)
{
	struct pollfd fds[] = { { fd, POLLIN, 0 }, { pidfd, POLLIN, 0 } };

	if (fd < 0)
		return;
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents && notify_pass(fd, pid))
			return;
		if (fds[1].revents)
			return;
	}
}
