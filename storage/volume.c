/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as they come, are looked at, and go. */
#include "storage/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "storage/volume_struct.h"

bool volume_name_is_valid(const char *name)
{
	static const char alnum[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(name);

	if (!len || len > VOLUME_NAME_MAX || !strchr(alnum, name[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!strchr(alnum, name[i]) && !strchr("_.-", name[i]))
			return false;
	return true;
}

const char *volume_data_path(const char *root, const char *name, struct arena *arena)
{
	return arena_printf(arena, "%s/" VOLUME_FOLDER "/%s/" VOLUME_DATA, root, name);
}

int volume_open_folder(const char *root, bool make, struct err *err)
{
	char path[PATH_MAX];
	int fd, r;

	if (snprintf(path, sizeof(path), "%s/" VOLUME_FOLDER, root) >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "open the volumes of %s", root);
	fd = dir_open(AT_FDCWD, path, NULL);
	if (fd >= 0 || (fd == -ENOENT && !make))
		return fd;
	if (fd != -ENOENT)
		return err_set(err, -fd, "open folder %s", path);
	/* It keeps others out: a container may put setuid programs into its volumes. */
	r = dir_create(AT_FDCWD, path, 0700, err);
	return r < 0 ? r : dir_open(AT_FDCWD, path, err);
}

static int lock(int fd)
{
	int r;

	do
		r = flock(fd, LOCK_EX);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Removed, and perhaps made anew, while we waited for the lock. */
static bool has_gone(int folder_fd, const char *name, int fd)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) < 0 || fstatat(folder_fd, name, &theirs, AT_SYMLINK_NOFOLLOW) < 0 ||
	       ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev;
}

/* 1 when the folder was made. */
static int open_locked(int folder_fd, const char *name, bool make, int *ret_fd, struct err *err)
{
	bool made = false;

	for (;;) {
		_cleanup_fd_ int fd =
			openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int r;

		if (fd < 0 && errno == ENOENT && make) {
			made = mkdirat(folder_fd, name, 0700) == 0;
			if (!made && errno != EEXIST)
				return err_set(err, errno, "create volume %s", name);
			continue;
		}
		if (fd < 0)
			return errno == ENOENT
				       ? err_say(err, ENOENT,
						 "volume \"%s\": not found; `ctr volume ls` shows the ones there are",
						 name)
				       : err_set(err, errno, "open volume %s", name);
		r = lock(fd);
		if (r < 0)
			return err_set(err, -r, "lock volume %s", name);
		if (has_gone(folder_fd, name, fd))
			continue;
		*ret_fd = take_fd(&fd);
		return made;
	}
}

/* What is there of a volume is made whole. */
static int complete(struct volume *v, const struct volume_info *make, struct err *err)
{
	struct volume_info info = { .name = v->name, .created_ns = clock_realtime_ns() };
	int r = 0;

	if (make && faccessat(v->fd, VOLUME_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		info.labels = make->labels;
		info.anonymous = make->anonymous;
		r = volume_save_file(v->fd, &info, err);
	}
	if (r == 0)
		r = volume_mend_content(v, err);
	if (r == 0 && mkdirat(v->fd, VOLUME_DATA, 0755) < 0 && errno != EEXIST)
		r = err_set(err, errno, "create folder " VOLUME_DATA);
	return r;
}

int volume_open(const char *root, const char *name, const struct volume_info *make,
		struct volume **ret, struct err *err)
{
	_cleanup_volume_ struct volume *v = calloc(1, sizeof(*v));
	int made, r;

	if (!v)
		return err_set(err, ENOMEM, "open volume %s", name);
	v->fd = v->folder_fd = -1;
	v->root = strdup(root);
	if (!v->root)
		return err_set(err, ENOMEM, "open volume %s", name);
	if (!volume_name_is_valid(name))
		return err_say(err, EINVAL,
			       "\"%.140s\" is no name of a volume: it must be of letters, digits, "
			       "'_', '.' and '-', begin with a letter or digit, and have at most "
			       "%d characters",
			       name, VOLUME_NAME_MAX);
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->folder_fd = volume_open_folder(root, make, err);
	if (v->folder_fd == -ENOENT)
		return err_say(err, ENOENT, "volume \"%s\": not found; there is none", name);
	if (v->folder_fd < 0)
		return v->folder_fd;
	made = open_locked(v->folder_fd, name, make, &v->fd, err);
	if (made < 0)
		return made;
	r = complete(v, make, err);
	if (r < 0)
		return err_add(err, "volume %s", name);
	*ret = take_ptr(v);
	return made;
}

struct volume *volume_close(struct volume *volume)
{
	if (volume) {
		cleanup_fd(&volume->fd);
		cleanup_fd(&volume->folder_fd);
		free(volume->root);
		free(volume);
	}
	return NULL;
}

int volume_read(struct volume *volume, struct arena *arena, struct volume_info *ret,
		struct err *err)
{
	struct volume_info info;
	int r = volume_load_file(volume->fd, arena, &info, err);

	if (r < 0)
		return err_add(err, "volume %s", volume->name);
	info.name = arena_strdup(arena, volume->name);
	info.data_path = volume_data_path(volume->root, volume->name, arena);
	if (!info.name || !info.data_path)
		return err_set(err, ENOMEM, "read volume %s", volume->name);
	*ret = info;
	return 0;
}

int volume_add_user(struct volume *volume, const char *user, struct err *err)
{
	char path[sizeof(VOLUME_USERS) + 1 + VOLUME_USER_MAX + 1];
	_cleanup_fd_ int fd = -1;

	if (mkdirat(volume->fd, VOLUME_USERS, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "volume %s: create folder " VOLUME_USERS, volume->name);
	snprintf(path, sizeof(path), VOLUME_USERS "/%s", user);
	fd = openat(volume->fd, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? err_set(err, errno, "volume %s: create file %s", volume->name, path) : 0;
}

int volume_users(struct volume *volume, const struct volume_judge *judge, struct arena *arena,
		 const char *const **ret, struct err *err)
{
	int fd = dir_open(volume->fd, VOLUME_USERS, NULL);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const char **list = arena_calloc(arena, 1, sizeof(*list));
	size_t count = 0, size = 1;
	struct dirent *e;

	while (list && dir && (e = readdir(dir))) {
		int alive = e->d_name[0] == '.' ? 0 : judge->is_alive(judge->data, e->d_name);

		if (alive < 0)
			return err_set(err, -alive, "look for users of volume %s", volume->name);
		if (!alive)
			continue;
		if (count + 1 == size) {
			const char **grown = arena_calloc(arena, 2 * size, sizeof(*grown));

			if (grown)
				memcpy(grown, list, count * sizeof(*list));
			list = grown;
			size *= 2;
		}
		if (list)
			list[count] = arena_strdup(arena, e->d_name);
		if (!list || !list[count++])
			return err_set(err, ENOMEM, "look for users of volume %s", volume->name);
	}
	if (!list)
		return err_set(err, ENOMEM, "look for users of volume %s", volume->name);
	*ret = list;
	return 0;
}

int volume_drop_user(const char *root, const char *name, const char *user, struct err *err)
{
	_cleanup_fd_ int fd = volume_open_folder(root, false, err);
	char path[PATH_MAX];

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	snprintf(path, sizeof(path), "%s/" VOLUME_USERS "/%s", name, user);
	if (unlinkat(fd, path, 0) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove %s of the volumes", path);
	return 0;
}

/* What removals left that were killed. */
static void sweep(int folder_fd)
{
	int tmp_fd = dir_open(folder_fd, VOLUME_TMP, NULL);
	_cleanup_dir_ DIR *dir = tmp_fd < 0 ? NULL : fdopendir(tmp_fd);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		_cleanup_fd_ int fd = -1;

		if (e->d_name[0] == '.')
			continue;
		fd = openat(tmp_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			tree_remove(tmp_fd, e->d_name, NULL);
	}
}

/* Out of sight first, so that it is there whole or not at all. */
static int remove_locked(struct volume *v, struct err *err)
{
	char tmp[sizeof(VOLUME_TMP) + 1 + VOLUME_NAME_MAX + 32];
	struct stat st;

	if (mkdirat(v->folder_fd, VOLUME_TMP, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "create folder " VOLUME_TMP);
	if (fstat(v->fd, &st) < 0)
		return err_set(err, errno, "remove volume %s", v->name);
	snprintf(tmp, sizeof(tmp), VOLUME_TMP "/%s.%jx", v->name, (uintmax_t)st.st_ino);
	if (renameat(v->folder_fd, v->name, v->folder_fd, tmp) < 0)
		return err_set(err, errno, "remove volume %s", v->name);
	return tree_remove(v->folder_fd, tmp, err);
}

int volume_remove(const char *root, const char *name, const struct volume_judge *judge,
		  struct err *err)
{
	_cleanup_volume_ struct volume *v = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *const *users;
	int r = arena ? volume_open(root, name, NULL, &v, err)
		      : err_set(err, ENOMEM, "remove volume %s", name);

	if (r < 0)
		return r;
	r = volume_users(v, judge, arena, &users, err);
	if (r < 0)
		return r;
	if (*users)
		return err_say(err, EBUSY, "volume \"%s\" is used by %.12s", name, *users);
	r = remove_locked(v, err);
	sweep(v->folder_fd);
	return r;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_volume(const struct dirent *e)
{
	return volume_name_is_valid(e->d_name);
}

int volume_each(const char *root, int (*fn)(void *data, const char *name), void *data,
		struct err *err)
{
	_cleanup_fd_ int fd = volume_open_folder(root, false, err);
	struct dirent **list = NULL;
	int n, r = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	n = scandirat(fd, ".", &list, is_volume, by_name);
	if (n < 0)
		return err_set(err, errno, "list volumes");
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = fn(data, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return r;
}
