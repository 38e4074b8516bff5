/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, files and sub-folders of a cgroup's folders. */
#include "cgroups/cgroup_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* Each level holds two descriptors. Who nests deeper inside a container means harm. */
#define DEPTH_MAX 256

char *cgroup_folder(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
		    char buf[static CGROUP_PATH_MAX])
{
	snprintf(buf, CGROUP_PATH_MAX, "%s%s", hierarchy->mountpoint, cgroup->path);
	return buf;
}

char *cgroup_file_path(const struct cgroup *c, int i, const char *name,
		       char buf[static CGROUP_PATH_MAX])
{
	int n = snprintf(buf, CGROUP_PATH_MAX, "%s%s/%s", c->mounts->hierarchies[i].mountpoint,
			 c->path, name);

	if (n >= CGROUP_PATH_MAX)
		buf[0] = '\0'; /* opens nothing; a cut path might be another file */
	return buf;
}

int cgroup_file_open(const struct cgroup *c, int i, const char *name, int flags)
{
	char path[CGROUP_PATH_MAX];
	int fd = open(cgroup_file_path(c, i, name, path), flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

bool cgroup_file_exists(const struct cgroup *c, int i, const char *name)
{
	char path[CGROUP_PATH_MAX];

	return access(cgroup_file_path(c, i, name, path), F_OK) == 0;
}

int cgroup_file_write(const struct cgroup *c, int i, const char *name, const char *value)
{
	_cleanup_fd_ int fd = cgroup_file_open(c, i, name, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	do
		n = write(fd, value, strlen(value));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

ssize_t cgroup_file_read(const struct cgroup *c, int i, const char *name, char *buf, size_t size)
{
	_cleanup_fd_ int fd = cgroup_file_open(c, i, name, O_RDONLY);
	size_t len = 0;

	if (fd < 0)
		return fd;
	while (len < size - 1) {
		ssize_t n = read(fd, buf + len, size - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return (ssize_t)len;
}

static int walk(int dirfd, const char *name, int depth, cgroup_visit *visit, void *arg);

static int walk_children(int fd, int depth, cgroup_visit *visit, void *arg)
{
	_cleanup_dir_ DIR *dir = NULL;
	_cleanup_fd_ int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;

	if (copy < 0 || !(dir = fdopendir(copy)))
		return -errno;
	take_fd(&copy);
	while ((e = readdir(dir))) {
		int r;

		if (e->d_type != DT_DIR || strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		r = walk(fd, e->d_name, depth + 1, visit, arg);
		if (r < 0)
			return r;
	}
	return 0;
}

static int walk(int dirfd, const char *name, int depth, cgroup_visit *visit, void *arg)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	if (depth > DEPTH_MAX)
		return -ELOOP;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* kernfs counts sub-folders in the link count, so that most folders need not be read. */
	if (st.st_nlink > 2)
		r = walk_children(fd, depth, visit, arg);
	if (r == 0)
		r = visit(fd, dirfd, name, arg);
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

int cgroup_folder_walk(int dirfd, const char *name, cgroup_visit *visit, void *arg)
{
	return walk(dirfd, name, 0, visit, arg);
}

int cgroup_walk(const struct cgroup *c, int i, cgroup_visit *visit, void *arg)
{
	char path[CGROUP_PATH_MAX];

	return walk(AT_FDCWD, cgroup_folder(c, &c->mounts->hierarchies[i], path), 0, visit, arg);
}
