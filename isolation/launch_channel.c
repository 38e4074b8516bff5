/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "isolation/launch_parts.h"

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(SYNC_FDS_MAX * sizeof(int))];
};

static int send_fds(int sync_fd, struct iovec *iov, size_t iov_count, const int *fds,
		    unsigned fds_count, struct err *err)
{
	union control control;
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = iov_count };
	ssize_t n;

	if (fds_count > 0) {
		memset(&control.header, 0, sizeof(control.header));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(fds_count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, fds_count * sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(fds_count * sizeof(int));
	}
	do
		n = sendmsg(sync_fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* EPIPE: init has ended; what it said before, if anything, is still to be read. */
	if (n < 0 && errno != EPIPE && errno != ECONNRESET)
		return err_set(err, errno, "speak to cellar-init");
	return 0;
}

int launch_send(int sync_fd, enum sync_type type, const int *fds, unsigned fds_count,
		struct err *err)
{
	struct sync_message message = { .type = type };
	struct iovec iov = { &message, SYNC_SHORT };

	return send_fds(sync_fd, &iov, 1, fds, fds_count, err);
}

int launch_send_plan(int sync_fd, const struct plan *plan, const struct launch_fds *fds,
		     struct err *err)
{
	struct iovec iov[] = { { (void *)&fds->begin, sizeof(fds->begin) },
			       { (void *)plan, plan->size } };

	return send_fds(sync_fd, iov, fds->begin.plan_fd < 0 ? 2 : 1, fds->fds, fds->count, err);
}

int launch_receive(int sync_fd, struct sync_message *ret, int *ret_fd, struct err *err)
{
	struct iovec iov = { ret, sizeof(*ret) };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      /* Not CMSG_SPACE: its padding would take a second one in. */
			      .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(sync_fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != ECONNRESET)
		return err_set(err, errno, "listen to cellar-init");
	if (n <= 0)
		return 0;
	*ret_fd = -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
	if ((size_t)n < SYNC_SHORT || (ret->type == SYNC_FAILED && (size_t)n < sizeof(*ret)))
		return err_say(err, EPROTO, "cellar-init sent %zd bytes, which is no message", n);
	if (ret->type == SYNC_FAILED) {
		ret->err.text[sizeof(ret->err.text) - 1] = '\0';
		return err_say(err, ret->err.code, "%s", ret->err.text);
	}
	return 1;
}
