/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/memory_limit.h"

#include <errno.h>
#include <inttypes.h>

#include "cgroups/cgroup.h"
#include "spec/oci_config.h"

int memory_limit_blame(const struct oci_config *config, struct err *err)
{
	const struct oci_i64 *limit = &config->resources.memory.limit;

	if (!limit->set || limit->value <= 0 || limit->value >= MEMORY_LEAST_KIB * 1024)
		return err ? -err->code : -ENOMEM;
	return err_say(
		err, ENOMEM,
		"linux.resources.memory.limit: %" PRId64
		" bytes are too few: to start even a small static program takes %d (%d KiB); "
		"container init was OOM-killed (memory limit too low?)",
		limit->value, MEMORY_LEAST_KIB * 1024, MEMORY_LEAST_KIB);
}

bool memory_limit_killed(struct container *container, struct err *err)
{
	const struct oci_config *config = container_config(container);
	const struct cgroup *cgroup = container_cgroup(container);
	struct cgroup_stats stats;

	if (!config || !cgroup || cgroup_stats(cgroup, &stats, NULL) < 0 || stats.oom_kills == 0)
		return false;
	err_clear(err);
	memory_limit_blame(config, err);
	return err->code != 0;
}
