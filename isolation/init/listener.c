/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener of a seccomp filter with SCMP_ACT_NOTIFY, from which an agent on the host decides
 * over calls of the container (runtime-spec, linux.seccomp.listenerPath). The runtime connects to
 * the agent and says what is to be said long before; the descriptor comes out of loading the
 * filter, our last act but the execution, and goes to the agent from here.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

int listener_prepare(struct init *in, struct err *err)
{
	int fds[2] = { -1, -1 };
	struct stat st;
	void *text;

	if (!(in->plan->flags & PLAN_LISTENER))
		return 0;
	if (channel_send(in, SYNC_LISTENER, 0, -1, err) < 0 ||
	    channel_wait(in, SYNC_LISTENER_DONE, fds, err) < 0)
		return -err->code;
	if (fds[0] < 0 || fds[1] < 0 || fstat(fds[1], &st) < 0 || st.st_size == 0)
		return err_say(err, EPROTO, "the runtime sent no socket for the seccomp listener");
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fds[1], 0);
	if (text == MAP_FAILED)
		return err_set(err, errno, "map the state for the seccomp listener");
	close(fds[1]);
	in->listener_socket = fds[0];
	in->listener_state = text;
	in->listener_state_len = (size_t)st.st_size;
	return 0;
}

/* The filter is in force here: plan_process.c made sure that it lets sendmsg(2) pass. */
int listener_send(struct init *in, int listener, struct err *err)
{
	struct iovec iov = { (char *)(uintptr_t)in->listener_state, in->listener_state_len };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &listener, sizeof(listener));
	while (iov.iov_len > 0) {
		ssize_t n = sendmsg(in->listener_socket, &msg, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "hand the seccomp listener over");
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
		msg.msg_control = NULL; /* it went with the first byte */
		msg.msg_controllen = 0;
	}
	return 0;
}
