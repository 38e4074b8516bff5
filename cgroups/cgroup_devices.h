/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules put in force: by the devices controller of v1, or by a BPF program on cgroup2. */
#pragma once

#include "cgroups/cgroup_folder.h"

/*
 * A cgroup that is being created gets "deny all" and what every container needs even without any
 * rule; an opened one without rules is left alone. Where a user namespace keeps us from either way
 * (and the kernel keeps the container from devices) it warns and goes on.
 */
int cgroup_devices_apply(const struct cgroup *c, const struct oci_device_rule *rules, size_t count,
			 struct err *err);
