/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a plan, in its order, each built detached and then moved onto an open target. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

/* A step of a mount fails with the file system's own words, where it has some. */
static int fs_error(struct init *in, const struct plan_mount *m, int fs_fd, struct err *err)
{
	char text[256];
	int code = errno;
	ssize_t n = fs_fd >= 0 ? read(fs_fd, text, sizeof(text) - 1) : -1;

	if (n > 2 && text[1] == ' ') {
		text[n] = '\0';
		text[strcspn(text, "\n")] = '\0';
		return err_set(err, code, "mount %s at %s: %s", init_string(in, m->type),
			       init_string(in, m->target), text + 2);
	}
	return err_set(err, code, "mount %s at %s", init_string(in, m->type),
		       init_string(in, m->target));
}

/* mode_fd: what a tmpfs inherits its mode from, or -1. */
static int set_options(struct init *in, const struct plan_mount *m, int fs_fd, int mode_fd)
{
	const char *source = init_string(in, m->source);
	struct stat st;
	char mode[16];

	if (source && sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", source) < 0)
		return -1;
	if (m->flags & PLAN_MOUNT_SUPER_READONLY &&
	    sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, "ro", NULL) < 0)
		return -1;
	if (mode_fd >= 0 && fstat(mode_fd, &st) == 0) {
		snprintf(mode, sizeof(mode), "%o", st.st_mode & 07777u);
		if (sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "mode", mode) < 0)
			return -1;
	}
	PLAN_EACH(plan_option, option, in->plan, m->options)
	{
		const char *key = init_string(in, option->key);
		const char *value = init_string(in, option->value);

		if (sys_fsconfig(fs_fd, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key,
				 value) < 0)
			return -1;
	}
	return 0;
}

