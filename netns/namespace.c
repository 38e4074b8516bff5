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
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "netns/ipv6.h"
#include "netns/network.h"

#define CHILD_STACK_SIZE 32768

/* ---- the child ---- */

/* Runs fn in a child. flags: CLONE_NEW*. 0, or -errno where the child did not come to its end. */
static int run_child(int (*fn)(void *data), void *data, int flags, struct err *err)
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

/* ---- a name for a new namespace ---- */

struct naming {
	const char *path;
	struct err *err;
	int r;
};

static int set_loopback_up(struct err *err)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return err_set(err, errno, "set lo up in a new network namespace");
	return 0;
}

static int name_namespace(void *data)
{
	struct naming *n = data;

	ipv6_prepare_namespace();
	n->r = set_loopback_up(n->err);
	if (n->r == 0 && mount("/proc/self/ns/net", n->path, NULL, MS_BIND, NULL) < 0)
		n->r = err_set(n->err, errno, "mount network namespace on %s", n->path);
	return 0;
}

int network_namespace_create(const char *path, struct err *err)
{
	struct naming naming = { .path = path, .err = err };
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	int r;

	if (fd < 0)
		return err_set(err, errno, "create %s", path);
	close(fd);
	r = run_child(name_namespace, &naming, CLONE_NEWNET, err);
	if (r == 0)
		r = naming.r;
	if (r < 0)
		network_namespace_remove(path, NULL);
	return r;
}

/*
 * Copies of the mount in other mount namespaces go too: unlink detaches them, and only then is the
 * namespace (and its veth) gone. So it does not matter whether the folder is on a shared mount.
 */
int network_namespace_remove(const char *path, struct err *err)
{
	/* EBUSY: a child whose parent was killed in network_namespace_create() mounts just now. */
	for (int tries = 0; tries < 10; tries++) {
		while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
			;
		if (errno != EINVAL && errno != ENOENT)
			return err_set(err, errno, "unmount network namespace %s", path);
		if (unlink(path) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			break;
	}
	return err_set(err, errno, "remove %s", path);
}

/* ---- reaching into one ---- */

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
	int r = run_child(open_socket, &visit, 0, err);

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
