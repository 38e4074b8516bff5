/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the clone to cellar-init. The child is a copy of the runtime with one thread, or borrows its
 * memory: it only makes system calls, touches no lock and no heap, and either executes cellar-init
 * or says why not.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/process.h"
#include "isolation/launch_parts.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* cellar-init itself, from init_image.S. */
extern const char cellar_init_start[], cellar_init_end[];

/*
 * A sealed copy of cellar-init, opened for reading only: one that is open for writing cannot be
 * executed (ETXTBSY).
 */
static int open_image(struct err *err)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	_cleanup_fd_ int fd = memfd_create("cellar-init", flags | MFD_EXEC);
	char path[PATH_FD_SIZE];
	int r;

	if (fd < 0 && errno == EINVAL) /* before 6.3 */
		fd = memfd_create("cellar-init", flags);
	if (fd < 0)
		return err_set(err, errno, "make a memory file for cellar-init");
	r = fd_write_all(fd, cellar_init_start, (size_t)(cellar_init_end - cellar_init_start));
	if (r < 0)
		return err_set(err, -r, "copy cellar-init");
	if (fchmod(fd, 0555) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return err_set(err, errno, "seal cellar-init");
	r = open(path_of_fd(fd, path), O_RDONLY | O_CLOEXEC);
	return r < 0 ? err_set(err, errno, "open %s", path) : r;
}

static _Noreturn void child_fail(int sync_fd, const struct err *err)
{
	struct sync_message message = { .type = SYNC_FAILED, .step = INIT_STEP_BEGIN };

	message.err = *err;
	message.err.code = sync_code(err->code, 0);
	_exit(send(sync_fd, &message, sizeof(message), MSG_NOSIGNAL) < 0 ? 2 : 1);
}

/* Puts fd at number `at`, open across an execution. */
static int place(int fd, int at)
{
	if (fd == at)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, at);
}

static int take_stdio(const int stdio[3], int above, struct err *err)
{
	int fds[3];

	/* First out of the way: one may stand where another belongs. */
	for (int i = 0; i < 3; i++) {
		fds[i] = stdio[i];
		if (fds[i] < 3 && fds[i] != i)
			fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, above);
		if (fds[i] < 0)
			return err_set(err, errno, "duplicate the standard files");
	}
	for (int i = 0; i < 3; i++)
		if (place(fds[i], i) < 0)
			return err_set(err, errno, "put the standard files in place");
	return 0;
}

/* Root of the new user namespace, once the parent has written its maps. */
static int become_root(int sync_fd, struct err *err)
{
	struct sync_message message;

	if (recv(sync_fd, &message, sizeof(message), 0) < (ssize_t)SYNC_SHORT ||
	    message.type != SYNC_MAPPED)
		_exit(1); /* the parent knows why */
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		return err_set(err, errno, "become root of the user namespace");
	return 0;
}

struct child {
	const struct launch_options *options;
	int sync_fd, image_fd;
};

static void run_child(void *data)
{
	const struct child *child = data;
	const struct launch_options *o = child->options;
	int sync_fd = child->sync_fd, image_fd = child->image_fd;
	uint32_t flags = o->plan->flags;
	int base = 3 + (int)o->plan->preserve_fds;
	char number[16], *env[] = { NULL };
	char *args[] = { (char[]){ "cellar-init" }, number, NULL };
	struct err err = { 0 };

	if (flags & PLAN_USER_NAMESPACE && !(flags & PLAN_STAGE) && become_root(sync_fd, &err) < 0)
		child_fail(sync_fd, &err);
	if (image_fd <= base)
		image_fd = fcntl(image_fd, F_DUPFD_CLOEXEC, base + 1);
	if (o->stdio && !(flags & PLAN_TERMINAL) && take_stdio(o->stdio, base + 1, &err) < 0)
		child_fail(sync_fd, &err);
	if (place(sync_fd, base) < 0) {
		err_set(&err, errno, "put the socket in place");
		child_fail(sync_fd, &err);
	}
	snprintf(number, sizeof(number), "%d", base);
	syscall(SYS_execveat, image_fd, "", args, env, AT_EMPTY_PATH);
	err_set(&err, errno, "execute cellar-init");
	child_fail(base, &err);
}

static int clone_failed(const struct launch_options *o, uint64_t flags, int code, struct err *err)
{
	if (code == EACCES && o->cgroup_fd >= 0)
		return err_say(
			err, code,
			"join the container's cgroup: permission denied; the cgroup that holds "
			"both it and the caller was not delegated to this user");
	if (code == EPERM && flags & CLONE_NEWUSER)
		return err_say(
			err, code,
			"make a user namespace: this host keeps them from normal users (sysctl "
			"kernel.unprivileged_userns_clone, "
			"kernel.apparmor_restrict_unprivileged_userns)");
	if ((code == ENOSPC || code == EUSERS) && flags & CLONE_NEWUSER)
		return err_say(err, code,
			       "make a user namespace: this host has no more (sysctl "
			       "user.max_user_namespaces)");
	return err_set(err, code, "clone the container's process");
}

/*
 * One that waits for its id maps needs us to run meanwhile; the kernel gives no time namespace to
 * one that shares memory; one that is born in the container's cgroup may be killed there for want
 * of memory, or be frozen, and both would hit us (memory.oom.group kills all who share the memory
 * of a member); and where an unprivileged runtime has to reach its files in /proc, cellar-init must
 * not have hidden them yet.
 */
static bool may_borrow(const struct plan *plan, uint64_t flags, int cgroup_fd)
{
	bool waits = plan->flags & PLAN_USER_NAMESPACE && !(plan->flags & PLAN_STAGE);

	return !waits && cgroup_fd < 0 && !(flags & CLONE_NEWTIME) &&
	       !(plan->flags & (PLAN_ROOTLESS | PLAN_IN_USERNS));
}

/* The pid, 0 in a child with memory of its own, or -errno. */
static pid_t clone_it(struct child *child, uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	if (may_borrow(child->options->plan, flags, cgroup_fd))
		return process_clone_run(flags, cgroup_fd, run_child, child, ret_pidfd);
	return process_clone(flags, cgroup_fd, ret_pidfd);
}

int launch_clone(const struct launch_options *o, int sync_fd, pid_t *ret_pid, int *ret_pidfd,
		 struct err *err)
{
	uint64_t flags = o->plan->flags & PLAN_STAGE ? 0 : o->plan->clone_flags;
	_cleanup_fd_ int image_fd = open_image(err);
	struct child child = { .options = o, .sync_fd = sync_fd, .image_fd = image_fd };
	int pidfd = -1;
	pid_t pid;

	if (image_fd < 0)
		return image_fd;
	pid = clone_it(&child, flags, o->cgroup_fd, &pidfd);
	/* From another session of the user's there may be no way into the cgroup. */
	if (pid == -EACCES && o->cgroup_fd >= 0 && o->plan->flags & PLAN_EXEC &&
	    o->plan->flags & (PLAN_ROOTLESS | PLAN_IN_USERNS)) {
		log_warn("the process stays in the cgroup of its caller: not permitted to move");
		pid = clone_it(&child, flags, -1, &pidfd);
	}
	if (pid == 0)
		run_child(&child);
	if (pid < 0)
		return clone_failed(o, flags, -pid, err);
	*ret_pid = pid;
	*ret_pidfd = pidfd;
	return 0;
}