/* Returns the detached mount, or -errno. */
static int make_fs(struct init *in, const struct plan_mount *m, int mode_fd, struct err *err)
{
	uint64_t attributes = m->set | m->set_recursive;
	_cleanup_fd_ int fs_fd = sys_fsopen(init_string(in, m->type));
	int fd;

	if (m->flags & PLAN_MOUNT_LATE_READONLY)
		attributes &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	if (fs_fd < 0 && errno == ENODEV)
		return err_say(err, ENODEV, "mount %s at %s: this kernel has no such file system",
			       init_string(in, m->type), init_string(in, m->target));
	if (fs_fd < 0 || set_options(in, m, fs_fd, mode_fd) < 0 ||
	    sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return fs_error(in, m, fs_fd, err);
	fd = sys_fsmount(fs_fd, attributes);
	return fd < 0 ? fs_error(in, m, fs_fd, err) : fd;
}

/* fsconfig(2) takes no value of 256 bytes or more, as overlay's lowerdir= may be. */
static bool needs_old_call(struct init *in, const struct plan_mount *m)
{
	PLAN_EACH(plan_option, option, in->plan, m->options)
	{
		const char *value = init_string(in, option->value);

		if (value && strlen(value) > 255)
			return true;
	}
	return false;
}

/* Common, as the plan is (channel.c): behind the variables that every start touches. */
extern char init_mount_data[];
__attribute__((common)) char init_mount_data[4096];

static unsigned long old_flags(uint64_t attributes)
{
	static const struct {
		uint64_t attribute;
		unsigned long flag;
	} flags[] = {
		{ MOUNT_ATTR_RDONLY, MS_RDONLY },
		{ MOUNT_ATTR_NOSUID, MS_NOSUID },
		{ MOUNT_ATTR_NODEV, MS_NODEV },
		{ MOUNT_ATTR_NOEXEC, MS_NOEXEC },
		{ MOUNT_ATTR_NOATIME, MS_NOATIME },
		{ MOUNT_ATTR_STRICTATIME, MS_STRICTATIME },
		{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME },
		{ MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW },
	};
	unsigned long all = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (attributes & flags[i].attribute)
			all |= flags[i].flag;
	return all;
}

/* mount(2) onto the target's fd, with its flags at once: by its path another might be found. */
static int mount_old_way(struct init *in, const struct plan_mount *m, int target_fd,
			 struct err *err)
{
	char *data = init_mount_data;
	const char *target = init_string(in, m->target), *type = init_string(in, m->type);
	char path[32];
	size_t len = 0;

	PLAN_EACH(plan_option, option, in->plan, m->options)
	{
		const char *key = init_string(in, option->key);
		const char *value = init_string(in, option->value);

		len += (size_t)snprintf(data + len, sizeof(init_mount_data) - len, "%s%s%s%s",
					len ? "," : "", key, value ? "=" : "", value ? value : "");
		if (len >= sizeof(init_mount_data))
			return err_set(err, E2BIG, "mount %s at %s: options", type, target);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", target_fd);
	if (syscall(SYS_mount, init_string(in, m->source), path, type,
		    old_flags(m->set | m->set_recursive), data) < 0)
		return err_set(err, errno, "mount %s at %s", type, target);
	return 0;
}

/* Where the kernel keeps a file system from us (a namespace is the host's), the host's own. */
static int bind_host(struct init *in, const struct plan_mount *m, struct err *err)
{
	static const struct {
		const char *type, *path;
	} hosts[] = { { "proc", "/proc" }, { "sysfs", "/sys" }, { "mqueue", "/dev/mqueue" } };
	const char *type = init_string(in, m->type);
	struct mount_attr attr = { .attr_set = m->set | m->set_recursive };

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		int fd;

		if (strcmp(hosts[i].type, type) != 0)
			continue;
		fd = sys_open_tree(AT_FDCWD, hosts[i].path, OPEN_TREE_CLONE | AT_RECURSIVE);
		if (fd < 0 || (attr.attr_set && sys_mount_setattr(fd, AT_RECURSIVE, &attr) < 0))
			return err_set(err, errno, "bind the host's %s at %s", hosts[i].path,
				       init_string(in, m->target));
		err_clear(err);
		return fd;
	}
	return -err->code;
}

/* By a symlink: what is mounted there would be in nobody's sight but that of who enters later. */
static bool is_root(struct init *in, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == in->root_ino && st.st_dev == in->root_dev;
}

static int find_target(struct init *in, const struct plan_mount *m, bool folder, struct err *err)
{
	const char *path = init_string(in, m->target);
	bool real = m->flags & PLAN_MOUNT_REAL_TARGET;
	int fd = real ? target_find(in->root_fd, path, RESOLVE_NO_SYMLINKS) : -ENOENT;
	struct stat st;

	if (fd < 0) {
		fd = target_make(in->root_fd, path, folder, err);
		if (fd < 0)
			return fd;
		if (real) {
			close(fd);
			fd = target_find(in->root_fd, path, RESOLVE_NO_SYMLINKS);
		}
	}
	if (real) {
		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
			return err_say(err, ENOTDIR,
				       "mount %s at %s: the target must be a folder, not a symlink",
				       init_string(in, m->type), path);
		return fd;
	}
	if (is_root(in, fd)) {
		close(fd);
		return err_say(err, EPERM, "mount at %s: leads to the root of the container", path);
	}
	if (!(m->flags & PLAN_MOUNT_OVER_PROC) && fd_is_procfs(fd)) {
		close(fd);
		return err_say(err, EPERM, "mount at %s: leads into /proc of the container", path);
	}
	return fd;
}

/* The kernel says EINVAL for this, too. */
static int attach_failed(const char *target, int code, int mount_fd, int target_fd, struct err *err)
{
	struct stat source, place;

	if (fstat(mount_fd, &source) == 0 && fstat(target_fd, &place) == 0 &&
	    S_ISDIR(source.st_mode) != S_ISDIR(place.st_mode))
		return err_say(err, ENOTDIR,
			       "mount at %s: it is a %s, and what is to be mounted a %s", target,
			       S_ISDIR(place.st_mode) ? "folder" : "file",
			       S_ISDIR(source.st_mode) ? "folder" : "file");
	return err_set(err, code, "mount at %s", target);
}

/* Masks go by this: who shares the root file system may have moved the folder below the mount. */
static void keep_view(struct init *in, const struct plan_mount *m, int mount_fd)
{
	for (int i = 0; i < INIT_VIEWS; i++) {
		if (strcmp(init_string(in, m->target), init_views[i]) != 0)
			continue;
		if (in->views[i] >= 0)
			close(in->views[i]);
		in->views[i] = fcntl(mount_fd, F_DUPFD_CLOEXEC, 3);
	}
}

static int attach(struct init *in, const struct plan_mount *m, int mount_fd, int target_fd,
		  struct err *err)
{
	struct mount_attr attr = { .propagation = m->propagation };
	unsigned flags = m->flags & PLAN_MOUNT_PROPAGATION_RECURSIVE ? AT_RECURSIVE : 0;

	if (sys_move_mount(mount_fd, target_fd) < 0)
		return attach_failed(init_string(in, m->target), errno, mount_fd, target_fd, err);
	if (m->propagation && sys_mount_setattr(mount_fd, flags, &attr) < 0)
		return err_set(err, errno, "set the propagation of the mount at %s",
			       init_string(in, m->target));
	keep_view(in, m, mount_fd);
	return 0;
}

static bool exists(struct init *in, const struct plan_mount *m)
{
	_cleanup_fd_ int fd = target_find(in->root_fd, init_string(in, m->target), 0);

	return fd >= 0;
}

static int mount_fs(struct init *in, const struct plan_mount *m, struct err *err)
{
	/* A folder made for the mount has no mode to inherit: tmpfs's own default stands. */
	bool inherit = m->flags & PLAN_MOUNT_INHERIT_MODE && exists(in, m);
	_cleanup_fd_ int target = find_target(in, m, true, err);
	_cleanup_fd_ int fd = -1;

	if (target < 0)
		return target;
	if (needs_old_call(in, m))
		return mount_old_way(in, m, target, err);
	fd = make_fs(in, m, inherit ? target : -1, err);
	if (fd == -EPERM && m->flags & PLAN_MOUNT_HOST_FALLBACK)
		fd = bind_host(in, m, err);
	if (fd < 0)
		return fd;
	if (m->flags & PLAN_MOUNT_COPY_UP && copy_up(target, fd, err) < 0)
		return err_add(err, "copy %s into its tmpfs", init_string(in, m->target));
	if (attach(in, m, fd, target, err) < 0)
		return -err->code;
	if (m->flags & PLAN_MOUNT_LATE_READONLY) {
		if (in->late_count == INIT_LATE_MAX)
			return err_say(err, E2BIG, "more than %d read-only tmpfs mounts",
				       INIT_LATE_MAX);
		in->late[in->late_count++] = take_fd(&fd);
	}
	return 0;
}

/*
 * In a user namespace the flags of what is bound are locked: none may be taken away, and the time
 * of access stays as it is, of which no caller insists on another.
 */
static int change(int fd, unsigned flags, uint64_t set, uint64_t clear)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	if (!(set | clear) || sys_mount_setattr(fd, flags, &attr) == 0)
		return 0;
	if (errno != EPERM || !(clear & MOUNT_ATTR__ATIME))
		return -1;
	attr.attr_set &= ~(uint64_t)MOUNT_ATTR__ATIME;
	attr.attr_clr &= ~(uint64_t)MOUNT_ATTR__ATIME;
	return sys_mount_setattr(fd, flags, &attr);
}

