/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idmapped mounts with maps of their own. The kernel takes the maps in the shape of a user
 * namespace, so one is made for them: by a child that does nothing and is gone before the container
 * begins; the mount keeps the namespace.
 */
#include <errno.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "isolation/init/syscalls.h"
#include "isolation/launch_parts.h"

static int write_map(pid_t pid, const char *file, const struct plan *plan, struct plan_list maps,
		     struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	char path[64];

	PLAN_EACH(plan_map, map, plan, maps)
	strbuf_addf(&text, "%u %u %u\n", map->container_id, map->host_id, map->size);
	if (!strbuf_ok(&text))
		return err_set(err, ENOMEM, "write id maps");
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_write(AT_FDCWD, path, text.data, err);
}

static int open_mapped(pid_t pid, const struct plan *plan, const struct plan_mount *m,
		       struct err *err)
{
	char path[64];
	int fd;

	err_try(write_map(pid, "uid_map", plan, m->uid_maps, err));
	err_try(write_map(pid, "gid_map", plan, m->gid_maps, err));
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open %s", path) : fd;
}

static int make_user_namespace(const struct plan *plan, const struct plan_mount *m, struct err *err)
{
	_cleanup_fd_ int pidfd = -1;
	int status, fd;
	pid_t pid = process_clone(CLONE_NEWUSER, -1, &pidfd);

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			pause();
	}
	if (pid < 0)
		return err_set(err, -pid, "make a user namespace");
	fd = open_mapped(pid, plan, m, err);
	process_pidfd_signal(pidfd, SIGKILL);
	process_wait(pidfd, &status);
	return fd;
}

int launch_idmap(int mount_fd, const struct plan *plan, const struct plan_mount *m, struct err *err)
{
	unsigned flags = m->flags & PLAN_MOUNT_IDMAP_RECURSIVE ? AT_RECURSIVE : 0;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	_cleanup_fd_ int userns = make_user_namespace(plan, m, err);

	if (userns < 0)
		return err_add(err, "idmap %s for the mount at %s", plan_string(plan, m->source),
			       plan_string(plan, m->target));
	attr.userns_fd = (uint64_t)userns;
	if (sys_mount_setattr(mount_fd, flags, &attr) < 0)
		return err_set(err, errno,
			       "idmap %s for the mount at %s (its file system may not know how)",
			       plan_string(plan, m->source), plan_string(plan, m->target));
	return 0;
}
