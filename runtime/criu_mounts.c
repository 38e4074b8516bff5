/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/criu_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"

static const char *const devices[] = { "/dev/null",   "/dev/zero",    "/dev/full",
				       "/dev/random", "/dev/urandom", "/dev/tty" };

static int add(struct criu_mounts *mounts, struct arena *arena, const char *target,
	       const char *source, struct err *err)
{
	/* Doubled when full; the old one stays in the arena. */
	if ((mounts->count & (mounts->count - 1)) == 0) {
		size_t room = mounts->count ? mounts->count * 2 : 1;
		struct criu_mount *more = arena_calloc(arena, room, sizeof(*more));

		if (!more)
			return err_set(err, ENOMEM, "list mounts for criu");
		if (mounts->count > 0)
			memcpy(more, mounts->list, mounts->count * sizeof(*more));
		mounts->list = more;
	}
	target = arena_strdup(arena, target);
	if (source)
		source = arena_strdup(arena, source);
	if (!target)
		return err_set(err, ENOMEM, "list mounts for criu");
	mounts->list[mounts->count++] = (struct criu_mount){ .target = target, .source = source };
	return 0;
}

static bool is_bind(const struct oci_mount *m)
{
	if (m->type && strcmp(m->type, "bind") == 0)
		return true;
	for (size_t i = 0; i < m->options_count; i++)
		if (strcmp(m->options[i], "bind") == 0 || strcmp(m->options[i], "rbind") == 0)
			return true;
	return false;
}

static bool is_cgroup(const struct oci_mount *m)
{
	return m->type && (strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0);
}

/* Where a path of the container's really is in its root: /var/run is often /run. What does not
 * exist is as it is written. */
static void resolve(int rootfd, const char *rootfs, const char *path, char ret[static PATH_MAX])
{
	_cleanup_fd_ int fd = path_open_in_root(rootfd, path, O_PATH, 0);
	char link[PATH_FD_SIZE], real[PATH_MAX], top[PATH_MAX];
	ssize_t n;
	size_t len;

	snprintf(ret, PATH_MAX, "%s", path);
	if (fd < 0 || !realpath(rootfs, top))
		return;
	n = readlink(path_of_fd(fd, link), real, sizeof(real) - 1);
	len = strlen(top);
	if (n <= 0)
		return;
	real[n] = '\0';
	if (strncmp(real, top, len) == 0 && real[len] == '/')
		snprintf(ret, PATH_MAX, "%s", real + len);
}

/* ---- as they are ---- */

