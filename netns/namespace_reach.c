/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child shares memory and descriptors with us (CLONE_VM, CLONE_FILES) while we wait in the
 * kernel for its end (CLONE_VFORK): no page table to copy, and what it opens or reports is simply
 * ours. It runs on a piece of our own stack, with all signals blocked, lest it ran a handler in our
 * memory.
 */
#include "netns/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CHILD_STACK_SIZE 32768

int namespace_run(int (*fn)(void *data), void *data, int flags, struct err *err)
{
	char stack[CHILD_STACK_SIZE] __attribute__((aligned(16)));
	sigset_t all, old;
	int status = 0;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	/* Without an exit signal it is no business of the caller's SIGCHLD handling. */
	pid = clone(fn, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | flags, data);
	if (pid < 0)
		status = -errno;
	else
		while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
			;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (status < 0)
		return err_set(err, -status, "start a child%s",
			       flags & CLONE_NEWNET ? " in a new network namespace" : "");
	if (WIFSIGNALED(status))
		return err_say(err, EINTR, "the child setting up a network namespace was killed");
	return 0;
}

int namespace_open(const char *path, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, errno, "open network namespace %s", path);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_say(err, EINVAL, "%s is not a network namespace", path);
	return take_fd(&fd);
}

struct visit {
	int netns_fd, family, type, protocol, fd;
	const char *failed; /* NULL: nothing */
	int code;
};

static int open_socket(void *data)
{
	struct visit *v = data;

	if (setns(v->netns_fd, CLONE_NEWNET) < 0) {
		v->failed = "enter the container's network namespace";
		v->code = errno;
		return 0;
	}
	v->fd = socket(v->family, v->type | SOCK_CLOEXEC, v->protocol);
	if (v->fd < 0) {
		v->failed = "open a socket in the container's network namespace";
		v->code = errno;
	}
	return 0;
}

int namespace_socket(int netns_fd, int family, int type, int protocol, struct err *err)
{
	struct visit visit = {
		.netns_fd = netns_fd,
		.family = family,
		.type = type,
		.protocol = protocol,
		.fd = -1,
	};
	int r = namespace_run(open_socket, &visit, 0, err);

	if (r < 0)
		return r;
	if (visit.failed)
		return err_set(err, visit.code, "%s", visit.failed);
	return visit.fd;
}

/* All openers of a namespace's file share one inode, so its flock is as wide as the namespace. */
int namespace_lock(struct err *err)
{
	_cleanup_fd_ int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(err, errno, "open /proc/self/ns/net");
	do
		r = flock(fd, LOCK_EX);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(err, errno, "lock the network namespace");
	return take_fd(&fd);
}
