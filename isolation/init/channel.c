/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE 4096u
#define STACK_USED (5 * PAGE)

/*
 * Holds a plan that came in the message itself. Common: so it comes behind all other variables, and
 * those share a page.
 */
extern char init_plan[];
__attribute__((common, aligned(16))) char init_plan[SYNC_INLINE_MAX];

/*
 * Takes the pages that we will write to, at once instead of by a fault each, and before the cgroups
 * are joined: what we need must not count for a container with the least of memory. Where the
 * kernel does not know the call (before 5.14), the faults come.
 */
static void take_pages(void)
{
	extern char __bss_start[];
	char here;
	uintptr_t stack = (uintptr_t)&here & ~(uintptr_t)(PAGE - 1);
	uintptr_t data = (uintptr_t)__bss_start & ~(uintptr_t)(PAGE - 1);

	madvise((void *)(stack - STACK_USED), STACK_USED, MADV_POPULATE_WRITE);
	/* Constants with addresses, variables that have a value, those that have none. */
	madvise((void *)(data - 2 * PAGE), 3 * PAGE, MADV_POPULATE_WRITE);
}

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(SYNC_FDS_MAX * sizeof(int))];
};

/* Receives a message with its fds. Returns its length, 0 at the end, or -errno. */
static ssize_t receive(int fd, struct iovec *iov, size_t iov_count, int *fds, unsigned *fds_count)
{
	union control control;
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = iov_count,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EMSGSIZE;
	*fds_count = 0;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		*fds_count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), *fds_count * sizeof(int));
	}
	return n;
}

static int map_plan(struct init *in, struct err *err)
{
	int fd = in->fds[in->begin.plan_fd];
	void *block;

	if (in->begin.plan_size > PLAN_SIZE_MAX)
		return err_say(err, EINVAL, "plan of %u bytes", in->begin.plan_size);
	block = mmap(NULL, in->begin.plan_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (block == MAP_FAILED)
		return err_set(err, errno, "map the plan");
	in->plan = block;
	close(fd);
	return 0;
}

static bool fd_index_is_valid(const struct init *in, int32_t index, uint32_t count)
{
	return index == -1 || (index >= 0 && (uint64_t)index + count <= in->fds_count);
}

static int check_fds(const struct init *in, struct err *err)
{
	const struct sync_begin *b = &in->begin;

	if (!fd_index_is_valid(in, b->fifo_fd, 1) || !fd_index_is_valid(in, b->target_pidfd, 1) ||
	    !fd_index_is_valid(in, b->task_fds, b->task_fds_count) ||
	    !fd_index_is_valid(in, b->hook_stdout_fd, 1) ||
	    !fd_index_is_valid(in, b->hook_stderr_fd, 1) ||
	    !fd_index_is_valid(in, b->rootfs_fd, 1) || !fd_index_is_valid(in, b->mount_fds, 0) ||
	    !fd_index_is_valid(in, b->namespace_fds, in->plan->namespaces.count))
		return err_say(err, EINVAL, "the plan came without its descriptors");
	return 0;
}

/*
 * The thread that writes "0" moves itself, and waits for nobody as it would when another's id were
 * written. Before all else that makes something: it counts for the container.
 */
static int join_cgroups(struct init *in, struct err *err)
{
	const int *fds = in->fds + in->begin.task_fds;

	if (in->begin.task_fds < 0)
		return 0;
	for (uint32_t i = 0; i < in->begin.task_fds_count; i++) {
		if (write(fds[i], "0", 1) < 0)
			return err_set(err, errno, "join the cgroup");
		close(fds[i]);
	}
	return 0;
}

int channel_begin(struct init *in, struct err *err)
{
	struct iovec iov[] = { { &in->begin, sizeof(in->begin) },
			       { init_plan, sizeof(init_plan) } };
	ssize_t n;

	take_pages();
	n = receive(in->sync_fd, iov, 2, in->fds, &in->fds_count);
	if (n < 0)
		return err_set(err, (int)-n, "receive the plan");
	if ((size_t)n < sizeof(in->begin) || in->begin.type != SYNC_BEGIN)
		return err_say(err, EPROTO, "the runtime did not send a plan");
	in->plan = (struct plan *)(void *)init_plan;
	if (in->begin.plan_fd >= 0) {
		if (!fd_index_is_valid(in, in->begin.plan_fd, 1))
			return err_say(err, EPROTO, "the plan's memory did not come along");
		if (map_plan(in, err) < 0)
			return -err->code;
	} else if ((size_t)n - sizeof(in->begin) != in->begin.plan_size) {
		return err_say(err, EPROTO, "the plan was cut short");
	}
	if (plan_check(in->plan, in->begin.plan_size, err) < 0 || check_fds(in, err) < 0 ||
	    join_cgroups(in, err) < 0)
		return -err->code;
	if (in->begin.fifo_fd >= 0)
		in->fifo_fd = in->fds[in->begin.fifo_fd];
	if (in->begin.mount_fds >= 0)
		in->next_mount_fd = (unsigned)in->begin.mount_fds;
	return 0;
}

int channel_send(struct init *in, enum sync_type type, int32_t value, int fd, struct err *err)
{
	struct sync_message message = { .type = type, .value = value };
	struct iovec iov = { &message, SYNC_SHORT };
	union control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		memset(&control.header, 0, sizeof(control.header));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(fd));
	}
	if (sendmsg(in->sync_fd, &msg, MSG_NOSIGNAL) < 0)
		return err_set(err, errno, "speak to the runtime");
	return 0;
}

int channel_wait(struct init *in, enum sync_type type, int ret_fds[2], struct err *err)
{
	struct sync_message message;
	struct iovec iov = { &message, sizeof(message) };
	int fds[SYNC_FDS_MAX];
	unsigned count;
	ssize_t n = receive(in->sync_fd, &iov, 1, fds, &count);

	if (n == 0)
		_exit(1); /* the runtime is gone, and nobody is left to tell */
	if (n < 0)
		return err_set(err, (int)-n, "listen to the runtime");
	if ((size_t)n < SYNC_SHORT || message.type != type || count > 2)
		return err_say(err, EPROTO, "the runtime said %u, not %u", message.type, type);
	for (unsigned i = 0; i < count && ret_fds; i++)
		ret_fds[i] = fds[i];
	return 0;
}

_Noreturn void channel_fail(struct init *in, const struct err *err)
{
	struct sync_message message = { .type = SYNC_FAILED, .step = in->step };
	bool program = in->step == INIT_STEP_PROGRAM || in->step == INIT_STEP_START;
	ssize_t n;

	message.err = *err;
	message.err.code = sync_code(err->code, program);
	if (in->start_fd >= 0)
		n = write(in->start_fd, &message, sizeof(message));
	else
		n = send(in->sync_fd, &message, sizeof(message), MSG_NOSIGNAL);
	/* A filter may refuse even this, and the C library would ask for ever. */
	syscall(SYS_exit_group, n < 0 ? 2 : 1);
	__builtin_trap();
}
