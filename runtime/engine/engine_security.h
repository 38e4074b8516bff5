/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container is allowed to do, as it was asked for. Zero values are the defaults: fourteen
 * capabilities, the built-in seccomp profile, AppArmor's cellar-default where the kernel has it,
 * masked system paths, no device of the host. meta.json keeps it as "security".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/engine/labels.h"
#include "spec/oci_config.h"

#define ENGINE_UNCONFINED "unconfined"

struct engine_device {
	const char *source; /* of the host: a device, or a folder of devices */
	const char *target; /* in the container */
	bool read, write, mknod;
};

struct engine_security {
	bool privileged, readonly_rootfs;
	const char *const *cap_add, *const *cap_drop; /* NULL-terminated, or NULL */
	const struct engine_device *devices;
	size_t devices_count;
	const char *const *device_rules; /* "c 1:3 rwm", checked; NULL-terminated, or NULL */
	struct labels sysctls;
	const char *seccomp;  /* NULL: the default; ENGINE_UNCONFINED; or the path of a profile */
	const char *apparmor; /* NULL: the default; ENGINE_UNCONFINED; or the name of a profile */
	const char *selinux_label; /* whole, or NULL: none */
	bool no_new_privileges;
	bool systempaths_unconfined; /* nothing masked, nothing read-only */
	bool writable_cgroups;	     /* /sys/fs/cgroup may be written, as by an inner systemd */
};
