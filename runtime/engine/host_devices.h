/* SPDX-License-Identifier: Apache-2.0 */
/* The host's device nodes, for privileged containers. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_config.h"

/*
 * Every character and block device below /dev, but for what a container has of its own: pts, shm,
 * mqueue, console. Lives in the arena.
 */
int host_devices_list(struct arena *arena, const struct oci_device **ret, size_t *ret_count,
		      struct err *err);