static int set_attributes(const struct plan_mount *m, int fd)
{
	if (change(fd, AT_RECURSIVE, m->set_recursive, m->clear_recursive) < 0)
		return -1;
	return change(fd, 0, m->set, m->clear);
}

static const char *locked(const struct init *in)
{
	return errno == EPERM && in->plan->flags & (PLAN_USER_NAMESPACE | PLAN_IN_USERNS)
		       ? " (flags of its source such as ro, nosuid, nodev, noexec are locked here)"
		       : "";
}

static int mount_bind(struct init *in, const struct plan_mount *m, struct err *err)
{
	const char *source = init_string(in, m->source), *path = init_string(in, m->target);
	unsigned recursive = m->flags & PLAN_MOUNT_RECURSIVE ? AT_RECURSIVE : 0;
	_cleanup_fd_ int target = -1, fd = -1;
	struct stat st;

	if (in->begin.mount_fds >= 0 && in->next_mount_fd < in->fds_count)
		fd = in->fds[in->next_mount_fd++];
	else if (m->flags & PLAN_MOUNT_REAL_SOURCE)
		fd = sys_open_tree_real(source, OPEN_TREE_CLONE | recursive);
	else
		fd = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | recursive);
	if (fd < 0 && errno == ELOOP && m->flags & PLAN_MOUNT_REAL_SOURCE)
		return err_say(err, ELOOP, "bind %s at %s: there is a symlink on the way now",
			       source, path);
	if (fd < 0 && errno == EINVAL && !recursive &&
	    in->plan->flags & (PLAN_USER_NAMESPACE | PLAN_IN_USERNS))
		return err_say(
			err, EINVAL,
			"bind %s at %s: what is mounted below it may not be left out in a user "
			"namespace: use rbind",
			source, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "bind %s at %s", source, path);
	if (m->flags & PLAN_MOUNT_REAL_PROC && !fd_is_procfs(fd))
		return err_say(err, EPERM, "bind %s at %s: only procfs may be there", source, path);
	target = find_target(in, m, S_ISDIR(st.st_mode), err);
	if (target < 0)
		return err_add(err, "bind %s", source);
	if (set_attributes(m, fd) < 0)
		return err_set(err, errno, "set the options of the bind of %s at %s%s", source,
			       path, locked(in));
	if (attach(in, m, fd, target, err) < 0)
		return err_add(err, "bind %s", source);
	return 0;
}

