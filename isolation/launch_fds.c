/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "isolation/init/syscalls.h"
#include "isolation/launch_parts.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static int add(struct launch_fds *f, int fd, bool borrowed, struct err *err)
{
	if (f->count == SYNC_FDS_MAX) {
		if (!borrowed)
			close(fd);
		return err_say(err, E2BIG,
			       "more than %d bind mounts and namespaces to pass into a user "
			       "namespace",
			       SYNC_FDS_MAX);
	}
	f->fds[f->count] = fd;
	f->borrowed[f->count] = borrowed;
	return (int)f->count++;
}

int launch_memfd(const char *name, const void *data, size_t size, struct err *err)
{
	_cleanup_fd_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return err_set(err, errno, "make a memory file");
	r = fd_write_all(fd, data, size);
	if (r < 0)
		return err_set(err, -r, "fill a memory file");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, errno, "seal a memory file");
	return take_fd(&fd);
}

static const char *type_name(int flag)
{
	for (enum oci_namespace_type type = 0; type < OCI_NS_COUNT; type++)
		if (oci_namespace_flag(type) == (uint64_t)flag)
			return oci_namespace_name(type);
	return "unknown";
}

static bool is_our_own(int flag, int fd)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s",
		 flag == CLONE_NEWNET	? "net"
		 : flag == CLONE_NEWIPC ? "ipc"
		 : flag == CLONE_NEWUTS ? "uts"
					: "user");
	return fstat(fd, &theirs) == 0 && stat(path, &ours) == 0 && theirs.st_ino == ours.st_ino &&
	       theirs.st_dev == ours.st_dev;
}

/* The namespace that a kernel setting belongs to; plan_sysctls.c lets no others pass. */
static int namespace_of(const char *path)
{
	if (strncmp(path, "sys/net/", 8) == 0)
		return CLONE_NEWNET;
	if (strncmp(path, "sys/user/", 9) == 0)
		return CLONE_NEWUSER;
	if (strcmp(path, "sys/kernel/hostname") == 0 || strcmp(path, "sys/kernel/domainname") == 0)
		return CLONE_NEWUTS;
	return CLONE_NEWIPC;
}

/* Settings of a joined namespace that is our own would change the host. */
static int check_not_ours(const struct plan *plan, const struct plan_namespace *ns, int fd,
			  struct err *err)
{
	int flag = (int)ns->flag;

	if (!(ns->flag & (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWUSER)) ||
	    !is_our_own(flag, fd))
		return 0;
	if (flag == CLONE_NEWUTS && (plan->hostname || plan->domainname))
		return err_say(err, EINVAL,
			       "%s: would rename the host, whose uts namespace is joined",
			       plan->hostname ? "hostname" : "domainname");
	PLAN_EACH(plan_sysctl, sysctl, plan, plan->sysctls)
	if (namespace_of(plan_string(plan, sysctl->path)) == flag)
		return err_say(err, EINVAL,
			       "linux.sysctl[\"%s\"]: would change the host, whose %s "
			       "namespace is joined",
			       plan_string(plan, sysctl->key), type_name(flag));
	return 0;
}

static int open_namespace(const struct plan *plan, const struct plan_namespace *ns, struct err *err)
{
	const char *path = plan_string(plan, ns->path);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int type;

	if (fd < 0)
		return err_set(err, errno, "open the %s namespace %s", type_name((int)ns->flag),
			       path);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return err_say(err, EINVAL, "%s is not a namespace", path);
	if ((uint64_t)type != ns->flag)
		return err_say(err, EINVAL, "%s is a %s namespace, not a %s namespace", path,
			       type_name(type), type_name((int)ns->flag));
	if (check_not_ours(plan, ns, fd, err) < 0)
		return -err->code;
	return take_fd(&fd);
}

static int open_namespaces(const struct plan *plan, struct launch_fds *f, struct err *err)
{
	PLAN_EACH(plan_namespace, ns, plan, plan->namespaces)
	{
		int fd = open_namespace(plan, ns, err), index;

		index = fd < 0 ? fd : add(f, fd, false, err);
		if (index < 0)
			return index;
		if (f->begin.namespace_fds < 0)
			f->begin.namespace_fds = index;
	}
	return 0;
}

