/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/celld/life.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/loop.h"

#define FOLDER_MODE 0711

static int on_signal(void *data, int signal)
{
	struct life *life = data;

	(void)signal;
	loop_quit(life->loop, 0);
	return 0;
}

int life_begin(struct life *life, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	err_try(loop_new(&life->loop, err));
	return loop_add_signals(life->loop, &set, on_signal, life, &life->signals, err);
}

void life_end(struct life *life)
{
	loop_remove(life->signals);
	loop_free(life->loop);
}

int life_folders(const char *root, const char *runroot, struct err *err)
{
	err_try(dir_create(AT_FDCWD, root, FOLDER_MODE, err));
	return dir_create(AT_FDCWD, runroot, FOLDER_MODE, err);
}

int life_path(char *ret, const char *dir, const char *name, struct err *err)
{
	if (snprintf(ret, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return err_say(err, ENAMETOOLONG, "%s: the path is too long", dir);
	return 0;
}

/* sd_notify(3), without its library. */
static void notify(const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	_cleanup_fd_ int fd = -1;

	if (!len || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	unsetenv("NOTIFY_SOCKET");
}

void life_ready(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	notify("READY=1");
}
