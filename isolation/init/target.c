/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths inside the container's root. The root's content is not trusted: it may be full of symlinks,
 * and a process of another container that shares it may swap them meanwhile. So every look-up is
 * one openat2(2) with RESOLVE_IN_ROOT, what is made is made by name below an fd, and what is
 * returned is an fd that is used instead of the path from then on.
 */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

#define LINKS_MAX 40 /* as the kernel's own limit */

bool fd_is_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

int target_find(int root_fd, const char *path, uint64_t resolve)
{
	int fd;

	/* EAGAIN: a rename raced with the walk, and the kernel could not prove it stayed inside. */
	for (int tries = 0; tries < 128; tries++) {
		fd = sys_openat2(root_fd, path, O_PATH, 0,
				 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : fd;
}

static int make_one(int parent_fd, const char *name, bool folder)
{
	_cleanup_fd_ int fd = -1;

	if (folder)
		return mkdirat(parent_fd, name, 0755) < 0 ? -errno : 0;
	fd = openat(parent_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : 0;
}

/*
 * name below the prefix of path is a symlink to nowhere: puts its target into the path in its
 * place. rest: what follows the name, with its '/'.
 */
static int follow_dangling(int parent_fd, const char *name, const char *rest, char *path,
			   size_t prefix_len)
{
	char link[PATH_MAX], next[PATH_MAX];
	ssize_t len = readlinkat(parent_fd, name, link, sizeof(link) - 1);
	int n;

	if (len < 0)
		return -EEXIST;
	link[len] = '\0';
	if (link[0] == '/')
		n = snprintf(next, sizeof(next), "%s%s", link, rest);
	else
		n = snprintf(next, sizeof(next), "%.*s/%s%s", (int)prefix_len, path, link, rest);
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(path, next);
	return 0;
}

/*
 * Walks path from the root, making what is missing. Returns the fd; -ELOOP to start again with a
 * path in which one dangling symlink was replaced by its target.
 */
static int walk(int root_fd, char *path, bool folder)
{
	_cleanup_fd_ int parent = target_find(root_fd, "/", 0);
	size_t at = 0, prefix_len = 0;

	if (parent < 0)
		return parent;
	for (;;) {
		char name[NAME_MAX + 1], saved;
		size_t start = at + strspn(path + at, "/"), len = strcspn(path + start, "/");
		bool last = path[start + len + strspn(path + start + len, "/")] == '\0';
		int fd, r = 0;

		if (len == 0)
			return take_fd(&parent);
		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path + start, len);
		name[len] = '\0';
		at = start + len;
		saved = path[at];
		path[at] = '\0';
		fd = target_find(root_fd, path, 0);
		if (fd == -ENOENT)
			r = make_one(parent, name, folder || !last);
		if (fd == -ENOENT && (r == 0 || r == -EEXIST))
			fd = target_find(root_fd, path, 0);
		path[at] = saved;
		if (r == -EEXIST && fd == -ENOENT) {
			r = follow_dangling(parent, name, path + at, path, prefix_len);
			return r < 0 ? r : -ELOOP;
		}
		if (fd < 0)
			return r < 0 && r != -EEXIST ? r : fd;
		close(parent);
		parent = fd;
		prefix_len = at;
	}
}

/* The usual case: only the last name is missing. -ENOENT when that is not so. */
static int make_last(int root_fd, char *path, bool folder)
{
	char *slash = strrchr(path, '/');
	_cleanup_fd_ int parent = -1;
	int r;

	if (!slash || slash == path || !slash[1])
		return -ENOENT;
	*slash = '\0';
	parent = target_find(root_fd, path, 0);
	*slash = '/';
	if (parent < 0)
		return -ENOENT;
	r = make_one(parent, slash + 1, folder);
	return r < 0 ? -ENOENT : target_find(root_fd, path, 0);
}

int target_make(int root_fd, const char *path, bool folder, struct err *err)
{
	char work[PATH_MAX];
	int fd = target_find(root_fd, path, 0);

	if (fd == -ENOENT) {
		if (strlen(path) >= sizeof(work))
			return err_set(err, ENAMETOOLONG, "%s", path);
		strcpy(work, path);
		fd = make_last(root_fd, work, folder);
	}
	if (fd == -ENOENT) {
		for (int links = 0; links < LINKS_MAX; links++) {
			fd = walk(root_fd, work, folder);
			if (fd != -ELOOP)
				break;
		}
	}
	if (fd < 0)
		return err_set(err, -fd, "make %s in the container", path);
	return fd;
}

int target_parent(int root_fd, const char *path, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	size_t len;

	if (!slash || !slash[1])
		return err_set(err, EINVAL, "%s", path);
	len = (size_t)(slash - path);
	if (len >= sizeof(folder))
		return err_set(err, ENAMETOOLONG, "%s", path);
	memcpy(folder, path, len);
	folder[len] = '\0';
	*ret_name = slash + 1;
	return target_make(root_fd, len ? folder : "/", true, err);
}
