/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/live_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"
#include "isolation/mount_options.h"
#include "runtime/container_struct.h"
#include "runtime/mount_child.h"

#define DETACH_NOFOLLOW 0xa /* MNT_DETACH | UMOUNT_NOFOLLOW of sys/mount.h */
#define LIVE_MOUNTS_MAX 64
/* STATX_MNT_ID and stx_mnt_id of linux/stat.h, which goes ill with sys/stat.h; musl lacks them. */
#define STATX_WANT_MOUNT 0x1000u
#define STATX_MOUNT_AT 0x90
#define STATX_BYTES 0x100

/* What the child works with, below a container that is alive. */
struct job {
	const struct oci_mount *mounts;
	size_t count;
	int namespace_fd, root_fd;
	bool remove;
	const struct oci_config *config; /* to remove: what it hides is not laid open */
};

static int set_data(int fs_fd, const char *option)
{
	char key[NAME_MAX + 1];
	size_t len = strcspn(option, "=");

	if (len > NAME_MAX)
		return -EINVAL;
	memcpy(key, option, len);
	key[len] = '\0';
	return syscall(SYS_fsconfig, fs_fd, option[len] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
		       key, option[len] ? option + len + 1 : NULL, 0) < 0
		       ? -errno
		       : 0;
}

/* Returns the detached mount. */
static int make_tmpfs(const struct oci_mount *m, struct err *err)
{
	_cleanup_fd_ int fs_fd = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int fd, r = fs_fd < 0 ? -errno : 0;

	if (r == 0 && m->source)
		syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_STRING, "source", m->source, 0);
	for (size_t i = 0; i < m->options_count && r == 0; i++) {
		struct mount_options ours = { 0 };

		if (mount_options_add(&ours, m->options[i]) != 1)
			continue;
		r = set_data(fs_fd, m->options[i]);
		if (r < 0)
			return err_set(err, -r, "mount tmpfs at %s: option %s", m->destination,
				       m->options[i]);
	}
	if (r == 0 && syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	fd = r == 0 ? (int)syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, 0) : -1;
	if (fd < 0)
		return err_set(err, r < 0 ? -r : errno, "mount tmpfs at %s", m->destination);
	return fd;
}

static int make_bind(const struct oci_mount *m, bool recursive, struct err *err)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
	int fd;

	if (!m->source || !*m->source)
		return err_say(err, EINVAL, "mount at %s: a bind needs a source", m->destination);
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, m->source, flags);
	if (fd < 0)
		return err_set(err, errno, "bind %s at %s", m->source, m->destination);
	return fd;
}

static int set_attributes(int fd, const struct mount_options *o, const char *target,
			  struct err *err)
{
	struct mount_attr all = { .attr_set = o->set_recursive, .attr_clr = o->clear_recursive };
	struct mount_attr one = { .attr_set = o->set, .attr_clr = o->clear };

	if ((all.attr_set | all.attr_clr &&
	     syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &all, sizeof(all)) <
		     0) ||
	    (one.attr_set | one.attr_clr &&
	     syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &one, sizeof(one)) < 0))
		return err_set(err, errno, "set the options of the mount at %s", target);
	return 0;
}

/* The folders of path one by one, then what it names; a symlink to nowhere is left as it is. */
static int make_target(int root_fd, const char *path, bool folder, struct err *err)
{
	char work[PATH_MAX];
	int fd = path_open_in_root(root_fd, path, O_PATH, 0);

	if (strlen(path) >= sizeof(work))
		return err_set(err, ENAMETOOLONG, "%s", path);
	for (size_t at = 1; fd == -ENOENT && path[at - 1]; at++) {
		_cleanup_fd_ int parent = -1, file = -1;
		size_t name;

		at += strcspn(path + at, "/");
		memcpy(work, path, at);
		work[at] = '\0';
		for (name = at; work[name - 1] != '/'; name--)
			;
		if (folder || path[at]) {
			char kept = work[name];

			work[name] = '\0';
			parent = path_open_in_root(root_fd, work, O_PATH | O_DIRECTORY, 0);
			work[name] = kept;
			if (parent >= 0)
				(void)!mkdirat(parent, work + name, 0755);
		} else {
			file = path_open_in_root(root_fd, work, O_CREAT | O_EXCL | O_WRONLY, 0644);
		}
		if (!path[at])
			fd = path_open_in_root(root_fd, path, O_PATH, 0);
	}
	if (fd < 0)
		return err_set(err, -fd, "make %s in the container", path);
	return fd;
}

