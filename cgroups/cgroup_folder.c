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
