/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent behind linux.seccomp.listenerPath: seccomp_agent SOCKET [COUNT]. Takes COUNT listeners
 * (1 when left out), one after the other; prints what was said with each, then answers its calls
 * until its last process has gone: mkdir and mkdirat fail with EDOM, everything else goes on.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int receive(int socket)
{
	static char text[65536];
	struct iovec iov = { text, sizeof(text) - 1 };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	int fd = -1;

	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	printf("%.*s\n", (int)n, text);
	return fd;
}

static void serve(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	while (poll(&p, 1, -1) > 0 && !(p.revents & POLLHUP)) {
		struct seccomp_notif call = { 0 };
		struct seccomp_notif_resp answer = { 0 };

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
			continue;
		answer.id = call.id;
		if (call.data.nr == SYS_mkdirat
#ifdef SYS_mkdir
		    || call.data.nr == SYS_mkdir
#endif
		)
			answer.error = -EDOM;
		else
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		printf("call %d\n", call.data.nr);
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	close(listener);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int count = argc > 2 ? atoi(argv[2]) : 1;

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Its name appears when one can connect to it. */
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s.new", argv[1]) >=
		    (int)sizeof(address.sun_path) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0 ||
	    rename(address.sun_path, argv[1]) < 0)
		return 1;
	for (; count > 0; count--) {
		int client = accept(fd, NULL, NULL), listener = client < 0 ? -1 : receive(client);

		close(client);
		if (listener < 0)
			return 1;
		/* Each listener has a server of its own: exec comes while the container runs. */
		if (fork() == 0) {
			serve(listener);
			return 0;
		}
		close(listener);
	}
	return 0;
}