/* File systems that CRIU makes anew, when nothing of them is the host's. */
static bool is_internal(const char *type, const char *fs_root)
{
	static const char *const types[] = { "proc", "sysfs", "tmpfs", "devpts", "mqueue" };

	if (strcmp(type, "cgroup2") == 0)
		return strcmp(fs_root, "/") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* "\040" and its like, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		unsigned code;

		if (*s == '\\' && sscanf(s + 1, "%3o", &code) == 1) {
			*to++ = (char)code;
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

int criu_mounts_read(pid_t pid, const struct oci_config *config, const char *rootfs,
		     struct arena *arena, struct criu_mounts *ret, struct err *err)
{
	_cleanup_fd_ int rootfd = dir_open(AT_FDCWD, rootfs, err);
	_cleanup_file_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char path[64], target[PATH_MAX], fs_root[PATH_MAX], type[64];
	size_t size = 0;

	if (rootfd < 0)
		return rootfd;
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	f = fopen(path, "re");
	if (!f)
		return err_set(err, errno, "open %s", path);
	while (getline(&line, &size, f) > 0) {
		const char *tail = strstr(line, " - ");
		bool external = false;

		if (!tail || sscanf(line, "%*s %*s %*s %4095s %4095s", fs_root, target) != 2 ||
		    sscanf(tail, " - %63s", type) != 1 || strcmp(target, "/") == 0)
			continue;
		unescape(target);
		external = !is_internal(type, fs_root);
		for (size_t i = 0; i < config->mounts_count && !external; i++) {
			char real[PATH_MAX];

			if (!is_bind(&config->mounts[i]))
				continue;
			resolve(rootfd, rootfs, config->mounts[i].destination, real);
			external = strcmp(real, target) == 0;
		}
		if (external)
			err_try(add(ret, arena, target, NULL, err));
	}
	return 0;
}

/* ---- as they are to be ---- */

static int plan_cgroups(const char *target, const struct cgroup *cgroup, struct arena *arena,
			struct criu_mounts *ret, struct err *err)
{
	char folder[CGROUP_PATH_MAX], path[PATH_MAX];
	size_t count;
	const struct cgroup_hierarchy *h = cgroup_hierarchies(cgroup, &count);

	for (size_t i = 0; i < count; i++) {
		const char *name = strrchr(h[i].mountpoint, '/');

		cgroup_folder(cgroup, &h[i], folder);
		if (count == 1 && h[i].v2)
			return add(ret, arena, target, folder, err);
		err_try(path_join(path, sizeof(path), target, name ? name : "/", err));
		err_try(add(ret, arena, path, folder, err));
	}
	return 0;
}

static int source_of(const struct oci_mount *m, const char *bundle, char ret[static PATH_MAX],
		     struct err *err)
{
	const char *source = m->source ? m->source : "";

	return path_join(ret, PATH_MAX, source[0] == '/' ? "" : bundle, source, err);
}

int criu_mounts_plan(const struct oci_config *config, const char *bundle, const char *rootfs,
		     const struct cgroup *cgroup, struct arena *arena, struct criu_mounts *ret,
		     struct err *err)
{
	_cleanup_fd_ int rootfd = dir_open(AT_FDCWD, rootfs, err);
	char target[PATH_MAX], source[PATH_MAX];

	if (rootfd < 0)
		return rootfd;
	for (size_t i = 0; i < config->mounts_count; i++) {
		const struct oci_mount *m = &config->mounts[i];

		if (!is_bind(m) && !is_cgroup(m))
			continue;
		resolve(rootfd, rootfs, m->destination, target);
		if (is_cgroup(m)) {
			if (!cgroup)
				continue;
			err_try(plan_cgroups(target, cgroup, arena, ret, err));
			continue;
		}
		err_try(source_of(m, bundle, source, err));
		err_try(add(ret, arena, target, source, err));
	}
	for (const char *const *mask = config->masked_paths; mask && *mask; mask++)
		err_try(add(ret, arena, *mask, "/dev/null", err));
	/* Of a container that may make none. */
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		err_try(add(ret, arena, devices[i], devices[i], err));
	for (size_t i = 0; i < config->devices_count; i++)
		err_try(add(ret, arena, config->devices[i].path, config->devices[i].path, err));
	return 0;
}

/* ---- their places ---- */

/* path[0..len) is made a folder, or a file; its parents are there. */
static int make_one(int rootfd, char *path, size_t len, bool is_folder)
{
	char end = path[len], *name;
	_cleanup_fd_ int there = -1, parent = -1;
	int r;

	path[len] = '\0';
	there = path_open_in_root(rootfd, path, O_PATH, 0);
	name = strrchr(path, '/');
	if (there < 0) {
		*name = '\0';
		parent = path_open_in_root(rootfd, path[0] ? path : "/", O_PATH | O_DIRECTORY, 0);
		*name = '/';
	}
	r = there >= 0	 ? 0
	    : parent < 0 ? parent
	    : is_folder	 ? mkdirat(parent, name + 1, 0755)
			 : mknodat(parent, name + 1, S_IFREG | 0644, 0);
	path[len] = end;
	return r == -1 ? -errno : r;
}

static bool lies_below(const char *path, const struct oci_mount *m)
{
	size_t len = strlen(m->destination);

	return len > 1 && strncmp(path, m->destination, len) == 0 && path[len] == '/';
}

int criu_mounts_make_targets(const struct oci_config *config, const char *bundle,
			     const char *rootfs, struct err *err)
{
	_cleanup_fd_ int rootfd = dir_open(AT_FDCWD, rootfs, err);

	if (rootfd < 0)
		return rootfd;
	for (size_t i = 0; i < config->mounts_count; i++) {
		const struct oci_mount *m = &config->mounts[i];
		char path[PATH_MAX], source[PATH_MAX];
		bool inside = false, is_folder = true;
		struct stat st;
		int r = 0;

		for (size_t j = 0; j < i; j++)
			inside |= lies_below(m->destination, &config->mounts[j]);
		if (inside || snprintf(path, sizeof(path), "%s", m->destination) >= PATH_MAX)
			continue;
		if (is_bind(m) && source_of(m, bundle, source, err) == 0 && stat(source, &st) == 0)
			is_folder = S_ISDIR(st.st_mode);
		for (size_t len = 1; r == 0 && path[len - 1]; len++)
			if (len > 1 && (path[len] == '/' || !path[len]))
				r = make_one(rootfd, path, len, is_folder || path[len]);
		if (r < 0)
			return err_set(err, -r, "make %s in %s", m->destination, rootfs);
	}
	return 0;
}
