/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/process.h"
#include "netns/device.h"

/* The namespace, which must not be the one that they come from. */
static int open_netns(pid_t pid, struct err *err)
{
	struct stat own, theirs;
	_cleanup_fd_ int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &theirs) < 0 || stat("/proc/self/ns/net", &own) < 0)
		return err_set(err, errno, "open the container's network namespace");
	if (own.st_dev == theirs.st_dev && own.st_ino == theirs.st_ino)
		return err_say(err, EINVAL,
			       "linux.netDevices: the container's network namespace is the one "
			       "that they are to come from");
	return take_fd(&fd);
}

int net_devices_move(const struct oci_config *config, pid_t pid, struct arena *arena,
		     struct net_devices *ret, struct err *err)
{
	_cleanup_fd_ int fd = open_netns(pid, err);

	if (fd < 0)
		return fd;
	ret->names = arena_calloc(arena, config->net_devices_count, sizeof(*ret->names));
	if (!ret->names)
		return err_set(err, ENOMEM, "move interfaces");
	ret->netns_fd = take_fd(&fd);
	for (size_t i = 0; i < config->net_devices_count; i++) {
		const struct oci_net_device *d = &config->net_devices[i];
		char name[IFNAMSIZ];
		int r = device_move(ret->netns_fd, d->host_name, d->name, name, err);

		if (name[0] && (ret->names[i] = arena_strdup(arena, name)))
			ret->count = i + 1;
		if (r < 0)
			return err_add(err, "linux.netDevices.%s", d->host_name);
	}
	return 0;
}

/* In a process of its own, which enters the container's namespace and gives them to ours. */
static _Noreturn void give_back(const struct oci_config *config, const struct net_devices *moved)
{
	_cleanup_fd_ int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (here < 0 || setns(moved->netns_fd, CLONE_NEWNET) < 0) {
		log_warn("linux.netDevices: enter the container's network namespace: %m");
		_exit(1);
	}
	for (size_t i = 0; i < moved->count; i++) {
		const char *host_name = config->net_devices[i].host_name;
		struct err err = { 0 };
		char name[IFNAMSIZ];

		/* Where moving it failed half-way, it may never have left. */
		if (device_move(here, moved->names[i], host_name, name, &err) < 0 &&
		    err.code != ENODEV)
			log_warn("linux.netDevices.%s stays with the container: %s", host_name,
				 err.text);
	}
	_exit(0);
}

void net_devices_return(const struct oci_config *config, struct net_devices *moved)
{
	int pidfd, status;
	pid_t pid;

	if (moved->count == 0)
		return;
	pid = process_clone(0, -1, &pidfd);
	if (pid == 0)
		give_back(config, moved);
	if (pid < 0) {
		log_warn("linux.netDevices: the container keeps them: clone failed");
		return;
	}
	process_wait(pidfd, &status);
	close(pidfd);
}

void net_devices_deinit(struct net_devices *moved)
{
	cleanup_fd(&moved->netns_fd);
	*moved = NET_DEVICES_NONE;
}
