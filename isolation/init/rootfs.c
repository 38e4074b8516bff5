/* SPDX-License-Identifier: Apache-2.0 */
/* The container's root: its mount, and the way into it. */
#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

static int set_propagation(int fd, uint64_t propagation, bool recursive)
{
	struct mount_attr attr = { .propagation = propagation };

	return sys_mount_setattr(fd, recursive ? AT_RECURSIVE : 0, &attr);
}

/* Is the folder the root of a mount? The kernel's own struct statx: musl's may lack the field. */
static int is_mount_root(int fd)
{
	struct {
		uint32_t mask, blksize;
		uint64_t attributes;
		char rest[240];
	} st;

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0, &st) < 0)
		return -errno;
	return (st.attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/*
 * With shared propagation the host's mounts stay our peers, so the mount that holds the root
 * becomes private: else what is mounted on it would appear on the host.
 */
static int detach_parent_mount(int at_fd, struct err *err)
{
	_cleanup_fd_ int fd = openat(at_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int depth = 0; fd >= 0 && depth < 4096; depth++) {
		int parent, root = is_mount_root(fd);

		if (root < 0)
			return err_set(err, -root, "find the mount of the root file system");
		if (root) {
			if (set_propagation(fd, MS_PRIVATE, false) == 0)
				return 0;
			break;
		}
		parent = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = parent;
	}
	return err_set(err, errno, "make the mount of the root file system private");
}

static int attach_root(struct init *in, bool shared, struct err *err)
{
	const char *path = init_string(in, in->plan->rootfs);
	_cleanup_fd_ int target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* The root of a user namespace may not get there; any folder serves as well. */
	if (target < 0 && errno == EACCES)
		target = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return err_set(err, errno, "open the root file system %s", path);
	if (shared && detach_parent_mount(target, err) < 0)
		return -err->code;
	if (shared && set_propagation(in->root_fd, MS_PRIVATE, true) < 0)
		return err_set(err, errno, "make the root file system private");
	if (sys_move_mount(in->root_fd, target) < 0)
		return err_set(err, errno, "mount the root file system %s", path);
	return 0;
}

/* From here on we hold only our own folder of the host's procfs. */
int rootfs_narrow_proc(struct init *in, struct err *err)
{
	int fd = openat(in->proc_fd, "thread-self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "open /proc/thread-self of the host");
	close(in->proc_fd);
	in->proc_fd = fd;
	return 0;
}

/*
 * A tracer inside would get out by ".." of that folder: who waits for a start, or runs hooks of the
 * container's, keeps a mount of the folder alone, and all others nothing.
 */
static int leave_proc(struct init *in, struct err *err)
{
	int fd;

	if (in->fifo_fd < 0 && in->plan->start_hooks.count == 0) {
		if (program_label(in, err) < 0)
			return -err->code;
		close(take_fd(&in->proc_fd));
		return 0;
	}
	fd = sys_open_tree(in->proc_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (fd < 0)
		return err_set(err, errno, "keep our folder of the host's procfs alone");
	close(in->proc_fd);
	in->proc_fd = fd;
	return 0;
}

int rootfs_prepare(struct init *in, struct err *err)
{
	const struct plan *plan = in->plan;
	const char *path = init_string(in, plan->rootfs);
	bool shared = plan->root_propagation == MS_SHARED;
	struct stat st;

	/* An exec'd process has none yet. */
	if (!(plan->flags & PLAN_EXEC) && rootfs_narrow_proc(in, err) < 0)
		return -err->code;
	if (!(plan->flags & PLAN_FILE_SYSTEM)) {
		in->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return in->root_fd < 0 ? err_set(err, errno, "open the root") : 0;
	}
	if (!shared) {
		uint64_t propagation = plan->root_propagation == MS_PRIVATE ? MS_PRIVATE : MS_SLAVE;
		_cleanup_fd_ int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (host < 0 || set_propagation(host, propagation, true) < 0)
			return err_set(err, errno, "detach from the host's mounts");
	}
	if (in->begin.rootfs_fd >= 0)
		in->root_fd = in->fds[in->begin.rootfs_fd];
	else
		in->root_fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);
	if (in->root_fd < 0 || fstat(in->root_fd, &st) < 0)
		return err_set(err, errno, "open the root file system %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_say(err, ENOTDIR, "the root file system %s is no folder", path);
	in->root_ino = st.st_ino;
	in->root_dev = st.st_dev;
	return attach_root(in, shared, err);
}

static int pivot(struct init *in, struct err *err)
{
	_cleanup_fd_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old < 0 || fchdir(in->root_fd) < 0 || sys_pivot_root(".", ".") < 0)
		return err_set(err, errno, "pivot into the root file system %s",
			       init_string(in, in->plan->rootfs));
	/* So that unmounting stays ours. */
	if (in->plan->root_propagation == MS_SHARED && set_propagation(old, MS_SLAVE, true) < 0)
		return err_set(err, errno, "detach from the host's mounts");
	if (sys_umount(".", MNT_DETACH) < 0)
		return err_set(err, errno, "unmount the host's root");
	return 0;
}

/* For roots that cannot be pivoted from (a ramdisk): the container's root is moved over "/". */
static int move_over(struct init *in, struct err *err)
{
	_cleanup_fd_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* Full views of the host's would let a container mount them anew without masks. */
	sys_umount("/proc", MNT_DETACH);
	sys_umount("/sys", MNT_DETACH);
	if (old < 0 || fchdir(in->root_fd) < 0 || sys_move_mount(in->root_fd, old) < 0 ||
	    chroot(".") < 0)
		return err_set(err, errno, "move the root file system %s over the host's",
			       init_string(in, in->plan->rootfs));
	return 0;
}

int rootfs_enter(struct init *in, struct err *err)
{
	const struct plan *plan = in->plan;
	int r;

	if (!(plan->flags & PLAN_FILE_SYSTEM))
		return 0;
	r = leave_proc(in, err);
	if (r == 0)
		r = plan->flags & PLAN_NO_PIVOT ? move_over(in, err) : pivot(in, err);
	if (r < 0)
		return r;
	if (chdir("/") < 0)
		return err_set(err, errno, "enter the root");
	if (plan->root_propagation && set_propagation(in->root_fd, plan->root_propagation,
						      plan->root_propagation_recursive) < 0)
		return err_set(err, errno, "set linux.rootfsPropagation");
	return 0;
}
