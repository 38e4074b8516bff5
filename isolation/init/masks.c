/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masked and read-only paths. A masked file is covered by the host's /dev/null, verified to be that
 * device, and never by the container's, which may be anything; a masked folder by an empty
 * read-only tmpfs, one for all. The device is mounted read-only too: else root inside could change
 * mode and owner of the host's node through it.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

struct covers {
	int null_fd;
	int empty_fd; /* attached already: a detached mount could not be cloned before 6.15 */
};

static int open_null(struct err *err)
{
	_cleanup_fd_ int fd = open("/dev/null", O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "open /dev/null of the host");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_say(err, ENODEV, "/dev/null of the host is not the null device");
	return take_fd(&fd);
}

static int make_empty(void)
{
	_cleanup_fd_ int fs = sys_fsopen("tmpfs");

	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755") < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_blocks", "1") < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1") < 0 ||
	    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return -1;
	return sys_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				       MOUNT_ATTR_NOEXEC);
}

static int mask(struct covers *covers, const char *path, int target_fd, struct err *err)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						   MOUNT_ATTR_NOEXEC };
	_cleanup_fd_ int fd = -1;
	struct stat st;
	bool first = false;

	if (fstat(target_fd, &st) < 0)
		return err_set(err, errno, "mask %s", path);
	if (!S_ISDIR(st.st_mode)) {
		if (covers->null_fd < 0)
			covers->null_fd = open_null(err);
		if (covers->null_fd < 0)
			return covers->null_fd;
		fd = sys_open_tree(covers->null_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
		if (fd >= 0 && sys_mount_setattr(fd, 0, &readonly) < 0)
			return err_set(err, errno, "mask %s", path);
	} else if (covers->empty_fd < 0) {
		fd = make_empty();
		first = true;
	} else {
		fd = sys_open_tree(covers->empty_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	}
	if (fd < 0 || sys_move_mount(fd, target_fd) < 0)
		return err_set(err, errno, "mask %s", path);
	if (first)
		covers->empty_fd = take_fd(&fd);
	return 0;
}

static int make_readonly(struct init *in, const char *path, int target_fd, struct err *err)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_fd_ int fd =
		sys_open_tree(target_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE);

	if (fd < 0 || sys_mount_setattr(fd, AT_RECURSIVE, &readonly) < 0 ||
	    sys_move_mount(fd, target_fd) < 0)
		return err_set(err, errno, "make %s read-only", path);
	/* All of a view: what is masked later has to be seen through what lies over it now. */
	for (int i = 0; i < INIT_VIEWS; i++)
		if (in->views[i] >= 0 && strcmp(path, init_views[i]) == 0)
			dup3(fd, in->views[i], O_CLOEXEC);
	return 0;
}

/* The view that a path lies in, by its own words; -1: none. ret_rest: its end, from '/' on, or "".
 */
static int view_of(const struct init *in, const char *path, const char **ret_rest)
{
	for (int i = 0; i < INIT_VIEWS && !strstr(path, "/.."); i++) {
		size_t len = strlen(init_views[i]);

		*ret_rest = path + len;
		if (in->views[i] >= 0 && strncmp(path, init_views[i], len) == 0 &&
		    (**ret_rest == '/' || **ret_rest == '\0'))
			return i;
	}
	return -1;
}

/* Opens a path that need not exist: 1 and the fd, 0 when there is nothing, or -errno. */
static int open_path(struct init *in, const char *path, int *ret, struct err *err)
{
	const char *rest;
	int view = view_of(in, path, &rest);
	int fd = view < 0 ? target_find(in->root_fd, path, 0)
			  : target_find(in->views[view], *rest ? rest : "/", 0);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return err_set(err, -fd, "open %s in the container", path);
	*ret = fd;
	return 1;
}

static int apply_readonly(struct init *in, struct err *err)
{
	PLAN_EACH(plan_path, p, in->plan, in->plan->readonly)
	{
		const char *path = init_string(in, p->path);
		_cleanup_fd_ int fd = -1;
		int r = open_path(in, path, &fd, err);

		if (r < 0 || (r > 0 && make_readonly(in, path, fd, err) < 0))
			return -err->code;
	}
	return 0;
}

static int apply_masks(struct init *in, struct covers *covers, struct err *err)
{
	PLAN_EACH(plan_path, p, in->plan, in->plan->masked)
	{
		const char *path = init_string(in, p->path);
		_cleanup_fd_ int fd = -1;
		int r = open_path(in, path, &fd, err);

		if (r < 0 || (r > 0 && mask(covers, path, fd, err) < 0))
			return -err->code;
	}
	return 0;
}

int masks_apply(struct init *in, struct err *err)
{
	struct covers covers = { -1, -1 };
	int r;

	if (!(in->plan->flags & PLAN_FILE_SYSTEM))
		return 0;
	r = apply_readonly(in, err);
	if (r == 0)
		r = apply_masks(in, &covers, err);
	if (covers.null_fd >= 0)
		close(covers.null_fd);
	if (covers.empty_fd >= 0)
		close(covers.empty_fd);
	for (int i = 0; i < INIT_VIEWS; i++)
		if (in->views[i] >= 0)
			close(take_fd(&in->views[i]));
	return r < 0 ? r : mounts_finish(in, err);
}
