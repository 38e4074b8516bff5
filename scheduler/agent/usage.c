/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/usage.h"

#include <stdio.h>

#include "base/clock.h"
#include "cgroups/cgroup.h"
#include "scheduler/agent/inside.h"

#define MILLI 1000

static void read_one(struct box *box)
{
	_cleanup_cgroup_ struct cgroup *cgroup = NULL;
	struct cgroup_stats stats = { 0 };
	int64_t now = clock_monotonic_ns(), passed = now - box->usage_read_ns;

	/* One that has just ended, or whose folder is another's business, tells nothing. */
	if (cgroup_open(box->cgroup, &cgroup, NULL) < 0 || cgroup_stats(cgroup, &stats, NULL) < 0)
		return;
	if (box->usage_read_ns && passed > 0 && stats.cpu_usage_ns >= box->cpu_used_ns) {
		box->used_cpu_milli = (int64_t)((double)(stats.cpu_usage_ns - box->cpu_used_ns) *
						MILLI / (double)passed);
		box->usage_is_new = true;
	}
	/* What the kernel can take back at once is not used. */
	box->used_memory_bytes =
		(int64_t)(stats.memory_usage_bytes > stats.memory_inactive_file_bytes
				  ? stats.memory_usage_bytes - stats.memory_inactive_file_bytes
				  : 0);
	box->cpu_used_ns = stats.cpu_usage_ns;
	box->usage_read_ns = now;
}

void usage_read(struct agent *agent)
{
	for (struct box *box = agent->boxes; box; box = box->next)
		if (box->state == BOX_RUNNING && *box->cgroup)
			read_one(box);
}