/* Outside of the user namespace's sight, so that its root needs no way to the source. */
static int open_source(const struct plan *plan, const char *path, uint32_t flags, struct err *err)
{
	struct mount_attr slave = { .propagation = MS_SLAVE };
	unsigned how = OPEN_TREE_CLONE | (flags & PLAN_MOUNT_RECURSIVE ? AT_RECURSIVE : 0) |
		       (flags & PLAN_MOUNT_SYMLINK ? AT_SYMLINK_NOFOLLOW : 0);
	_cleanup_fd_ int fd = flags & PLAN_MOUNT_REAL_SOURCE ? sys_open_tree_real(path, how)
							     : sys_open_tree(AT_FDCWD, path, how);

	if (fd < 0 && errno == ELOOP && flags & PLAN_MOUNT_REAL_SOURCE)
		return err_say(err, ELOOP, "open %s: there is a symlink on the way now", path);
	if (fd < 0)
		return err_set(err, errno, "open %s", path);
	if (plan->root_propagation != MS_SHARED && sys_mount_setattr(fd, AT_RECURSIVE, &slave) < 0)
		return err_set(err, errno, "detach %s from the host's mounts", path);
	return take_fd(&fd);
}

static int open_root(const struct plan *plan, struct launch_fds *f, struct err *err)
{
	int fd = open_source(plan, plan_string(plan, plan->rootfs), PLAN_MOUNT_RECURSIVE, err);

	if (fd < 0)
		return err_add(err, "root.path");
	f->begin.rootfs_fd = add(f, fd, false, err);
	return f->begin.rootfs_fd < 0 ? -err->code : 0;
}

static int open_sources(const struct plan *plan, struct launch_fds *f, struct err *err)
{
	int fd, index;

	PLAN_EACH(plan_mount, m, plan, plan->mounts)
	{
		if (m->kind != PLAN_MOUNT_BIND)
			continue;
		fd = open_source(plan, plan_string(plan, m->source), m->flags, err);
		if (fd < 0)
			return err_add(err, "mount at %s", plan_string(plan, m->target));
		if (m->uid_maps.count > 0 && launch_idmap(fd, plan, m, err) < 0) {
			close(fd);
			return -err->code;
		}
		index = add(f, fd, false, err);
		if (index < 0)
			return index;
		if (f->begin.mount_fds < 0)
			f->begin.mount_fds = index;
	}
	return 0;
}

/* A mount is given its id maps from outside; then all binds come from there, in their order. */
static bool has_maps(const struct plan *plan)
{
	PLAN_EACH(plan_mount, m, plan, plan->mounts)
	if (m->uid_maps.count > 0)
		return true;
	return false;
}

static bool is_in_user_namespace(const struct plan *plan)
{
	if (plan->flags & PLAN_ROOTLESS)
		return false; /* we may mount no more than its root may */
	PLAN_EACH(plan_namespace, ns, plan, plan->namespaces)
	if (ns->flag == CLONE_NEWUSER)
		return true;
	return plan->flags & PLAN_USER_NAMESPACE;
}

/* Whoever the container runs as has to open the fifo for writing; its folder keeps others out. */
static int add_fifo(const struct launch_options *o, struct launch_fds *f, struct err *err)
{
	char path[PATH_FD_SIZE];

	if (o->exec_fifo_fd < 0)
		return 0;
	if (chmod(path_of_fd(o->exec_fifo_fd, path), 0622) < 0)
		return err_set(err, errno, "open the exec fifo to the container's user");
	f->begin.fifo_fd = add(f, o->exec_fifo_fd, true, err);
	return 0;
}

static int add_plan(const struct plan *plan, struct launch_fds *f, struct err *err)
{
	int fd;

	if (plan->size <= SYNC_INLINE_MAX)
		return 0;
	fd = launch_memfd("plan", plan, plan->size, err);
	if (fd < 0)
		return fd;
	f->begin.plan_fd = add(f, fd, false, err);
	return 0;
}

static int add_hook_file(const char *path, struct launch_fds *f, int32_t *ret, struct err *err)
{
	int fd, index;

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return err_set(err, errno, "open %s for the output of hooks", path);
	index = add(f, fd, false, err);
	if (index >= 0)
		*ret = index;
	return index < 0 ? index : 0;
}

