/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount of the plan is put on, made where it is missing. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

/* By a symlink: what is mounted there would be in nobody's sight but that of who enters later. */
static bool is_root(struct init *in, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == in->root_ino && st.st_dev == in->root_dev;
}

/* The symlink that a mount wants to cover itself; -ENOENT otherwise. */
static int find_symlink(struct init *in, const struct plan_mount *m)
{
	_cleanup_fd_ int parent = -1, fd = -1;
	struct err err = { 0 };
	const char *name;
	struct stat st;

	if (!(m->flags & PLAN_MOUNT_TARGET_NOFOLLOW))
		return -ENOENT;
	parent = target_parent(in->root_fd, init_string(in, m->target), &name, &err);
	if (parent >= 0 && strcmp(name, "..") != 0)
		fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode))
		return -ENOENT;
	return take_fd(&fd);
}

int mount_target(struct init *in, const struct plan_mount *m, bool folder, struct err *err)
{
	const char *path = init_string(in, m->target);
	bool real = m->flags & PLAN_MOUNT_REAL_TARGET;
	int fd = real ? target_find(in->root_fd, path, RESOLVE_NO_SYMLINKS) : find_symlink(in, m);
	struct stat st;

	if (fd < 0) {
		fd = target_make(in->root_fd, path, folder, err);
		if (fd < 0)
			return fd;
		if (real) {
			close(fd);
			fd = target_find(in->root_fd, path, RESOLVE_NO_SYMLINKS);
		}
	}
	if (real) {
		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
			return err_say(err, ENOTDIR,
				       "mount %s at %s: the target must be a folder, not a symlink",
				       init_string(in, m->type), path);
		return fd;
	}
	if (is_root(in, fd)) {
		close(fd);
		return err_say(err, EPERM, "mount at %s: leads to the root of the container", path);
	}
	if (!(m->flags & PLAN_MOUNT_OVER_PROC) && fd_is_procfs(fd)) {
		close(fd);
		return err_say(err, EPERM, "mount at %s: leads into /proc of the container", path);
	}
	return fd;
}

int mount_copy_symlink(struct init *in, int source_fd, const char *path, struct err *err)
{
	char link[PATH_MAX], there[PATH_MAX];
	ssize_t len = readlinkat(source_fd, "", link, sizeof(link) - 1), n;
	_cleanup_fd_ int parent = -1;
	const char *name;

	if (len < 0)
		return err_set(err, errno, "read the symlink for %s", path);
	link[len] = '\0';
	parent = target_parent(in->root_fd, path, &name, err);
	if (parent < 0)
		return parent;
	if (symlinkat(link, parent, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(err, errno, "make the symlink %s", path);
	n = readlinkat(parent, name, there, sizeof(there));
	if (n != len || memcmp(there, link, (size_t)n) != 0)
		return err_say(err, EEXIST, "%s: is there already, and no symlink to %s", path,
			       link);
	return 0;
}
