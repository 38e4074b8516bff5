/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/work.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"

struct work {
	struct work_options o;
	int fd, pidfd;
	struct loop_source *source;
	struct loop_source *end; /* of the child: others may hold its end of the socket */
};

/* What crosses the socket. */
struct answer {
	int r;
	pid_t pid;
	struct err err;
};

/* ---- the child ---- */

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static void close_others(const struct work_options *o, int fd)
{
	int keep[WORK_FDS_MAX + 2] = { STDERR_FILENO, fd };
	size_t count = 2;

	for (size_t i = 0; i < o->keep_fds_count; i++)
		if (o->keep_fds[i] > STDERR_FILENO)
			keep[count++] = o->keep_fds[i];
	qsort(keep, count, sizeof(keep[0]), compare);
	for (size_t i = 0; i < count; i++) {
		unsigned last = i + 1 < count ? (unsigned)keep[i + 1] - 1 : UINT_MAX;

		if ((unsigned)keep[i] + 1 <= last)
			syscall(SYS_close_range, (unsigned)keep[i] + 1, last, 0);
	}
}

static void send_answer(int fd, const struct answer *answer, int passed_fd)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof(*answer) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (passed_fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						   .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof(int));
	}
	/* Who is not told finds that we have ended without a word. */
	sendmsg(fd, &message, MSG_NOSIGNAL);
}

static _Noreturn void child(const struct work_options *o, int fd, pid_t parent)
{
	struct answer answer = { 0 };
	int passed_fd = -1;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	close_others(o, fd);
	answer.r = o->run(o->run_data, &answer.pid, &passed_fd, &answer.err);
	send_answer(fd, &answer, passed_fd);
	/* Until the shim has closed its end. */
	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* ---- the shim ---- */

static struct work *release(struct work *work)
{
	loop_remove(work->source);
	loop_remove(work->end);
	cleanup_fd(&work->fd);
	cleanup_fd(&work->pidfd);
	free(work);
	return NULL;
}

struct work *work_free(struct work *work)
{
	if (!work)
		return NULL;
	process_pidfd_signal(work->pidfd, SIGKILL);
	return release(work);
}

int work_cancel(struct work *work)
{
	int pidfd = take_fd(&work->pidfd);

	process_pidfd_signal(pidfd, SIGKILL);
	release(work);
	return pidfd;
}

static int take_fd_of(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

static void receive(int fd, struct work_result *ret)
{
	struct answer answer;
	struct iovec part = { .iov_base = &answer, .iov_len = sizeof(answer) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	*ret = (struct work_result){ .fd = n < 0 ? -1 : take_fd_of(&message) };
	if (n != (ssize_t)sizeof(answer)) {
		ret->died = true;
		ret->r = err_say(&ret->err, ECHILD, "the process that was to do it died");
		return;
	}
	ret->r = answer.r;
	ret->pid = answer.pid;
	ret->err = answer.err;
	ret->err.text[ERR_TEXT_MAX - 1] = '\0';
}

static int on_answer(void *data, uint32_t events)
{
	struct work *work = data;
	struct work_options o = work->o;
	_cleanup_fd_ int fd = -1;
	struct work_result result;

	(void)events;
	receive(work->fd, &result);
	work->source = loop_remove(work->source);
	work->end = loop_remove(work->end);
	/* The child waits for the end of this one. */
	fd = take_fd(&work->fd);
	release(work);
	o.done(o.data, &result);
	cleanup_fd(&result.fd);
	return 0;
}

int work_start(const struct work_options *o, struct work **ret, struct err *err)
{
	struct work *work = calloc(1, sizeof(*work));
	_cleanup_fd_ int theirs = -1;
	pid_t pid, parent = getpid();
	int pair[2], r;

	if (!work)
		return err_set(err, ENOMEM, "start a process for what takes time");
	*work = (struct work){ .o = *o, .fd = -1, .pidfd = -1 };
	if (o->keep_fds_count > WORK_FDS_MAX ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		r = err_set(err, errno, "start a process for what takes time");
		release(work);
		return r;
	}
	work->fd = pair[0];
	theirs = pair[1];
	r = loop_add_fd(o->loop, work->fd, EPOLLIN, on_answer, work, &work->source, err);
	if (r < 0) {
		release(work);
		return r;
	}
	pid = process_clone(0, -1, &work->pidfd);
	if (pid == 0)
		child(o, theirs, parent);
	if (pid < 0) {
		release(work);
		return err_set(err, -pid, "start a process for what takes time");
	}
	r = loop_add_fd(o->loop, work->pidfd, EPOLLIN, on_answer, work, &work->end, err);
	if (r < 0) {
		work_free(work);
		return r;
	}
	work->o.keep_fds = NULL;
	work->o.run_data = NULL;
	*ret = work;
	return 0;
}
