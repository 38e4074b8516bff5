/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of containers: made, shown, hidden. */
#include "runtime/engine/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/engine/layout.h"

#define POLL_MS 5
#define TMP ".tmp/"

struct place {
	char path[sizeof(TMP) + LAYOUT_ID_SIZE];
};

static struct place in_tmp(const char *id)
{
	struct place place;

	snprintf(place.path, sizeof(place.path), TMP "%s", id);
	return place;
}

int stage_open_containers(const char *root, bool make, struct err *err)
{
	char path[PATH_MAX];
	int r = layout_path(path, root, LAYOUT_CONTAINERS, NULL, err);
	int fd = r < 0 ? r : dir_open(AT_FDCWD, path, NULL);

	if (fd >= 0 || (fd == -ENOENT && !make))
		return fd;
	if (fd != -ENOENT)
		return err_set(err, -fd, "open folder %s", path);
	/* Closed to others: what containers keep there may have the setuid bit (CVE-2021-41103). */
	r = dir_create(AT_FDCWD, path, 0700, err);
	return r < 0 ? r : dir_open(AT_FDCWD, path, err);
}

static bool is_linked(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

int stage_begin(int containers_fd, const char *id, struct err *err)
{
	struct place tmp = in_tmp(id);
	_cleanup_fd_ int fd = -1;

	if (mkdirat(containers_fd, tmp.path, 0700) < 0) {
		if (errno != ENOENT)
			return err_set(err, errno, "create folder %s", tmp.path);
		if (mkdirat(containers_fd, ".tmp", 0700) < 0 && errno != EEXIST)
			return err_set(err, errno, "create folder .tmp");
		if (mkdirat(containers_fd, tmp.path, 0700) < 0)
			return err_set(err, errno, "create folder %s", tmp.path);
	}
	fd = openat(containers_fd, tmp.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_linked(fd))
		return err_set(err, EAGAIN, "lock folder %s", tmp.path);
	return take_fd(&fd);
}

int stage_publish(int containers_fd, const char *id, struct err *err)
{
	struct place tmp = in_tmp(id);

	if (renameat(containers_fd, tmp.path, containers_fd, id) < 0)
		return err_set(err, errno, "rename folder %s", tmp.path);
	return 0;
}

int stage_withdraw(int containers_fd, const char *id, struct err *err)
{
	struct place tmp = in_tmp(id);

	if (renameat(containers_fd, id, containers_fd, tmp.path) == 0)
		return 0;
	if (errno == ENOENT && faccessat(containers_fd, tmp.path, F_OK, 0) == 0)
		return 0;
	return err_set(err, errno, "rename folder %s", id);
}

/* flock has no time limit, so it is tried again and again. */
static int lock_for(int fd, int wait_ms)
{
	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (wait_ms <= 0)
			return -EBUSY;
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
		wait_ms -= POLL_MS;
	}
}

int stage_lock(int containers_fd, const char *id, bool tmp, int wait_ms, struct err *err)
{
	struct place place = in_tmp(id);
	const char *path = tmp ? place.path : id;
	_cleanup_fd_ int fd = -1;
	int r;

	fd = openat(containers_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "open folder %s", path);
	r = lock_for(fd, wait_ms);
	if (r == -EBUSY)
		return err_say(err, EBUSY, "another command is making or removing it right now");
	if (r < 0)
		return err_set(err, -r, "lock folder %s", path);
	if (!is_linked(fd))
		return err_set(err, ENOENT, "open folder %s", path);
	return take_fd(&fd);
}
