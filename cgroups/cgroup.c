/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup as its owner sees it: made or opened, joined, removed. */
#include "cgroups/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/userns.h"
#include "cgroups/cgroup_create.h"
#include "cgroups/cgroup_events.h"
#include "cgroups/cgroup_processes.h"
#include "cgroups/cgroup_unit.h"

#define DESTROY_TIMEOUT_NS (5 * 1000000000LL)
#define KILL_AGAIN_NS (1 * 1000000000LL)
#define PAUSE_MIN_NS 100000
#define PAUSE_MAX_NS 10000000

/* No ".." can lead out: the path is cleaned below "/" before anything goes in front of it. */
static int set_path(struct cgroup *c, const char *path, const char *id, struct err *err)
{
	char clean[CGROUP_SUBPATH_MAX] = "";
	int n;

	if (!path)
		n = snprintf(clean, sizeof(clean), "/cellar-%s", id);
	else
		n = snprintf(clean, sizeof(clean), "/%s", path);
	if (n < (int)sizeof(clean))
		path_clean(clean);
	if (path && path[0] != '/' && n < (int)sizeof(clean))
		n = snprintf(c->path, sizeof(c->path), CGROUP_PARENT "%s", clean);
	else
		snprintf(c->path, sizeof(c->path), "%s", clean);
	if (n >= (int)sizeof(clean))
		return err_set(err, ENAMETOOLONG, "linux.cgroupsPath");
	if (strcmp(clean, "/") == 0)
		return err_say(
			err, EINVAL,
			"linux.cgroupsPath: \"%s\" is the root of all cgroups, which a container cannot have",
			path);
	return 0;
}

int cgroup_new(const char *path, const char *id, struct cgroup **ret, struct err *err)
{
	_cleanup_cgroup_ struct cgroup *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(err, ENOMEM, "open cgroup");
	r = cgroup_mounts_find(&c->mounts, err);
	if (r < 0 || (r = set_path(c, path, id, err)) < 0)
		return r;
	*ret = take_ptr(c);
	return 0;
}

int cgroup_create(const char *path, const char *id, struct cgroup **ret, struct err *err)
{
	_cleanup_cgroup_ struct cgroup *c = NULL;
	int r = cgroup_new(path, id, &c, err);

	if (r < 0)
		return r;
	r = cgroup_make_folders(c, err);
	if (r < 0)
		return r;
	c->created = c->guarded = true;
	*ret = take_ptr(c);
	return 0;
}

/* Hierarchies that the rootless cannot have had a folder in. */
static int leave_out_missing(struct cgroup *c, struct err *err)
{
	unsigned missing = 0;

	for (int i = 0; i < (int)c->mounts->count; i++)
		if (!cgroup_file_exists(c, i, ""))
			missing |= 1u << i;
	return missing ? cgroup_leave_out(c, missing, err) : 0;
}

int cgroup_open(const char *path, struct cgroup **ret, struct err *err)
{
	_cleanup_cgroup_ struct cgroup *c = NULL;
	bool found = false;
	int r;

	if (path && !*path)
		return cgroup_create_none(ret, err);
	r = cgroup_new(path, "", &c, err);
	if (r < 0)
		return r;
	/* After half a removal some are left: that is still a cgroup. */
	for (int i = (int)c->mounts->count; i-- > 0 && !found;)
		found = cgroup_file_exists(c, i, "");
	if (!found)
		return err_set(err, ENOENT, "open cgroup %s", c->path);
	if (userns_is_rootless())
		err_try(leave_out_missing(c, err));
	*ret = take_ptr(c);
	return 0;
}

int cgroup_settle(struct cgroup *cgroup, const struct oci_resources *resources, struct err *err)
{
	cgroup->created = false;
	cgroup->fresh = 0;
	return cgroup_unit_settle(cgroup, resources, err);
}

void cgroup_keep(struct cgroup *cgroup)
{
	cgroup->guarded = false;
}

