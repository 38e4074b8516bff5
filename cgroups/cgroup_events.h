/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a cgroup to change. */
#pragma once

#include "cgroups/cgroup_folder.h"

/*
 * Waits until "populated" or "frozen" in cgroup.events of cgroup2 has the value. 0, -ETIMEDOUT, or
 * -errno (-ENOENT, -ENODEV: the cgroup is gone).
 */
int cgroup_events_wait(const struct cgroup *c, const char *key, bool value, int64_t deadline_ns);

/* Less than a second, where the kernel gives no event: between two looks in a bounded poll. */
void cgroup_pause(int64_t ns);
