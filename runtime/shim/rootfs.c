/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"

/* mount(2) copies one page of data, its NUL included. */
#define MOUNT_DATA_MAX 4095

/* What mount(2) takes, where data is too long: relative to a folder that we go to meanwhile. */
static int mount_from_folder(const struct rootfs_mount *m, const char *target,
			     const struct rootfs_options *o, struct err *err)
{
	_cleanup_free_ char *folder = NULL, *data = NULL;
	_cleanup_fd_ int back = -1;
	int r = rootfs_shorten_lowerdir(o->data, &folder, &data);

	if (r < 0)
		return err_set(err, -r, "mount %s on %s", m->type, target);
	if (r == 0 || strlen(data) > MOUNT_DATA_MAX)
		return err_say(err, E2BIG, "mount %s on %s: options of %zu bytes are too long",
			       m->type, target, strlen(o->data));
	back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (back < 0 || chdir(folder) < 0)
		return err_set(err, errno, "enter folder %s", folder);
	r = mount(m->source, target, m->type, o->flags, data) < 0 ? -errno : 0;
	if (fchdir(back) < 0)
		return err_set(err, errno, "go back from folder %s", folder);
	return r < 0 ? err_set(err, -r, "mount %s on %s", m->type, target) : 0;
}

static int mount_with(const struct rootfs_mount *m, const char *target,
		      const struct rootfs_options *o, struct err *err)
{
	/* A bind takes its flags only when it is mounted again. */
	const unsigned long bind = MS_BIND | MS_REC;
	unsigned long first = o->flags & MS_BIND ? o->flags & bind : o->flags;

	if (strlen(o->data) > MOUNT_DATA_MAX)
		return mount_from_folder(m, target, o, err);
	if (mount(m->source, target, m->type, first, o->data) < 0)
		return err_set(err, errno, "mount %s (%s) on %s", m->source, m->type, target);
	if (first != o->flags &&
	    mount("none", target, NULL, (o->flags & ~(unsigned long)MS_REC) | MS_REMOUNT, NULL) < 0)
		return err_set(err, errno, "set the flags of the mount on %s", target);
	if (o->propagation && mount("none", target, NULL, o->propagation, NULL) < 0)
		return err_set(err, errno, "set the propagation of the mount on %s", target);
	return 0;
}

static int mount_one(const char *rootfs, const struct rootfs_mount *m, struct err *err)
{
	struct rootfs_options o = { 0 };
	_cleanup_fd_ int root_fd = -1, fd = -1;
	char path[PATH_FD_SIZE];
	int r;

	root_fd = dir_open(AT_FDCWD, rootfs, err);
	if (root_fd < 0)
		return root_fd;
	if (m->target && *m->target) {
		fd = path_open_in_root(root_fd, m->target, O_PATH, 0);
		if (fd < 0)
			return err_set(err, -fd, "open %s in %s", m->target, rootfs);
		path_of_fd(fd, path);
	}
	r = rootfs_options_parse(m->options, m->options_count, &o, err);
	if (r < 0)
		return r;
	if (!strcmp(m->type, "bind") || !strcmp(m->type, "rbind"))
		o.flags |= MS_BIND | (m->type[0] == 'r' ? MS_REC : 0);
	r = mount_with(m, fd >= 0 ? path : rootfs, &o, err);
	free(o.data);
	return r;
}

int rootfs_mount(const char *bundle, const struct rootfs_mount *mounts, size_t count,
		 struct err *err)
{
	char rootfs[PATH_MAX];
	int r = path_join(rootfs, sizeof(rootfs), bundle, "rootfs", err);

	if (r < 0 || count == 0)
		return r;
	if (mkdir(rootfs, 0711) < 0 && errno != EEXIST)
		return err_set(err, errno, "create folder %s", rootfs);
	for (size_t i = 0; i < count; i++) {
		r = mount_one(rootfs, &mounts[i], err);
		if (r < 0) {
			rootfs_unmount(bundle, NULL);
			return r;
		}
	}
	return 0;
}

int rootfs_unmount(const char *bundle, struct err *err)
{
	char rootfs[PATH_MAX];
	int r = path_join(rootfs, sizeof(rootfs), bundle, "rootfs", err);

	if (r < 0)
		return r;
	/* Mounts may lie on top of each other; EINVAL says that the last one is gone. */
	while (umount2(rootfs, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return err_set(err, errno, "unmount %s", rootfs);
	return 0;
}
