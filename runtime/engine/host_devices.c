/* SPDX-License-Identifier: Apache-2.0 */
/* A walk through /dev. */
#include "runtime/engine/host_devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define DEPTH_MAX 8

struct device_list {
	struct arena *arena;
	struct oci_device *items;
	size_t count, size;
};

static int add(struct device_list *list, const char *path, const struct stat *st, struct err *err)
{
	if (list->count == list->size) {
		size_t size = list->size ? 2 * list->size : 128;
		struct oci_device *items = arena_calloc(list->arena, size, sizeof(*items));

		if (!items)
			return err_set(err, ENOMEM, "list devices");
		if (list->count)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->size = size;
	}
	list->items[list->count++] = (struct oci_device){
		.path = path,
		.type = S_ISBLK(st->st_mode) ? 'b' : 'c',
		.major = major(st->st_rdev),
		.minor = minor(st->st_rdev),
		.file_mode = st->st_mode & 0777,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};
	return 0;
}

static bool is_own(const char *path)
{
	static const char *const own[] = { "/dev/pts",	   "/dev/shm",	"/dev/mqueue",
					   "/dev/console", "/dev/ptmx", "/dev/fd" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(path, own[i]) == 0)
			return true;
	return false;
}

static int walk(struct device_list *list, int parent_fd, const char *name, const char *path,
		unsigned depth, struct err *err)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) /* gone, or not ours to read: nothing to give away then */
		return 0;
	while (r == 0 && (entry = readdir(dir))) {
		const char *child = arena_printf(list->arena, "%s/%s", path, entry->d_name);
		struct stat st;

		if (!child)
			return err_set(err, ENOMEM, "list devices");
		if (entry->d_name[0] == '.' || is_own(child) ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			r = walk(list, fd, entry->d_name, child, depth + 1, err);
		else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			r = add(list, child, &st, err);
	}
	return r;
}

int host_devices_list(struct arena *arena, const struct oci_device **ret, size_t *ret_count,
		      struct err *err)
{
	struct device_list list = { .arena = arena };
	int r = walk(&list, AT_FDCWD, "/dev", "/dev", 0, err);

	if (r < 0)
		return r;
	*ret = list.items;
	*ret_count = list.count;
	return 0;
}

/* ---- those that were asked for ---- */

static int find_one(const struct engine_device *asked, struct device_list *list, struct err *err)
{
	struct stat st;

	if (stat(asked->source, &st) < 0)
		return err_set(err, errno, "--device: find %s", asked->source);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return add(list, asked->target, &st, err);
	if (!S_ISDIR(st.st_mode))
		return err_say(err, ENODEV, "--device: %s is no device", asked->source);
	err_try(walk(list, AT_FDCWD, asked->source, asked->target, 0, err));
	return list->count ? 0
			   : err_say(err, ENODEV, "--device: there is no device below %s",
				     asked->source);
}

int host_devices_find(const struct engine_device *asked, size_t count, struct arena *arena,
		      const struct host_device **ret, size_t *ret_count, struct err *err)
{
	struct host_device *all = NULL, *more;
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		struct device_list list = { .arena = arena };

		err_try(find_one(&asked[i], &list, err));
		more = arena_calloc(arena, total + list.count, sizeof(*more));
		if (!more)
			return err_set(err, ENOMEM, "list devices");
		if (total)
			memcpy(more, all, total * sizeof(*more));
		all = more;
		for (size_t d = 0; d < list.count; d++)
			all[total++] = (struct host_device){ list.items[d], asked[i].read,
							     asked[i].write, asked[i].mknod };
	}
	*ret = all;
	*ret_count = total;
	return 0;
}
