/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining namespaces. Where a pid or user namespace is joined, this process stays outside: it
 * joins, clones the container's process as a child of our own parent (CLONE_PARENT), tells the
 * runtime its pid and ends. The copy goes on with the next step, already as undumpable as we are.
 *
 * Being undumpable does not stop those in the container who hold CAP_SYS_PTRACE. So what enters a
 * running container is cloned as late as can be, when it is the container's user, with no
 * capability and, where the filter allows, no way out of the filter that the program itself lacks:
 * who traces it wins nothing.
 */
#include <errno.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int join_target(struct init *in, struct err *err)
{
	uint64_t flags = in->plan->join_flags;
	int fd = in->fds[in->begin.target_pidfd];

	if (flags && setns(fd, (int)flags) < 0) {
		if (errno == ESRCH)
			return err_say(err, ESRCH, "the container's init is gone");
		return err_set(err, errno, "join the container's namespaces");
	}
	close(fd);
	return 0;
}

/*
 * Those that our present user namespace may join first, then the user namespace, then those that
 * only it opens.
 */
static int join_paths(struct init *in, struct err *err)
{
	const struct plan *plan = in->plan;
	const struct plan_namespace *ns = plan_records(plan, plan->namespaces);
	int *fds = in->fds + in->begin.namespace_fds;

	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < plan->namespaces.count; i++) {
			bool user = ns[i].flag == CLONE_NEWUSER;

			if (fds[i] < 0 || user != (round == 1))
				continue;
			if (setns(fds[i], (int)ns[i].flag) == 0) {
				close(fds[i]);
				fds[i] = -1;
			} else if (errno != EPERM || round > 0) {
				return err_set(err, errno, "join the namespace %s",
					       init_string(in, ns[i].path));
			}
		}
	}
	return 0;
}

/* The offsets of a time namespace are fixed once a process is in it: it is made for our child. */
static int make_time_namespace(struct init *in, struct err *err)
{
	const char *offsets = init_string(in, in->plan->time_offsets);
	_cleanup_fd_ int fd = -1;

	if (unshare(CLONE_NEWTIME) < 0)
		return err_set(err, errno, "make a time namespace");
	fd = openat(in->proc_fd, "self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, offsets, strlen(offsets)) < 0)
		return err_set(err, errno, "set linux.timeOffsets");
	return 0;
}

/* clone3(2) knows all flags, but filters refuse it, as they cannot see those. */
static long clone_call(uint64_t flags, int *pidfd)
{
	struct clone_args args = { .flags = flags, .pidfd = (uintptr_t)pidfd };

	if (flags & ~(uint64_t)(CLONE_PARENT | CLONE_PIDFD))
		return syscall(SYS_clone3, &args, sizeof(args));
	return syscall(SYS_clone, flags, NULL, pidfd, NULL, NULL);
}

/* The kernel says "out of memory" of one whose first process is gone. */
static bool joins_pid(struct init *in)
{
	PLAN_EACH(plan_namespace, ns, in->plan, in->plan->namespaces)
	if (ns->flag == CLONE_NEWPID)
		return true;
	return false;
}

/* The child comes back when the runtime has been told of it: else it might speak up first. */
static int clone_process(struct init *in, struct err *err)
{
	uint64_t flags = in->plan->clone_flags | CLONE_PARENT | CLONE_PIDFD;
	int pidfd = -1, turn[2];
	char nothing;
	long pid;

	if (in->plan->time_offsets) {
		if (make_time_namespace(in, err) < 0)
			return -err->code;
		flags &= ~(uint64_t)CLONE_NEWTIME;
	}
	if (pipe2(turn, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	pid = clone_call(flags, &pidfd);
	if (pid < 0 && errno == ENOMEM && joins_pid(in))
		return err_say(
			err, ESRCH,
			"the first process of the pid namespace that is joined has ended, so "
			"nothing can start in it");
	if (pid < 0)
		return err_set(err, errno, "clone into the namespaces");
	if (pid > 0) {
		if (channel_send(in, SYNC_CHILD, (int32_t)pid, pidfd, err) < 0)
			return -err->code;
		_exit(0);
	}
	close(turn[1]);
	while (read(turn[0], &nothing, 1) < 0 && errno == EINTR)
		;
	close(turn[0]);
	return 0;
}

int stage_clone(struct init *in, struct err *err)
{
	bool labels = in->plan->apparmor_profile || in->plan->selinux_label;

	/* The kernel hands labels on to a child; the host's procfs is nothing for it. */
	if (labels && (rootfs_narrow_proc(in, err) < 0 || program_label(in, err) < 0))
		return -err->code;
	close(take_fd(&in->proc_fd));
	if (in->plan->flags & PLAN_EARLY_FILTER && program_confine(in, err) < 0)
		return -err->code;
	if (clone_process(in, err) < 0)
		return -err->code;
	setsid();
	return terminal_control(in, err);
}

static bool joins_user(const struct plan *plan)
{
	PLAN_EACH(plan_namespace, ns, plan, plan->namespaces)
	if (ns->flag == CLONE_NEWUSER)
		return true;
	return plan->join_flags & CLONE_NEWUSER;
}

int stage_run(struct init *in, struct err *err)
{
	/* Before any root is changed: what is written to procfs later goes through this. */
	in->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (in->proc_fd < 0 || !fd_is_procfs(in->proc_fd))
		return err_say(err, ENOENT, "no procfs is mounted at /proc of the host");
	if (!(in->plan->flags & PLAN_STAGE))
		return 0;
	if (in->begin.target_pidfd >= 0 && join_target(in, err) < 0)
		return -err->code;
	if (in->begin.namespace_fds >= 0 && join_paths(in, err) < 0)
		return -err->code;
	if (joins_user(in->plan)) {
		/* EINVAL: it maps no root; then the plan's user is what we become later. */
		if ((syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0) &&
		    errno != EINVAL && errno != EPERM)
			return err_set(err, errno, "become root of the joined user namespace");
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* new credentials may have changed it */
	}
	return in->plan->flags & PLAN_EXEC ? 0 : clone_process(in, err);
}

/* A process cloned by a stage waits here for its id maps; others got theirs before they started. */
int stage_become_root(struct init *in, struct err *err)
{
	if (!(in->plan->flags & PLAN_USER_NAMESPACE) || !(in->plan->flags & PLAN_STAGE))
		return 0;
	if (in->plan->flags & PLAN_ROOTLESS)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* else only root may write our maps */
	if (channel_wait(in, SYNC_MAPPED, NULL, err) < 0)
		return -err->code;
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		return err_set(err, errno, "become root of the user namespace");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

int stage_join(struct init *in, struct err *err)
{
	if (!(in->plan->flags & PLAN_STAGE) && in->begin.namespace_fds >= 0 &&
	    join_paths(in, err) < 0)
		return -err->code;
	/* Only now, as the cgroup we are in becomes the root that is seen, and we the owner. */
	if (in->plan->unshare_flags && unshare((int)in->plan->unshare_flags) < 0)
		return err_set(err, errno, "make a cgroup or ipc namespace");
	return 0;
}
