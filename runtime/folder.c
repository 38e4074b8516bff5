/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/record.h"

#define LOCK_WAIT_NS (10 * 1000000000LL)
#define LOCK_POLL_NS 2000000L

static bool is_linked(int dirfd)
{
	struct stat st;

	return fstat(dirfd, &st) == 0 && st.st_nlink > 0;
}

/* 1: made and locked, in *ret_fd. 0: lost a race with a deleter, to be tried again. */
static int try_create(const char *path, const char *id, int *ret_fd, struct err *err)
{
	_cleanup_fd_ int fd = -1;

	if (mkdir(path, 0700) < 0) {
		if (errno == EEXIST)
			return err_say(err, EEXIST, "container with given ID already exists: %s",
				       id);
		return err_set(err, errno, "create folder %s", path);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, errno, "open folder %s", path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "lock folder %s", path);
	if (!is_linked(fd))
		return 0;
	*ret_fd = take_fd(&fd);
	return 1;
}

int folder_create(const char *root, const char *id, struct err *err)
{
	char path[PATH_MAX];
	int fd, r;

	if (path_join(path, sizeof(path), root, id, err) < 0)
		return -ENAMETOOLONG;
	do {
		r = try_create(path, id, &fd, NULL);
		/* The folder above is there on all runs but the first. */
		if (r == -ENOENT && (r = dir_create(AT_FDCWD, root, 0711, err)) < 0)
			return r;
		else if (r < 0)
			r = try_create(path, id, &fd, err);
	} while (r == 0);
	return r < 0 ? r : fd;
}

int folder_open(const char *root, const char *id, struct err *err)
{
	char path[PATH_MAX];
	int fd;

	if (path_join(path, sizeof(path), root, id, err) < 0)
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_say(err, ENOENT, "container does not exist: %s", id);
	return fd < 0 ? err_set(err, errno, "open folder %s", path) : fd;
}

int folder_lock(int dirfd, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_NS };
	int64_t deadline = 0;

	while (flock(dirfd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(err, errno, "lock the container's folder");
		if (!deadline)
			deadline = clock_monotonic_ns() + LOCK_WAIT_NS;
		if (clock_monotonic_ns() > deadline)
			return err_say(err, EBUSY, "another process is busy with the container");
		nanosleep(&pause, NULL);
	}
	if (is_linked(dirfd))
		return 0;
	folder_unlock(dirfd);
	return err_say(err, ENOENT, "container does not exist");
}

void folder_unlock(int dirfd)
{
	flock(dirfd, LOCK_UN);
}

bool folder_is_busy(int dirfd)
{
	_cleanup_fd_ int fd = -1;
	char path[PATH_FD_SIZE];

	/* A second description of the same folder: a lock that dirfd itself holds must stand. */
	fd = open(path_of_fd(dirfd, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int folder_remove(const char *root, const char *id, int dirfd, struct err *err)
{
	_cleanup_fd_ int rootfd = -1;
	char path[PATH_MAX];

	if (path_join(path, sizeof(path), root, id, err) < 0)
		return -ENAMETOOLONG;
	/* By name what we know of, state.json last: while it stands, the rest can be found. */
	unlinkat(dirfd, FOLDER_FIFO, 0);
	unlinkat(dirfd, FOLDER_CONFIG, 0);
	unlinkat(dirfd, FOLDER_UNIT_ASKED, 0);
	unlinkat(dirfd, RECORD_FILE, 0);
	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	rootfd = dir_open(AT_FDCWD, root, err);
	return rootfd < 0 ? rootfd : tree_remove(rootfd, id, err);
}
