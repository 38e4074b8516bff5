/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.netDevices: interfaces of the runtime's network namespace that the container gets. One that
 * was given stays: when the container ends, the kernel destroys a virtual interface with the
 * namespace and takes a physical one back to the host's first (runtime-spec, "Namespace Lifecycle
 * and Container Termination"). Only a container that never came to be gives back what it got.
 */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_config.h"

struct net_devices {
	int netns_fd;	    /* owned, -1 when nothing has moved */
	const char **names; /* what they are called there, in the order of config */
	size_t count;
};

#define NET_DEVICES_NONE ((struct net_devices){ .netns_fd = -1 })

/* Into the network namespace of a process. What has moved before a failure is in ret. */
int net_devices_move(const struct oci_config *config, pid_t pid, struct arena *arena,
		     struct net_devices *ret, struct err *err);

/* Back to where we are, under their first names; a warning for each that does not come. */
void net_devices_return(const struct oci_config *config, struct net_devices *moved);

void net_devices_deinit(struct net_devices *moved); /* they stay */
