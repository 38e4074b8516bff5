/* SPDX-License-Identifier: Apache-2.0 */
/* The statistics of a container in the shape of runc's events, whose callers parse it. */
#pragma once

#include "base/json.h"
#include "cgroups/cgroup.h"

/* Writes an object: cpu, cpuset, memory, pids, blkio, hugetlb. What the host does not count is left
 * out, or 0 where a caller may rely on the field. */
void stats_json_put(struct json_writer *w, const struct cgroup *cgroup,
		    const struct cgroup_stats *stats);
