/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of tmp folders: born locked, published by a rename, swept when their maker is dead. */
#include "storage/tmp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

static int lock(int fd, int operation)
{
	int r;

	do
		r = flock(fd, operation);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Makers share it; a sweeper has it alone while it looks for entries without a lock. */
static int lock_folder(int folder_fd, int operation)
{
	_cleanup_fd_ int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = lock(fd, operation);
	return r < 0 ? r : take_fd(&fd);
}

static void make_name(char name[static TMP_NAME_SIZE])
{
	uint64_t n = 0;

	/* Few bytes are given at once or not at all, and a clash is only one more turn. */
	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		n = (uint64_t)getpid() << 32 | (uintptr_t)name;
	snprintf(name, TMP_NAME_SIZE, "t%016llx", (unsigned long long)n);
}

static int create_locked(int folder_fd, bool folder, struct tmp *ret)
{
	_cleanup_tmp_ struct tmp tmp = TMP_NONE;
	_cleanup_fd_ int guard = lock_folder(folder_fd, LOCK_SH);
	int r;

	if (guard < 0)
		return guard;
	tmp.folder_fd = folder_fd;
	for (;;) {
		make_name(tmp.name);
		if (folder && mkdirat(folder_fd, tmp.name, 0700) == 0)
			break;
		if (!folder) {
			tmp.fd = openat(folder_fd, tmp.name,
					O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
			if (tmp.fd >= 0)
				break;
		}
		if (errno != EEXIST) {
			r = -errno;
			tmp.name[0] = '\0';
			return r;
		}
	}
	if (folder)
		tmp.fd = openat(folder_fd, tmp.name,
				O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (tmp.fd < 0)
		return -errno;
	r = lock(tmp.fd, LOCK_EX | LOCK_NB);
	if (r < 0)
		return r;
	*ret = tmp;
	tmp = (struct tmp)TMP_NONE;
	return 0;
}

int tmp_create_file(int folder_fd, struct tmp *ret)
{
	return create_locked(folder_fd, false, ret);
}

int tmp_create_folder(int folder_fd, struct tmp *ret)
{
	return create_locked(folder_fd, true, ret);
}

int tmp_publish(struct tmp *tmp, int dirfd, const char *name)
{
	if (renameat(tmp->folder_fd, tmp->name, dirfd, name) < 0)
		return errno == ENOTEMPTY ? -EEXIST : -errno;
	tmp->name[0] = '\0';
	return 0;
}

void tmp_drop(struct tmp *tmp)
{
	/* What can't be removed now is swept later. */
	if (tmp->name[0])
		tree_remove(tmp->folder_fd, tmp->name, NULL);
	cleanup_fd(&tmp->fd);
	*tmp = (struct tmp)TMP_NONE;
}

/* Finds an entry whose maker is dead and locks it. 1 found, 0 none, or -errno. */
static int find_orphan(int folder_fd, struct tmp *ret)
{
	_cleanup_fd_ int guard = lock_folder(folder_fd, LOCK_EX);
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *e;
	int copy;

	if (guard < 0)
		return guard;
	copy = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0 || !(dir = fdopendir(copy))) {
		cleanup_fd(&copy);
		return -errno;
	}
	while ((e = readdir(dir))) {
		_cleanup_fd_ int fd = -1;

		if (e->d_name[0] != 't' || strlen(e->d_name) >= sizeof(ret->name))
			continue;
		fd = openat(folder_fd, e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0 || lock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		ret->folder_fd = folder_fd;
		ret->fd = take_fd(&fd);
		memcpy(ret->name, e->d_name, strlen(e->d_name) + 1);
		return 1;
	}
	return 0;
}

int tmp_sweep(int folder_fd, struct err *err)
{
	for (;;) {
		_cleanup_tmp_ struct tmp tmp = TMP_NONE;
		int r = find_orphan(folder_fd, &tmp);

		if (r < 0)
			return err_set(err, -r, "look for what stopped writers left");
		if (r == 0)
			return 0;
		r = tree_remove(folder_fd, tmp.name, err);
		if (r < 0) {
			tmp.name[0] = '\0';
			return err_add(err, "remove what a stopped writer left");
		}
		tmp.name[0] = '\0';
	}
}

int tmp_bury(int folder_fd, int dirfd, const char *name, struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	char buried[TMP_NAME_SIZE];
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "remove %s", name);
	r = lock(fd, LOCK_EX | LOCK_NB);
	if (r < 0)
		return err_set(err, -r, "remove %s", name);
	make_name(buried);
	/* No new folder: this must work on a full disk. */
	if (renameat(dirfd, name, folder_fd, buried) < 0)
		return err_set(err, errno, "remove %s", name);
	r = tree_remove(folder_fd, buried, err);
	return r < 0 ? err_add(err, "remove %s", name) : 0;
}
