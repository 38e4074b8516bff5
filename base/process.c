/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

pid_t process_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		/* With CLONE_PARENT the kernel takes our own parent's choice and refuses another.
		 */
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
	};
	long pid;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

int process_pidfd_open(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

int process_pidfd_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

/* Reads /proc/PID/stat from behind the command's name, which may hold anything. */
static int read_stat(pid_t pid, char *buf, size_t size, char **ret_rest)
{
	_cleanup_fd_ int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ESRCH;
	n = read(fd, buf, size - 1);
	if (n <= 0)
		return -ESRCH;
	buf[n] = '\0';
	*ret_rest = strrchr(buf, ')');
	if (!*ret_rest || strlen(*ret_rest) < 3)
		return -ESRCH;
	*ret_rest += 2;
	return 0;
}

int process_start_time(pid_t pid, uint64_t *ret_ticks)
{
	char buf[1024], *rest, *save = NULL, *word;

	if (read_stat(pid, buf, sizeof(buf), &rest) < 0)
		return -ESRCH;
	word = strtok_r(rest, " ", &save);
	for (int field = 3; word && field < 22; field++)
		word = strtok_r(NULL, " ", &save);
	if (!word)
		return -ESRCH;
	*ret_ticks = strtoull(word, NULL, 10);
	return 0;
}

int process_state(pid_t pid)
{
	char buf[1024], *rest;

	return read_stat(pid, buf, sizeof(buf), &rest) < 0 ? -ESRCH : *rest;
}

/* As linux/pidfd.h has it from 6.15 on: the smallest form, which every kernel with it knows. */
struct pidfd_exit_info {
	uint64_t mask, cgroup_id;
	uint32_t ids[11];
	int32_t exit_code;
};

#define PIDFD_GET_INFO_IOCTL _IOWR(0xFF, 11, struct pidfd_exit_info)
#define PIDFD_INFO_EXIT_BIT (1u << 3)

/* While it is a zombie, every kernel tells those who may trace it. */
static int read_zombie(pid_t pid, int *ret_status)
{
	char buf[1024], *rest, *save = NULL, *word;

	if (read_stat(pid, buf, sizeof(buf), &rest) < 0 || *rest != 'Z')
		return -ESRCH;
	word = strtok_r(rest, " ", &save);
	for (int field = 3; word && field < 52; field++)
		word = strtok_r(NULL, " ", &save);
	if (!word)
		return -ESRCH;
	*ret_status = (int)strtol(word, NULL, 10);
	return 0;
}

int process_pidfd_exit(int pidfd, pid_t pid, int *ret_status)
{
	struct pidfd_exit_info info = { .mask = PIDFD_INFO_EXIT_BIT };
	int status;

	/* Still there after the look: it was the pid's owner that was looked at. */
	if (read_zombie(pid, &status) == 0 && process_pidfd_signal(pidfd, 0) == 0) {
		*ret_status = status;
		return 0;
	}
	if (ioctl(pidfd, PIDFD_GET_INFO_IOCTL, &info) == 0) {
		if (info.mask & PIDFD_INFO_EXIT_BIT) {
			*ret_status = info.exit_code;
			return 0;
		}
		/* A kernel that does not know the bit answers for the living. */
		return -EAGAIN;
	}
	/* 6.13 and 6.14 know no reaped process. */
	return errno == ESRCH || errno == ENOTTY || errno == EINVAL ? -ENOSYS : -errno;
}

static bool is_waited_for(idtype_t type, int id)
{
	siginfo_t info;

	return waitid(type, (id_t)id, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool process_is_child(pid_t pid, int pidfd)
{
	return is_waited_for(P_PID, pid) && is_waited_for((idtype_t)P_PIDFD, pidfd);
}

int process_wait(int pidfd, int *ret_status)
{
	siginfo_t info = { 0 };

	while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -errno;
	if (info.si_code == CLD_EXITED)
		*ret_status = (info.si_status & 0xff) << 8;
	else
		*ret_status = info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
	return 0;
}

int process_exit_code(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}
