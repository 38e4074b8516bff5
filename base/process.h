/* SPDX-License-Identifier: Apache-2.0 */
/* Processes by pidfd, and the one clone of the program. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * clone3(2) without shared memory, as fork is. flags: CLONE_NEW*, CLONE_PARENT; cgroup_fd: a
 * cgroup2 folder to be born in (CLONE_INTO_CGROUP), or -1. The pidfd is O_CLOEXEC and owned by the
 * caller. Returns the pid in the parent, 0 in the child, or -errno. The process must have one
 * thread only.
 */
pid_t process_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd);

/*
 * The same for a child that soon executes a program: run(data), which does not come back, runs in
 * our memory, on a stack of its own (PROCESS_STACK), while we stand still until it executes or ends
 * (CLONE_VM, CLONE_VFORK). All signals are blocked in it. It must make system calls only, and must
 * not need us. Returns the pid or -errno.
 */
pid_t process_clone_run(uint64_t flags, int cgroup_fd, void (*run)(void *data), void *data,
			int *ret_pidfd);
#define PROCESS_STACK (32u << 10)

int process_pidfd_open(pid_t pid);	      /* fd or -errno */
int process_pidfd_signal(int pidfd, int sig); /* 0 or -errno */

/* Are both a child of ours, running or not reaped yet? Whether they are the same is not looked at.
 */
bool process_is_child(pid_t pid, int pidfd);

/* Time of start in clock ticks since boot (/proc/PID/stat, field 22): with the pid it names a
 * process for good. -ESRCH where there is none. */
int process_start_time(pid_t pid, uint64_t *ret_ticks);

/*
 * How a process ended that is no child of ours; ret_status as in waitpid(2). The pidfd must have
 * been opened while it lived. -EAGAIN: not dead yet; -ENOSYS: its parent has reaped it, and the
 * kernel tells nothing of such (before Linux 6.15).
 */
int process_pidfd_exit(int pidfd, pid_t pid, int *ret_status);

/* Waits for a child to end and reaps it. ret_status as in waitpid(2). 0 or -errno. */
int process_wait(int pidfd, int *ret_status);

/* Shells' and Docker's convention: the exit status, or 128 + the signal. */
int process_exit_code(int wait_status);

/* The state letter of /proc/PID/stat ('R', 'S', 'Z', ...), or -ESRCH. */
int process_state(pid_t pid);
