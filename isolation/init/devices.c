/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes and the links of /dev. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

/* The folder that was used last: nearly all nodes lie in /dev. */
struct folder {
	int fd;
	char path[PATH_MAX];
};

/* Returns the fd, still the folder's, or -errno. */
static int open_parent(struct init *in, struct folder *cache, const char *path,
		       const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	int fd;

	if (cache->fd >= 0 && strncmp(cache->path, path, len) == 0 && cache->path[len] == '\0') {
		*ret_name = slash + 1;
		return cache->fd;
	}
	fd = target_parent(in->root_fd, path, ret_name, err);
	if (fd < 0)
		return fd;
	if (cache->fd >= 0)
		close(cache->fd);
	cache->fd = fd;
	memcpy(cache->path, path, len);
	cache->path[len] = '\0';
	return fd;
}

/*
 * Where no node can be made (a user namespace): the host's, checked to be the one meant. Read-only,
 * which a device can still be written through, so that its mode and owner stay the host's.
 */
static int bind_device(struct init *in, const struct plan_device *d, struct err *err)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	const char *path = init_string(in, d->path);
	_cleanup_fd_ int fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE), target = -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "bind the device %s", path);
	if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT) ||
	    st.st_rdev != makedev(d->major, d->minor))
		return err_say(err, ENODEV, "bind the device %s: the host's is not %u:%u", path,
			       d->major, d->minor);
	target = target_make(in->root_fd, path, false, err);
	if (target < 0)
		return target;
	if (sys_mount_setattr(fd, 0, &readonly) < 0 || sys_move_mount(fd, target) < 0)
		return err_set(err, errno, "bind the device %s", path);
	return 0;
}

static int make_device(struct init *in, struct folder *cache, const struct plan_device *d,
		       struct err *err)
{
	const char *path = init_string(in, d->path), *name;
	int parent = open_parent(in, cache, path, &name, err);

	if (parent < 0)
		return parent;
	if (mknodat(parent, name, d->mode, makedev(d->major, d->minor)) < 0) {
		if (errno == EEXIST)
			return 0;
		if (errno == EPERM)
			return bind_device(in, d, err);
		return err_set(err, errno, "make the device %s", path);
	}
	if ((d->uid || d->gid) && fchownat(parent, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, errno, "give the device %s to user %u", path, d->uid);
	return 0;
}

static int make_link(struct init *in, struct folder *cache, const struct plan_link *link,
		     struct err *err)
{
	const char *path = init_string(in, link->path), *target = init_string(in, link->target);
	const char *name;
	int parent = open_parent(in, cache, path, &name, err);
	struct stat st;

	if (parent < 0)
		return parent;
	if (symlinkat(target, parent, name) == 0)
		return 0;
	/* A node in an image would be the host's ptmx; that of our devpts is wanted. */
	if (errno == EEXIST && strcmp(path, "/dev/ptmx") == 0 &&
	    fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st.st_mode)) {
		if (unlinkat(parent, name, 0) == 0 && symlinkat(target, parent, name) == 0)
			return 0;
	} else if (errno == EEXIST) {
		return 0;
	}
	return err_set(err, errno, "link %s to %s", path, target);
}

static bool is_without_target(struct init *in, const struct plan_link *link)
{
	return strcmp(init_string(in, link->target), "/proc/kcore") == 0 &&
	       access("/proc/kcore", F_OK) < 0;
}

int devices_make(struct init *in, struct err *err)
{
	struct folder cache = { .fd = -1 };
	int r = 0;

	if (!(in->plan->flags & PLAN_FILE_SYSTEM))
		return 0;
	if (in->plan->flags & PLAN_DEVICES)
		PLAN_EACH(plan_device, device, in->plan, in->plan->devices)
	if (r == 0)
		r = make_device(in, &cache, device, err);
	PLAN_EACH(plan_link, link, in->plan, in->plan->links)
	if (r == 0 && !is_without_target(in, link))
		r = make_link(in, &cache, link, err);
	if (cache.fd >= 0)
		close(cache.fd);
	return r;
}
