/* SPDX-License-Identifier: Apache-2.0 */
/* The processes in a cgroup's folder of one hierarchy and in those below it. */
#pragma once

#include "cgroups/cgroup_folder.h"

/* ret: owned by the caller. 0 or -errno; a missing folder has none. */
int cgroup_hierarchy_pids(const struct cgroup *c, int i, pid_t **ret, size_t *ret_count);

/*
 * Sends SIGKILL to all, even if frozen. busy: the v1 hierarchies (a mask) that are asked by
 * themselves, for a process need not be in all. Where the kernel has no cgroup.kill, one that forks
 * meanwhile needs a second call.
 */
int cgroup_kill_all(const struct cgroup *c, unsigned busy);

/*
 * The hierarchy to ask for processes: cgroup2 where there is one, for everybody is born there; else
 * the first of v1.
 */
int cgroup_process_hierarchy(const struct cgroup *c);
