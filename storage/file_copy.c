/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/userns.h"

#define BUFFER (256 << 10)
#define PATH_BELOW_FD (NAME_MAX + 40)

/* l*xattr(2) take no descriptor and name; the last component is not followed. */
static const char *below(int dirfd, const char *name, char buf[static PATH_BELOW_FD])
{
	snprintf(buf, PATH_BELOW_FD, "/proc/self/fd/%d/%s", dirfd, name);
	return buf;
}

static int copy_by_hand(int from, int to, off_t at, off_t end)
{
	_cleanup_free_ char *buffer = malloc(BUFFER);

	if (!buffer)
		return -ENOMEM;
	while (at < end) {
		size_t want = end - at < BUFFER ? (size_t)(end - at) : BUFFER;
		ssize_t n = pread(from, buffer, want, at), done = 0;

		if (n == 0)
			return 0; /* shorter than it said */
		while (n > 0 && done < n) {
			ssize_t w = pwrite(to, buffer + done, (size_t)(n - done), at + done);

			if (w < 0 && errno != EINTR)
				return -errno;
			done += w > 0 ? w : 0;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? n : 0;
	}
	return 0;
}

static int copy_range(int from, int to, off_t at, off_t end)
{
	while (at < end) {
		off_t in = at, out = at;
		ssize_t n = copy_file_range(from, &in, to, &out, (size_t)(end - at), 0);

		/* Not every pair of file systems does it; 0 comes from some that cannot. */
		if (n <= 0)
			return copy_by_hand(from, to, at, end);
		at += n;
	}
	return 0;
}

static int copy_bytes(int from, int to, off_t size)
{
	off_t at = 0, end;
	int r = ftruncate(to, size) < 0 ? -errno : 0;

	while (r == 0 && at < size) {
		at = lseek(from, at, SEEK_DATA);
		if (at < 0)
			return errno == ENXIO ? 0 : -errno; /* ENXIO: a hole to the end */
		end = lseek(from, at, SEEK_HOLE);
		if (end < 0)
			return -errno;
		r = copy_range(from, to, at, end);
		at = end;
	}
	return r;
}

static int copy_regular(int source_fd, int target_fd, const char *name, off_t size)
{
	_cleanup_fd_ int from = -1, to = -1;

	from = openat(source_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	to = openat(target_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return to < 0 ? -errno : copy_bytes(from, to, size);
}

static int copy_symlink(int source_fd, int target_fd, const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(source_fd, name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return symlinkat(text, target_fd, name) < 0 ? -errno : 0;
}

int file_copy(int source_fd, int target_fd, const char *name, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return copy_regular(source_fd, target_fd, name, st->st_size);
	if (S_ISLNK(st->st_mode))
		return copy_symlink(source_fd, target_fd, name);
	return mknodat(target_fd, name, st->st_mode & S_IFMT, st->st_rdev) < 0 ? -errno : 0;
}

static int copy_xattr(const char *from, const char *to, const char *key)
{
	_cleanup_free_ char *value = NULL;
	ssize_t size = lgetxattr(from, key, NULL, 0);

	if (size < 0)
		return errno == ENODATA ? 0 : -errno;
	value = malloc((size_t)size + 1);
	if (!value)
		return -ENOMEM;
	size = lgetxattr(from, key, value, (size_t)size + 1);
	if (size < 0)
		return -errno;
	if (lsetxattr(to, key, value, (size_t)size, 0) == 0)
		return 0;
	/* Labels are a security module's to give; others the file system may not know. */
	if (errno == ENOTSUP || (errno == EPERM && strncmp(key, "security.", 9) == 0 &&
				 strcmp(key, "security.capability") != 0))
		return 0;
	return -errno;
}

static int copy_xattrs(const char *from, const char *to)
{
	_cleanup_free_ char *keys = NULL;
	ssize_t size = llistxattr(from, NULL, 0);
	int r = 0;

	if (size <= 0)
		return size == 0 || errno == ENOTSUP ? 0 : -errno;
	keys = malloc((size_t)size);
	if (!keys)
		return -ENOMEM;
	size = llistxattr(from, keys, (size_t)size);
	if (size < 0)
		return -errno;
	for (char *key = keys; r == 0 && key < keys + size; key += strlen(key) + 1)
		if (strncmp(key, "trusted.overlay.", 16) != 0 &&
		    (userns_is_initial() || strncmp(key, "user.overlay.", 13) != 0))
			r = copy_xattr(from, to, key);
	return r;
}

int file_copy_attributes(int source_fd, int target_fd, const char *name, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	char from[PATH_BELOW_FD], to[PATH_BELOW_FD];
	int r;

	/* The owner first: a change takes the setuid bit and file capabilities away. */
	if (fchownat(target_fd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = copy_xattrs(below(source_fd, name, from), below(target_fd, name, to));
	if (r < 0)
		return r;
	/* An access list may have changed the mode. fchmodat(2) would follow a symlink. */
	if (!S_ISLNK(st->st_mode) && fchmodat(target_fd, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(target_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}
