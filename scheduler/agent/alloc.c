/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cgroups/cgroup.h"
#include "scheduler/agent/inside.h"
#include "scheduler/agent/slice.h"

#define MARK "alloc."
#define CPU_PERIOD_US 100000
#define SHARES_PER_CPU 1024
#define SHARES_MIN 2
#define MILLI 1000

struct alloc {
	struct alloc *next;
	char name[TASK_NAME_SIZE];
	char path[CGROUP_PATH_MAX];
	int64_t cpu_milli, memory_bytes; /* as they were applied; -1: not yet */
	bool wanted;
};

/* "SET/3" is "SET.3" in names of files: an index has no dot in it. */
static void flatten(char *name)
{
	char *slash = strrchr(name, '/');

	if (slash)
		*slash = '.';
}

static struct alloc *find(const struct agent *agent, const char *name)
{
	for (struct alloc *alloc = agent->allocs; alloc; alloc = alloc->next)
		if (strcmp(alloc->name, name) == 0)
			return alloc;
	return NULL;
}

const char *alloc_cgroup(const struct agent *agent, const char *name)
{
	const struct alloc *alloc = name ? find(agent, name) : NULL;

	return alloc && alloc->cpu_milli >= 0 ? alloc->path : NULL;
}

static struct alloc *add(struct agent *agent, const char *name)
{
	struct alloc *alloc = calloc(1, sizeof(*alloc));
	char flat[TASK_NAME_SIZE];

	if (!alloc)
		return NULL;
	snprintf(alloc->name, sizeof(alloc->name), "%s", name);
	snprintf(flat, sizeof(flat), "%s", name);
	flatten(flat);
	/* Other agents may share the host, and even the alloc, for a moment. */
	snprintf(alloc->path, sizeof(alloc->path), "%s/cellar-alloc-%s-%.128s-%s",
		 slice_path(agent), agent->options.cell, agent->options.machine, flat);
	alloc->cpu_milli = alloc->memory_bytes = -1;
	alloc->next = agent->allocs;
	agent->allocs = alloc;
	return alloc;
}

/* ---- for the next agent ---- */

