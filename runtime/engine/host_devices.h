/* SPDX-License-Identifier: Apache-2.0 */
/* The host's device nodes: all for privileged containers, some for those that ask. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine_security.h"
#include "spec/oci_config.h"

/* A device that was asked for, and what may be done with it. */
struct host_device {
	struct oci_device node;
	bool read, write, mknod;
};

/*
 * Finds what --device names: a device, or all devices below a folder. Errors name the option. Lives
 * in the arena.
 */
int host_devices_find(const struct engine_device *asked, size_t count, struct arena *arena,
		      const struct host_device **ret, size_t *ret_count, struct err *err);

/*
 * Every character and block device below /dev, but for what a container has of its own: pts, shm,
 * mqueue, console. Lives in the arena.
 */
int host_devices_list(struct arena *arena, const struct oci_device **ret, size_t *ret_count,
		      struct err *err);