struct cgroup *cgroup_free(struct cgroup *cgroup)
{
	if (cgroup && cgroup->guarded)
		cgroup_destroy(cgroup, NULL);
	if (cgroup) {
		cgroup_unit_release(cgroup);
		free(cgroup->partial);
	}
	free(cgroup);
	return NULL;
}

const char *cgroup_path(const struct cgroup *cgroup)
{
	return cgroup->path;
}

const struct cgroup_hierarchy *cgroup_hierarchies(const struct cgroup *cgroup, size_t *ret_count)
{
	*ret_count = cgroup->mounts->count;
	return cgroup->mounts->hierarchies;
}

static int join_failed(const struct cgroup *c, int i, int code, struct err *err)
{
	char path[CGROUP_PATH_MAX];

	return err_set(err, code, "open cgroup %s",
		       cgroup_folder(c, &c->mounts->hierarchies[i], path));
}

int cgroup_join_fds(const struct cgroup *cgroup, int *ret_v2_fd,
		    int ret_task_fds[static CGROUP_HIERARCHIES_MAX], size_t *ret_tasks_count,
		    struct err *err)
{
	int tasks[CGROUP_HIERARCHIES_MAX], v2 = -1, r = 0;
	size_t count = 0;

	for (int i = 0; i < (int)cgroup->mounts->count && r >= 0; i++) {
		if (i == cgroup->mounts->v2)
			r = v2 = cgroup_file_open(cgroup, i, "", O_PATH | O_DIRECTORY);
		else
			r = tasks[count++] = cgroup_file_open(cgroup, i, "tasks", O_WRONLY);
		if (r < 0)
			join_failed(cgroup, i, -r, err);
	}
	if (r < 0) {
		for (size_t i = 0; i < count; i++)
			cleanup_fd(&tasks[i]);
		cleanup_fd(&v2);
		return r;
	}
	memcpy(ret_task_fds, tasks, count * sizeof(tasks[0]));
	*ret_v2_fd = v2;
	*ret_tasks_count = count;
	return 0;
}

/*
 * The killed need a while to end. cgroup2 tells when the last one has; v1 does not, and neither
 * tells when the folder may go: then a poll.
 */
static void wait_for_end(const struct cgroup *c, unsigned left, int64_t deadline, int64_t *pause_ns)
{
	int64_t slice = clock_monotonic_ns() + KILL_AGAIN_NS;

	if (*pause_ns == 0 && c->mounts->v2 >= 0 && left & 1u << c->mounts->v2) {
		int r = cgroup_events_wait(c, "populated", false,
					   slice < deadline ? slice : deadline);

		if (r == 0)
			*pause_ns = PAUSE_MIN_NS;
		if (r == 0 || r == -ETIMEDOUT)
			return;
	}
	*pause_ns = *pause_ns ? *pause_ns : PAUSE_MIN_NS;
	cgroup_pause(*pause_ns);
	*pause_ns = *pause_ns * 2 < PAUSE_MAX_NS ? *pause_ns * 2 : PAUSE_MAX_NS;
}

int cgroup_destroy(struct cgroup *cgroup, struct err *err)
{
	int64_t deadline = 0, pause_ns = 0;
	unsigned left = (1u << cgroup->mounts->count) - 1;
	int why = 0;

	cgroup->guarded = false;
	cgroup_unit_release(cgroup);
	while ((left = cgroup_remove_folders(cgroup, left, &why))) {
		if (why != -EBUSY)
			return err_set(err, -why, "remove cgroup %s", cgroup->path);
		if (deadline == 0)
			deadline = clock_monotonic_ns() + DESTROY_TIMEOUT_NS;
		else if (clock_monotonic_ns() > deadline)
			return err_say(
				err, EBUSY,
				"remove cgroup %s: a process in it does not end, %lld seconds after SIGKILL",
				cgroup->path, DESTROY_TIMEOUT_NS / 1000000000);
		cgroup_kill_all(cgroup, left);
		wait_for_end(cgroup, left, deadline, &pause_ns);
	}
	return cgroup->unit[0] ? cgroup_forget_unit(cgroup->unit, cgroup->user, err) : 0;
}