static bool is_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Where the kernel shows itself: what is mounted there hides or protects something. */
static bool is_of_kernel(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
	       fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC;
}

static int check_target(const struct job *job, int fd, const char *path, struct err *err)
{
	struct stat root, place;

	if (fstat(job->root_fd, &root) < 0 || fstat(fd, &place) < 0)
		return err_set(err, errno, "look at %s in the container", path);
	if (root.st_dev == place.st_dev && root.st_ino == place.st_ino)
		return err_say(err, EPERM, "mount at %s: leads to the root of the container", path);
	if (is_procfs(fd))
		return err_say(err, EPERM, "mount at %s: leads into /proc of the container", path);
	return 0;
}

static int attach(const struct job *job, int mount_fd, const struct mount_options *o,
		  const char *path, struct err *err)
{
	struct mount_attr attr = { .propagation = o->propagation };
	_cleanup_fd_ int target = -1;
	struct stat st;

	if (fstat(mount_fd, &st) < 0)
		return err_set(err, errno, "look at what is to be mounted at %s", path);
	target = make_target(job->root_fd, path, S_ISDIR(st.st_mode), err);
	if (target < 0)
		return target;
	err_try(check_target(job, target, path, err));
	if (syscall(SYS_move_mount, mount_fd, "", target, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(err, errno, "mount at %s", path);
	if (o->propagation && syscall(SYS_mount_setattr, mount_fd, "",
				      AT_EMPTY_PATH | (o->propagation_recursive ? AT_RECURSIVE : 0),
				      &attr, sizeof(attr)) < 0)
		return err_set(err, errno, "set the propagation of the mount at %s", path);
	return 0;
}

static int sort_options(const struct oci_mount *m, struct mount_options *ret, struct err *err)
{
	const char *type = m->type ? m->type : "";
	bool tmpfs = strcmp(type, "tmpfs") == 0;

	for (size_t i = 0; i < m->options_count; i++)
		if (mount_options_add(ret, m->options[i]) == 1 && !tmpfs &&
		    !mount_option_is_superblock(m->options[i]))
			return err_say(err, EINVAL, "mount at %s: option '%s' is none of a bind",
				       m->destination, m->options[i]);
	ret->bind |= strcmp(type, "bind") == 0;
	if (!ret->bind && !tmpfs)
		return err_say(err, EOPNOTSUPP,
			       "mount %s at %s: a running container gets binds and tmpfs only",
			       type, m->destination);
	if (ret->remount || ret->copy_up || ret->idmap || ret->idmap_recursive ||
	    ret->copy_symlink || ret->source_nofollow || ret->target_nofollow ||
	    m->uid_maps_count || m->gid_maps_count)
		return err_say(err, EOPNOTSUPP,
			       "mount at %s: remount, tmpcopyup, idmap, copy-symlink and nofollow "
			       "are not for a running container",
			       m->destination);
	return 0;
}

static int enter(const struct job *job, struct err *err)
{
	if (setns(job->namespace_fd, CLONE_NEWNS) < 0)
		return err_set(err, errno, "join the mount namespace of the container");
	return 0;
}

/* All of them are made while the host's files are in sight, then put in place. */
static int add(const struct job *job, struct err *err)
{
	int fds[LIVE_MOUNTS_MAX];
	struct mount_options options[LIVE_MOUNTS_MAX] = { 0 };

	for (size_t i = 0; i < job->count; i++) {
		const struct oci_mount *m = &job->mounts[i];

		err_try(sort_options(m, &options[i], err));
		fds[i] = options[i].bind ? make_bind(m, options[i].recursive, err)
					 : make_tmpfs(m, err);
		if (fds[i] < 0)
			return fds[i];
		err_try(set_attributes(fds[i], &options[i], m->destination, err));
	}
	err_try(enter(job, err));
	for (size_t i = 0; i < job->count; i++)
		err_try(attach(job, fds[i], &options[i], job->mounts[i].destination, err));
	return 0;
}

static bool mount_of(int fd, const char *path, int flags, uint64_t *ret)
{
	uint64_t st[STATX_BYTES / sizeof(uint64_t)] = { 0 };

	if (syscall(SYS_statx, fd, path, flags | AT_EMPTY_PATH, STATX_WANT_MOUNT, st) < 0)
		return false;
	*ret = st[STATX_MOUNT_AT / sizeof(uint64_t)];
	return true;
}

/* Compared as mounts, since the container may lead to one of the paths by a symlink. */
static bool is_protected(const struct job *job, const char *const *paths, uint64_t mount)
{
	for (; paths && *paths; paths++) {
		_cleanup_fd_ int fd = path_open_in_root(job->root_fd, *paths, O_PATH, 0);
		uint64_t its;

		if (fd >= 0 && mount_of(fd, "", 0, &its) && its == mount)
			return true;
	}
	return false;
}

static int check_removal(const struct job *job, int parent, const char *name, const char *path,
			 struct err *err)
{
	uint64_t mount;

	if (is_of_kernel(parent))
		return err_say(err, EPERM,
			       "unmount %s: what lies in /proc, /sys or a cgroup protects the host",
			       path);
	if (!mount_of(parent, name, AT_SYMLINK_NOFOLLOW, &mount))
		return err_set(err, errno, "unmount %s", path);
	if (is_protected(job, job->config->masked_paths, mount) ||
	    is_protected(job, job->config->readonly_paths, mount))
		return err_say(err, EPERM,
			       "unmount %s: it is masked or read-only by the container's config",
			       path);
	return 0;
}

/* By the name below its opened folder: umount2(2) takes no descriptor, and the path may change. */
static int detach(const struct job *job, const char *path, struct err *err)
{
	_cleanup_fd_ int parent = -1;
	char folder[PATH_MAX];
	const char *name = strrchr(path, '/');

	if (!name || !name[1] || strlen(path) >= sizeof(folder))
		return err_say(err, EINVAL, "unmount %s: it is not below the root", path);
	snprintf(folder, sizeof(folder), "%.*s/", (int)(name - path), path);
	parent = path_open_in_root(job->root_fd, folder, O_PATH | O_DIRECTORY, 0);
	if (parent < 0)
		return err_set(err, -parent, "unmount %s", path);
	err_try(check_removal(job, parent, name + 1, path, err));
	if (fchdir(parent) < 0 || syscall(SYS_umount2, name + 1, DETACH_NOFOLLOW) < 0)
		return err_set(err, errno, "unmount %s%s", path,
			       errno == EINVAL ? " (nothing is mounted there)" : "");
	return 0;
}

static int work(const void *data, struct err *err)
{
	const struct job *job = data;

	if (!job->remove)
		return add(job, err);
	err_try(enter(job, err));
	for (size_t i = job->count; i > 0; i--)
		err_try(detach(job, job->mounts[i - 1].destination, err));
	return 0;
}

static int run(struct container *c, struct job *job, struct err *err)
{
	_cleanup_fd_ int namespace_fd = -1, root_fd = -1;
	enum oci_status status = container_status(c);
	char path[64];

	if (status != OCI_RUNNING && status != OCI_PAUSED && status != OCI_CREATED)
		return err_say(err, ESRCH, "container not running: %s is %s", c->id,
			       oci_status_name(status));
	if (job->count > LIVE_MOUNTS_MAX)
		return err_say(err, E2BIG, "more than %d mounts at once", LIVE_MOUNTS_MAX);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", c->record.pid);
	namespace_fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/root", c->record.pid);
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (namespace_fd < 0 || root_fd < 0)
		return err_set(err, errno, "open the mount namespace of container %s", c->id);
	if (!container_is_alive(c)) /* then the pid was its own until now */
		return err_say(err, ESRCH, "container not running");
	if (job->remove)
		err_try(container_load_config(c, &job->config, err));
	job->namespace_fd = namespace_fd;
	job->root_fd = root_fd;
	return mount_child_run(work, job, err);
}

int container_add_mounts(struct container *container, const struct oci_mount *mounts, size_t count,
			 struct err *err)
{
	return run(container, &(struct job){ .mounts = mounts, .count = count }, err);
}

int container_remove_mounts(struct container *container, const struct oci_mount *mounts,
			    size_t count, struct err *err)
{
	return run(container, &(struct job){ .mounts = mounts, .count = count, .remove = true },
		   err);
}
