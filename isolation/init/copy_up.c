/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a new tmpfs with a copy of the folder it is going to cover (tmpcopyup): folders, files,
 * symlinks, nodes, with owner, mode and times. Nothing outside the folder is reached: every step is
 * by name below an fd, and symlinks are copied, not followed.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

#define DEPTH_MAX 64

struct entry { /* as the kernel's linux_dirent64 */
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static int copy_content(int from_dir, int to_dir, const char *name, mode_t mode)
{
	/* It was a file when we looked; what it is now must not make us wait. */
	_cleanup_fd_ int from =
		openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_fd_ int to = -1;
	ssize_t n;

	if (from < 0)
		return -errno;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (to < 0)
		return -errno;
	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	return n < 0 ? -errno : 0;
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to_dir, name) < 0 ? -errno : 0;
}

static int copy_meta(int to_dir, const char *name, const struct stat *st)
{
	struct timespec times[] = { st->st_atim, st->st_mtim };

	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_folder(int from, int to, int depth);

static int copy_subfolder(int from_dir, int to_dir, const char *name, int depth)
{
	_cleanup_fd_ int from = -1, to = -1;

	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0 || to < 0)
		return -errno;
	return depth >= DEPTH_MAX ? -ELOOP : copy_folder(from, to, depth + 1);
}

static int copy_entry(int from, int to, const char *name, int depth)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		r = copy_subfolder(from, to, name, depth);
	else if (S_ISREG(st.st_mode))
		r = copy_content(from, to, name, 0600);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(from, to, name);
	else
		r = mknodat(to, name, st.st_mode, st.st_rdev) < 0 ? -errno : 0;
	return r < 0 ? r : copy_meta(to, name, &st);
}

static int copy_folder(int from, int to, int depth)
{
	char buf[1024] __attribute__((aligned(8)));
	long n;

	while ((n = syscall(SYS_getdents64, from, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(void *)(buf + at);
			int r;

			at += e->reclen;
			if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0)
				continue;
			r = copy_entry(from, to, e->name, depth);
			if (r < 0)
				return r;
		}
	}
	return n < 0 ? -errno : 0;
}

int copy_up(int from_fd, int to_fd, struct err *err)
{
	_cleanup_fd_ int from = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int to = openat(to_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (from < 0 || to < 0)
		return err_set(err, errno, "open the folders");
	r = copy_folder(from, to, 0);
	if (r == 0 && (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0))
		r = -errno;
	return r < 0 ? err_set(err, -r, "copy") : 0;
}
