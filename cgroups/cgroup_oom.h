/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being told that the kernel has killed for want of memory inside a cgroup. Without inotify, of
 * which a user has 128 instances: on cgroup2 an open memory.events is polled for EPOLLPRI, on v1 an
 * eventfd is registered, which comes a moment before the kill is counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cgroups/cgroup.h"

struct cgroup_oom {
	int event_fd;	 /* to be polled, for these */
	uint32_t events; /* EPOLLPRI or EPOLLIN */
	int count_fd;	 /* -1: event_fd serves */
	bool early;	 /* the count may follow a moment after the event */
};

/* -EOPNOTSUPP where memory is not controlled. */
int cgroup_oom_open(const struct cgroup *cgroup, struct cgroup_oom *ret, struct err *err);
void cgroup_oom_close(struct cgroup_oom *oom);

/* Also takes the event. Kills since the cgroup was made; -errno, -ENODEV when it is gone. */
int cgroup_oom_count(const struct cgroup_oom *oom, uint64_t *ret);