static int add_hook_files(const struct launch_options *o, struct launch_fds *f, struct err *err)
{
	if (o->plan->create_hooks.count == 0 && o->plan->start_hooks.count == 0)
		return 0;
	err_try(add_hook_file(o->hook_stdout, f, &f->begin.hook_stdout_fd, err));
	return add_hook_file(o->hook_stderr, f, &f->begin.hook_stderr_fd, err);
}

int launch_fds_open(const struct launch_options *o, struct launch_fds *ret, struct err *err)
{
	const struct plan *plan = o->plan;
	struct launch_fds f = { .begin = { .type = SYNC_BEGIN,
					   .plan_size = plan->size,
					   .plan_fd = -1,
					   .fifo_fd = -1,
					   .target_pidfd = -1,
					   .namespace_fds = -1,
					   .rootfs_fd = -1,
					   .mount_fds = -1,
					   .hook_stdout_fd = -1,
					   .hook_stderr_fd = -1,
					   .task_fds = -1 } };
	bool from_outside = is_in_user_namespace(plan) && plan->flags & PLAN_FILE_SYSTEM;
	int r;

	/* First: what follows mount_fds belongs to the mounts. */
	f.begin.task_fds_count = (uint32_t)o->task_fds_count;
	for (size_t i = 0; i < o->task_fds_count; i++)
		add(&f, o->task_fds[i], true, err);
	if (f.count > 0)
		f.begin.task_fds = 0;

	r = add_hook_files(o, &f, err);
	f.begin.want_hooks =
		!(plan->flags & PLAN_EXEC) &&
		(o->hooks || plan->create_hooks.count > 0 || plan->start_hooks.count > 0);
	if (plan->flags & PLAN_EXEC)
		f.begin.target_pidfd = add(&f, o->target_pidfd, true, err);
	if (r == 0)
		r = add_fifo(o, &f, err);
	if (r == 0)
		r = add_plan(plan, &f, err);
	if (r == 0)
		r = open_namespaces(plan, &f, err);
	if (r == 0 && from_outside)
		r = open_root(plan, &f, err);
	/* Root of a user namespace, but of a mount namespace of the host's. */
	if (r == -EPERM && from_outside && plan->flags & PLAN_IN_USERNS) {
		from_outside = false;
		err_clear(err);
		r = 0;
	}
	if (r == 0 && (from_outside || (has_maps(plan) && plan->flags & PLAN_FILE_SYSTEM)))
		r = open_sources(plan, &f, err);
	if (r < 0) {
		launch_fds_close(&f);
		return r;
	}
	*ret = f;
	return 0;
}

int launch_fds_idmap(const struct launch_fds *f, const struct plan *plan, pid_t pid,
		     struct err *err)
{
	_cleanup_fd_ int userns = -1;
	int next = f->begin.mount_fds;
	char path[64];

	PLAN_EACH(plan_mount, m, plan, plan->mounts)
	{
		unsigned flags = m->flags & PLAN_MOUNT_IDMAP_RECURSIVE ? AT_RECURSIVE : 0;
		struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
		int index = m->kind == PLAN_MOUNT_BIND ? next++ : -1;

		if (m->kind != PLAN_MOUNT_BIND || !(m->flags & PLAN_MOUNT_IDMAP) ||
		    m->uid_maps.count > 0)
			continue;
		if (f->begin.mount_fds < 0)
			return err_say(err, EPERM,
				       "mount at %s: idmap takes privileges on the host",
				       plan_string(plan, m->target));
		if (userns < 0) {
			snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
			userns = open(path, O_RDONLY | O_CLOEXEC);
		}
		if (userns < 0)
			return err_set(err, errno, "open %s", path);
		attr.userns_fd = (uint64_t)userns;
		if (sys_mount_setattr(f->fds[index], flags, &attr) < 0)
			return err_set(err, errno, "idmap %s for the mount at %s",
				       plan_string(plan, m->source), plan_string(plan, m->target));
	}
	return 0;
}

void launch_fds_close(struct launch_fds *f)
{
	for (unsigned i = 0; i < f->count; i++)
		if (!f->borrowed[i])
			close(f->fds[i]);
	f->count = 0;
}
