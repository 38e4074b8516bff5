/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and removing the folders. Other runtimes of the host, and 200 of ourselves, do the same at
 * the same time: a folder above ours may appear (EEXIST) or vanish (ENOENT, ENODEV) at any moment.
 */
#include "cgroups/cgroup_create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/cgroup_processes.h"
#include "cgroups/cgroup_v2.h"

/* Each try is lost only to somebody else's rmdir in between. */
#define TRIES_MAX 1000
#define CPUSET_VALUE_MAX 4096

static int read_cpuset(const char *folder, const char *file, char **ret)
{
	char path[CGROUP_PATH_MAX + 32];
	size_t len;
	int r;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	r = file_read(AT_FDCWD, path, CPUSET_VALUE_MAX, ret, &len, NULL);
	if (r < 0)
		return r;
	if (len > 0 && (*ret)[len - 1] == '\n')
		(*ret)[--len] = '\0';
	return len > 0;
}

static int write_cpuset(const char *folder, const char *file, const char *value)
{
	char path[CGROUP_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return file_write(AT_FDCWD, path, value, NULL);
}

/*
 * A new cpuset of v1 has no CPU and no memory node, and nobody can join it. Copies both from the
 * folder above, which may be as empty. folder is changed and changed back; root_len: of the mount
 * point; fresh: known to be empty, unless the folder above has cgroup.clone_children.
 */
static int fill_cpuset(char *folder, size_t root_len, bool fresh)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	char *slash = strrchr(folder, '/');
	bool top = (size_t)(slash - folder) <= root_len;
	int r = 0;

	if (strlen(folder) <= root_len)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(files) && r >= 0; i++) {
		_cleanup_free_ char *own = NULL, *above = NULL;

		r = fresh && top ? 0 : read_cpuset(folder, files[i], &own);
		if (r != 0)
			continue;
		*slash = '\0';
		r = read_cpuset(folder, files[i], &above);
		if (r == 0 && fill_cpuset(folder, root_len, false) == 0) {
			free(take_ptr(above));
			r = read_cpuset(folder, files[i], &above);
		}
		*slash = '/';
		if (r > 0)
			r = write_cpuset(folder, files[i], above);
	}
	return r < 0 ? r : 0;
}

/* Makes the folders between the mount point and ours. */
static int make_parents(const struct cgroup *c, int i)
{
	const struct cgroup_hierarchy *h = &c->mounts->hierarchies[i];
	size_t root_len = strlen(h->mountpoint);
	char path[CGROUP_PATH_MAX];

	cgroup_folder(c, h, path);
	for (char *p = strchr(path + root_len + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0755) < 0) {
			if (errno != EEXIST)
				return -errno;
		} else if (i == c->mounts->v1[CGROUP_CPUSET]) {
			int r = fill_cpuset(path, root_len, true);

			/* Our children then start filled. */
			if (r < 0 || (r = write_cpuset(path, "cgroup.clone_children", "1")) < 0)
				return r;
		}
		*p = '/';
	}
	return 0;
}

static int make_failed(const struct cgroup *c, int i, int code, struct err *err)
{
	char path[CGROUP_PATH_MAX];

	cgroup_folder(c, &c->mounts->hierarchies[i], path);
	if (code == EACCES || code == EPERM)
		return err_say(
			err, code,
			"create cgroup %s: permission denied; run as root, or in a cgroup that was delegated to you",
			path);
	if (code == EROFS)
		return err_say(err, code,
			       "create cgroup %s: the cgroup file system is mounted read-only",
			       path);
	return err_set(err, code, "create cgroup %s", path);
}

