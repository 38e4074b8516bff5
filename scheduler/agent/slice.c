/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/slice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cgroups/cgroup.h"
#include "scheduler/agent/inside.h"

const char *slice_path(const struct agent *agent)
{
	return agent->options.cgroup ? agent->options.cgroup : "";
}

static int limit(const struct agent *agent, struct err *err)
{
	_cleanup_cgroup_ struct cgroup *cgroup = NULL;
	struct oci_resources resources = { .memory.limit = {
						   .set = true,
						   .value = agent->options.memory_bytes,
					   } };
	struct cgroup_stats stats = { 0 };

	if (!agent->options.memory_bytes || !cgroup_can_limit("memory"))
		return 0;
	/* Opened anew: what is applied to one that was created says which devices there are, too.
	 */
	err_try(cgroup_open(slice_path(agent), &cgroup, err));
	if (cgroup_stats(cgroup, &stats, NULL) == 0 && stats.memory_limit_bytes &&
	    stats.memory_limit_bytes <= (uint64_t)agent->options.memory_bytes)
		return 0;
	return cgroup_apply(cgroup, &resources, err);
}

int slice_open(const struct agent *agent, struct err *err)
{
	_cleanup_cgroup_ struct cgroup *cgroup = NULL;
	int r;

	if (!agent->options.cgroup)
		return 0;
	/* Also where there is one: some hierarchy may lack it. */
	r = cgroup_create(agent->options.cgroup, NULL, &cgroup, err);
	if (r == 0)
		cgroup_keep(cgroup);
	else if (r != -EBUSY) /* an earlier agent's tasks are in it */
		return r;
	err_clear(err);
	r = limit(agent, err);
	if (r != -EBUSY)
		return r;
	log_warn("%s; %s keeps the limit that it has until an agent starts with fewer tasks in it",
		 err ? err->text : "no lower limit", agent->options.cgroup);
	err_clear(err);
	return 0;
}

static bool read_stats(const struct agent *agent, struct cgroup_stats *ret)
{
	_cleanup_cgroup_ struct cgroup *cgroup = NULL;

	return agent->options.cgroup && cgroup_open(agent->options.cgroup, &cgroup, NULL) == 0 &&
	       cgroup_stats(cgroup, ret, NULL) == 0 && ret->memory_limit_bytes;
}

int64_t slice_memory(const struct agent *agent, int64_t memory_bytes)
{
	struct cgroup_stats stats = { 0 };

	return read_stats(agent, &stats) && stats.memory_limit_bytes < (uint64_t)memory_bytes
		       ? (int64_t)stats.memory_limit_bytes
		       : memory_bytes;
}

/* "some avg10=1.23 ...", in percent. */
static double read_stalled(const struct agent *agent)
{
	char path[CGROUP_PATH_MAX];
	double percent = 0;
	FILE *file;

	if (!slice_stalls(agent, path) || !(file = fopen(path, "re")))
		return 0;
	if (fscanf(file, "some avg10=%lf", &percent) != 1)
		percent = 0;
	fclose(file);
	return percent / 100;
}

bool slice_look(const struct agent *agent, struct pressure_look *ret)
{
	struct cgroup_stats stats = { 0 };
	int64_t used;

	if (!read_stats(agent, &stats) || stats.memory_limit_bytes > INT64_MAX / 2)
		return false;
	used = (int64_t)(stats.memory_usage_bytes - stats.memory_inactive_file_bytes);
	*ret = (struct pressure_look){ .total_bytes = (int64_t)stats.memory_limit_bytes,
				       .stalled = read_stalled(agent) };
	ret->available_bytes = ret->total_bytes > used ? ret->total_bytes - used : 0;
	return true;
}

bool slice_stalls(const struct agent *agent, char path[static CGROUP_PATH_MAX])
{
	_cleanup_cgroup_ struct cgroup *cgroup = NULL;
	const struct cgroup_hierarchy *hierarchies;
	size_t count, len;

	if (!agent->options.cgroup || cgroup_open(agent->options.cgroup, &cgroup, NULL) < 0)
		return false;
	hierarchies = cgroup_hierarchies(cgroup, &count);
	for (size_t i = 0; i < count; i++) {
		if (!hierarchies[i].v2)
			continue;
		len = strlen(cgroup_folder(cgroup, &hierarchies[i], path));
		snprintf(path + len, CGROUP_PATH_MAX - len, "/memory.pressure");
		return access(path, R_OK) == 0;
	}
	return false;
}
