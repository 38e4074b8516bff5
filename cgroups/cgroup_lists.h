/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that are given a device, a page size, an interface at a time; a line of a file each. */
#pragma once

#include "cgroups/cgroup_limit.h"

/* blockIO but for the weight of all: on v1 and v2. */
cgroup_limit_apply cgroup_lists_io_v1, cgroup_lists_io_v2;

cgroup_limit_apply cgroup_lists_hugetlb_v1, cgroup_lists_hugetlb_v2;

/* The same in both versions. */
cgroup_limit_apply cgroup_lists_rdma;

/* Of v1 only. */
cgroup_limit_apply cgroup_lists_net_class, cgroup_lists_net_priority;