/* ENODEV: somebody else is just removing it. */
static bool has_vanished(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

/* 1 when made, 0 when it was there, or -errno. */
static int make_folder(const struct cgroup *c, int i)
{
	const struct cgroup_hierarchy *h = &c->mounts->hierarchies[i];
	char path[CGROUP_PATH_MAX];
	struct stat st;
	int r = -ENOENT;

	cgroup_folder(c, h, path);
	for (int tries = 0; tries < TRIES_MAX && has_vanished(r); tries++) {
		r = mkdir(path, 0755) < 0 ? -errno : 1;
		if (r == -EEXIST)
			r = stat(path, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
		if (has_vanished(r)) {
			int above = make_parents(c, i);

			if (above < 0 && !has_vanished(above))
				return above;
		}
	}
	if (r > 0 && i == c->mounts->v1[CGROUP_CPUSET]) {
		int filled = fill_cpuset(path, strlen(h->mountpoint), true);

		if (filled < 0) {
			rmdir(path);
			return filled;
		}
	}
	return r;
}

/* A folder that was there may be left over, or prepared by an administrator; not in use. */
static int check_existing(const struct cgroup *c, struct err *err)
{
	for (int i = 0; i < (int)c->mounts->count; i++) {
		_cleanup_free_ pid_t *pids = NULL;
		char path[CGROUP_PATH_MAX];
		size_t count;
		int r;

		if (cgroup_is_fresh(c, i))
			continue;
		cgroup_folder(c, &c->mounts->hierarchies[i], path);
		r = cgroup_hierarchy_pids(c, i, &pids, &count);
		if (r < 0)
			return err_set(err, -r, "read the processes of cgroup %s", path);
		if (count > 0)
			return err_say(
				err, EBUSY,
				"cgroup %s is in use: it holds %zu process%s (the first is %d)",
				path, count, count == 1 ? "" : "es", (int)pids[0]);
		if (i == c->mounts->v1[CGROUP_CPUSET] &&
		    (r = fill_cpuset(path, strlen(c->mounts->hierarchies[i].mountpoint), false)) <
			    0)
			return err_set(err, -r, "fill cpuset.cpus and cpuset.mems of %s", path);
	}
	/* Left over frozen, it would stop our child before its first step. */
	if (cgroup_is_frozen(c) > 0)
		return cgroup_freeze(c, false, err);
	return 0;
}

int cgroup_make_folders(struct cgroup *c, struct err *err)
{
	unsigned all = (1u << c->mounts->count) - 1;
	int r = 0;

	for (int i = 0; i < (int)c->mounts->count && r >= 0; i++) {
		r = make_folder(c, i);
		if (r > 0)
			c->fresh |= 1u << i;
		else if (r < 0)
			make_failed(c, i, -r, err);
	}
	if (r >= 0 && c->fresh != all)
		r = check_existing(c, err);
	if (r >= 0)
		r = cgroup_v2_enable(c, err);
	if (r < 0)
		cgroup_remove_folders(c, c->fresh, NULL);
	return r < 0 ? r : 0;
}

int cgroup_adopt_folders(struct cgroup *c, pid_t placeholder, struct err *err)
{
	int v2 = c->mounts->v2;
	char pid[16];

	for (int i = 0; i < (int)c->mounts->count; i++) {
		int r = make_folder(c, i);

		if (r < 0)
			return make_failed(c, i, -r, err);
		c->fresh |= 1u << i;
	}
	if (v2 >= 0 && placeholder > 0) {
		int r;

		snprintf(pid, sizeof(pid), "%d", (int)placeholder);
		r = cgroup_file_write(c, v2, "cgroup.procs", pid);
		if (r < 0)
			return err_set(err, -r, "enter the cgroup %s", c->path);
	}
	return cgroup_v2_enable(c, err);
}

static int remove_visit(int fd, int parent_fd, const char *name, void *arg)
{
	(void)fd;
	(void)arg;
	return unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && !has_vanished(-errno) ? -errno : 0;
}

/* How much of the path is not ours to remove: all below "/cellar" is, and all of a unit. */
static const char *foreign_end(const struct cgroup *c)
{
	const char *unit = c->unit[0] ? strstr(c->path, c->unit) : NULL;

	if (unit)
		return unit;
	return strncmp(c->path, CGROUP_PARENT "/", sizeof(CGROUP_PARENT)) == 0 ? c->path + 1 : NULL;
}

/* What has become empty goes, up to and with "/cellar" itself, or the unit's folder. */
static void remove_parents(const struct cgroup *c)
{
	const char *end = foreign_end(c);
	char path[CGROUP_PATH_MAX];

	if (!end)
		return;
	for (size_t i = 0; i < c->mounts->count; i++) {
		const struct cgroup_hierarchy *h = &c->mounts->hierarchies[i];
		size_t keep = strlen(h->mountpoint) + (size_t)(end - c->path);
		char *slash;

		cgroup_folder(c, h, path);
		while ((slash = strrchr(path + keep, '/'))) {
			*slash = '\0';
			if (rmdir(path) < 0)
				break;
		}
	}
}

unsigned cgroup_remove_folders(const struct cgroup *c, unsigned mask, int *ret_why)
{
	char path[CGROUP_PATH_MAX];
	unsigned left = 0;

	for (int i = 0; i < (int)c->mounts->count; i++) {
		int r;

		if (!(mask & 1u << i))
			continue;
		cgroup_folder(c, &c->mounts->hierarchies[i], path);
		/* Nearly always the folder is empty, and there is nothing to look for in it. */
		if (rmdir(path) == 0 || has_vanished(-errno))
			continue;
		r = cgroup_walk(c, i, remove_visit, NULL);
		if (r == 0)
			continue;
		if (ret_why && (left == 0 || r != -EBUSY))
			*ret_why = r;
		left |= 1u << i;
	}
	if (left == 0)
		remove_parents(c);
	return left;
}
