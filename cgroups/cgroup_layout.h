/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the host has mounted which cgroup hierarchy. Found once per process and never changed: a
 * host does not move its controllers while containers run on it.
 */
#pragma once

#include "cgroups/cgroup.h"

/* The controllers that Cellar sets or reads. */
enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_CPUACCT, /* v1 only: part of cpu on v2 */
	CGROUP_CPUSET,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_IO,	/* "blkio" on v1 */
	CGROUP_DEVICES, /* v1 only: a BPF program on v2 */
	CGROUP_FREEZER, /* v1 only: in the core of v2 */
	CGROUP_HUGETLB,
	CGROUP_RDMA,
	CGROUP_NET_CLS,	 /* v1 only */
	CGROUP_NET_PRIO, /* v1 only */
	CGROUP_CONTROLLERS
};

struct cgroup_mounts {
	enum cgroup_layout layout;
	struct cgroup_hierarchy hierarchies[CGROUP_HIERARCHIES_MAX]; /* cgroup2 last */
	size_t count;
	int v2;			    /* index of the cgroup2 mount, or -1 */
	int v1[CGROUP_CONTROLLERS]; /* index of the v1 hierarchy that has the controller, or -1 */
};

/*
 * Reads the text of /proc/self/mountinfo. A hierarchy that is mounted in several places counts
 * once: a mount of its root goes before one of a folder, and one below /sys/fs/cgroup before
 * others.
 */
void cgroup_mounts_parse(const char *mountinfo, struct cgroup_mounts *ret);

/* The host's. -ENODEV when no cgroup file system is mounted. */
int cgroup_mounts_find(const struct cgroup_mounts **ret, struct err *err);

/* "memory", as v2 and as v1 name a controller; NULL where the version has none. */
const char *cgroup_controller_name(enum cgroup_controller controller, bool v2);
