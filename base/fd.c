/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

void fd_reserve_standard(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			/* Takes the lowest number that is free. */
			open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_NOCTTY);
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_read_exact(int fd, void *data, size_t len)
{
	char *p = data;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_read_all(int fd, size_t limit, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0, size = 0;

	for (;;) {
		ssize_t n;

		if (size - len < 2) {
			size_t bigger = size ? size * 2 : 4096;
			char *grown = realloc(data, bigger);

			if (!grown)
				return err_set(err, ENOMEM, "read");
			data = grown;
			size = bigger;
		}
		n = read(fd, data + len, size - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "read");
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > limit)
			return err_say(err, EFBIG, "larger than the limit of %zu bytes", limit);
	}
	data[len] = '\0';
	*ret = take_ptr(data);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int file_read(int dirfd, const char *path, size_t limit, char **ret, size_t *ret_len,
	      struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	int r;

	if (fd < 0)
		return err_set(err, errno, "open %s", path);
	r = fd_read_all(fd, limit, ret, ret_len, err);
	if (r < 0)
		err_add(err, "%s", path);
	return r;
}

int file_write(int dirfd, const char *path, const char *text, struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return err_set(err, errno, "open %s", path);
	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, errno, "write '%s' to %s", text, path);
	if ((size_t)n != len)
		return err_say(err, EIO, "write '%s' to %s: only %zd bytes taken", text, path, n);
	return 0;
}

static int sync_parent(int dirfd, const char *path)
{
	char parent[4096];
	const char *slash = strrchr(path, '/');
	_cleanup_fd_ int fd = -1;

	if (!slash)
		snprintf(parent, sizeof(parent), ".");
	else
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path) + 1, path);
	fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode, bool sync,
		 struct err *err)
{
	_cleanup_fd_ int fd = -1;
	char tmp[4096];
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp.%d", path, getpid()) >= (int)sizeof(tmp))
		return err_set(err, ENAMETOOLONG, "write %s", path);
	/* Made by us: one that lies there is a crash's, or a stranger's who would keep it open. */
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 && errno == EEXIST && unlinkat(dirfd, tmp, 0) == 0)
		fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set(err, errno, "create %s", tmp);
	r = fd_write_all(fd, data, len);
	if (r == 0 && sync && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, tmp, dirfd, path) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, tmp, 0);
		return err_set(err, -r, "write %s", path);
	}
	if (sync && (r = sync_parent(dirfd, path)) < 0)
		return err_set(err, -r, "sync the folder of %s", path);
	return 0;
}

int dir_open(int dirfd, const char *path, struct err *err)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_set(err, errno, "open folder %s", path) : fd;
}

int dir_create(int dirfd, const char *path, mode_t mode, struct err *err)
{
	char part[4096];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return err_set(err, ENAMETOOLONG, "create folder %s", path);
	if (mkdirat(dirfd, path, mode) == 0)
		return 0;
	if (errno == EEXIST) {
		struct stat st;

		if (fstatat(dirfd, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
			return 0;
		return err_set(err, ENOTDIR, "create folder %s", path);
	}
	if (errno != ENOENT)
		return err_set(err, errno, "create folder %s", path);
	for (size_t i = 1; i < len; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdirat(dirfd, part, mode) < 0 && errno != EEXIST)
			return err_set(err, errno, "create folder %s", part);
	}
	if (mkdirat(dirfd, path, mode) < 0 && errno != EEXIST)
		return err_set(err, errno, "create folder %s", path);
	return 0;
}