static int remount(struct init *in, const struct plan_mount *m, struct err *err)
{
	const char *path = init_string(in, m->target);
	_cleanup_fd_ int fd = target_find(in->root_fd, path, 0);
	struct mount_attr attr = { .propagation = m->propagation };
	unsigned flags = m->flags & PLAN_MOUNT_PROPAGATION_RECURSIVE ? AT_RECURSIVE : 0;

	if (fd < 0)
		return err_set(err, -fd, "remount %s", path);
	if (set_attributes(m, fd) < 0 ||
	    (m->propagation && sys_mount_setattr(fd, flags, &attr) < 0))
		return err_set(err, errno, "remount %s%s", path, locked(in));
	return 0;
}

/* The working folder is made where it is missing, as callers have come to expect. */
static int make_cwd(struct init *in, struct err *err)
{
	const char *path = init_string(in, in->plan->cwd);
	int fd;

	if (!path || strcmp(path, "/") == 0)
		return 0;
	fd = target_make(in->root_fd, path, true, err);
	if (fd < 0)
		err_clear(err); /* entering it will say what is wrong */
	else
		close(fd);
	return 0;
}

int mounts_apply(struct init *in, struct err *err)
{
	static int (*const kinds[])(struct init *, const struct plan_mount *, struct err *) = {
		[PLAN_MOUNT_FS] = mount_fs,
		[PLAN_MOUNT_BIND] = mount_bind,
		[PLAN_MOUNT_REMOUNT] = remount,
	};

	if (!(in->plan->flags & PLAN_FILE_SYSTEM))
		return 0;
	PLAN_EACH(plan_mount, m, in->plan, in->plan->mounts)
	if (kinds[m->kind](in, m, err) < 0)
		return -err->code;
	return make_cwd(in, err);
}

int mounts_finish(struct init *in, struct err *err)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };

	while (in->late_count > 0) {
		_cleanup_fd_ int fd = in->late[--in->late_count];

		if (sys_mount_setattr(fd, 0, &readonly) < 0)
			return err_set(err, errno, "make a tmpfs read-only");
	}
	if (in->plan->flags & PLAN_ROOT_READONLY &&
	    sys_mount_setattr(in->root_fd, 0, &readonly) < 0)
		return err_set(err, errno, "make the root file system read-only");
	return 0;
}