static int mark_path(const struct agent *agent, const struct alloc *alloc,
		     char path[static PATH_MAX])
{
	char flat[TASK_NAME_SIZE];

	snprintf(flat, sizeof(flat), "%s", alloc->name);
	flatten(flat);
	return snprintf(path, PATH_MAX, "%s/.cell/" MARK "%s", agent->options.runroot, flat) <
			       PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

static void mark(const struct agent *agent, const struct alloc *alloc)
{
	char path[PATH_MAX];

	if (mark_path(agent, alloc, path) == 0)
		dir_create(AT_FDCWD, path, 0700, NULL);
}

static void unmark(const struct agent *agent, const struct alloc *alloc)
{
	char path[PATH_MAX];

	if (mark_path(agent, alloc, path) < 0)
		return;
	rmdir(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

void alloc_load(struct agent *agent)
{
	_cleanup_dir_ DIR *dir = NULL;
	char path[PATH_MAX], name[TASK_NAME_SIZE];
	struct dirent *entry;

	if (snprintf(path, sizeof(path), "%s/.cell", agent->options.runroot) >= PATH_MAX ||
	    !(dir = opendir(path)))
		return;
	while ((entry = readdir(dir))) {
		char *dot;

		if (strncmp(entry->d_name, MARK, strlen(MARK)) != 0 ||
		    snprintf(name, sizeof(name), "%s", entry->d_name + strlen(MARK)) >=
			    (int)sizeof(name) ||
		    !(dot = strrchr(name, '.')))
			continue;
		*dot = '/';
		add(agent, name);
	}
}

/* ---- limits ---- */

static struct oci_i64 i64(int64_t value)
{
	return (struct oci_i64){ .set = true, .value = value };
}

static void fill_limits(const struct want_alloc *want, bool fresh, struct oci_resources *ret)
{
	/* Which devices they may use is said for each of the tasks; v1 takes this only while none
	 * is there. */
	static const struct oci_device_rule all = { .allow = true,
						    .type = 'a',
						    .major = -1,
						    .minor = -1,
						    .read = true,
						    .write = true,
						    .mknod = true };
	int64_t shares = want->cpu_milli * SHARES_PER_CPU / MILLI;

	*ret = (struct oci_resources){ .devices = &all, .devices_count = fresh };
	if (want->memory_bytes && cgroup_can_limit("memory"))
		ret->memory.limit = i64(want->memory_bytes);
	if (!want->cpu_milli || !cgroup_can_limit("cpu"))
		return;
	ret->cpu.quota_us = i64(want->cpu_milli * CPU_PERIOD_US / MILLI);
	ret->cpu.period_us = (struct oci_u64){ .set = true, .value = CPU_PERIOD_US };
	ret->cpu.shares =
		(struct oci_u64){ .set = true,
				  .value = (uint64_t)(shares > SHARES_MIN ? shares : SHARES_MIN) };
}

static int open_cgroup(const struct alloc *alloc, struct cgroup **ret, bool *ret_fresh,
		       struct err *err)
{
	int r = cgroup_open(alloc->path, ret, NULL);

	*ret_fresh = r == -ENOENT;
	return r == -ENOENT ? cgroup_create(alloc->path, NULL, ret, err)
	       : r < 0	    ? err_set(err, -r, "open cgroup %s", alloc->path)
			    : 0;
}

static int apply(struct alloc *alloc, const struct want_alloc *want, struct err *err)
{
	_cleanup_cgroup_ struct cgroup *cgroup = NULL;
	struct oci_resources resources;
	bool fresh;

	err_try(open_cgroup(alloc, &cgroup, &fresh, err));
	fill_limits(want, fresh, &resources);
	err_try(cgroup_apply(cgroup, &resources, err));
	cgroup_keep(cgroup);
	alloc->cpu_milli = want->cpu_milli;
	alloc->memory_bytes = want->memory_bytes;
	return 0;
}

static void heed_one(struct agent *agent, const struct want_alloc *want)
{
	struct alloc *alloc = find(agent, want->name);
	struct err err = { 0 };

	if (!alloc && !(alloc = add(agent, want->name)))
		return;
	alloc->wanted = true;
	if (alloc->cpu_milli == want->cpu_milli && alloc->memory_bytes == want->memory_bytes)
		return;
	mark(agent, alloc);
	/* It is tried again by the next answer; until it is there nothing starts in it. */
	if (apply(alloc, want, &err) < 0)
		log_warn("alloc %s: %s", want->name, err.text);
}

/* ---- the end ---- */

static bool is_used(const struct agent *agent, const struct alloc *alloc)
{
	for (struct box *box = agent->boxes; box; box = box->next)
		if (box->alloc && strcmp(box->alloc, alloc->name) == 0)
			return true;
	return false;
}

static bool destroy(const struct agent *agent, const struct alloc *alloc)
{
	_cleanup_cgroup_ struct cgroup *cgroup = NULL;
	struct err err = { 0 };

	if (cgroup_open(alloc->path, &cgroup, NULL) == 0 && cgroup_destroy(cgroup, &err) < 0) {
		log_warn("alloc %s: %s", alloc->name, err.text);
		return false;
	}
	unmark(agent, alloc);
	return true;
}

void alloc_heed(struct agent *agent, const struct machine_wants *wants)
{
	struct alloc **p = &agent->allocs;

	for (struct alloc *alloc = agent->allocs; alloc; alloc = alloc->next)
		alloc->wanted = false;
	for (size_t i = 0; i < wants->alloc_count; i++)
		heed_one(agent, &wants->allocs[i]);
	while (*p) {
		struct alloc *alloc = *p;

		if (alloc->wanted || is_used(agent, alloc) || !destroy(agent, alloc)) {
			p = &alloc->next;
			continue;
		}
		*p = alloc->next;
		free(alloc);
	}
}

void alloc_free(struct agent *agent)
{
	struct alloc *next;

	for (struct alloc *alloc = agent->allocs; alloc; alloc = next) {
		next = alloc->next;
		free(alloc);
	}
	agent->allocs = NULL;
}
