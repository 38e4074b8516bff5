/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "netns/device.h"

int net_devices_move(const struct oci_config *config, pid_t pid, struct err *err)
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
	for (size_t i = 0; i < config->net_devices_count; i++) {
		const struct oci_net_device *d = &config->net_devices[i];

		if (device_move(fd, d->host_name, d->name, err) < 0)
			return err_add(err, "linux.netDevices.%s", d->host_name);
	}
	return 0;
}
