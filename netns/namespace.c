/* SPDX-License-Identifier: Apache-2.0 */
/* A name for a new network namespace: a bind mount of it. */
#include "netns/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "netns/ipv6.h"
#include "netns/network.h"

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
	r = namespace_run(name_namespace, &naming, CLONE_NEWNET, err);
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
