/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests that need folders and namespaces of their own. A program in a sandbox has its own
 * network and mount namespace, so all it makes goes with it.
 */
#pragma once

#include <sched.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fd.h"

/* Prints the sentence of a call that should have worked. */
#define assert_ok(call)                                                        \
	do {                                                                   \
		int assert_ok_r_ = (call);                                     \
		if (assert_ok_r_ < 0)                                          \
			fail_msg("%s: %d, %s", #call, assert_ok_r_, err.text); \
	} while (0)

static inline int sandbox_make_folder(void **state)
{
	char *dir = strdup("/tmp/cellar-netns-test-XXXXXX");

	if (!dir || !mkdtemp(dir))
		return -1;
	*state = dir;
	return 0;
}

static inline int sandbox_remove_folder(void **state)
{
	int r = tree_remove(AT_FDCWD, *state, NULL);

	free(*state);
	return r;
}

/* Ends the program with 77 where the kernel does not let us. */
static inline void sandbox_enter(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
		perror("skipped: needs root (unshare of network and mount namespaces)");
		exit(77);
	}
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		perror("skipped: cannot make the mounts private");
		exit(77);
	}
}

/* Starts fn in a child inside the namespace (NULL: our own); it dies with us. */
static inline pid_t sandbox_start_in(const char *netns, int (*fn)(void *data), void *data)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = netns ? open(netns, O_RDONLY | O_CLOEXEC) : -1;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (netns && (fd < 0 || setns(fd, CLONE_NEWNET) < 0))
			_exit(99);
		_exit(fn(data));
	}
	assert_true(pid > 0);
	return pid;
}

/* The same to its end; fn's result is the child's exit status. */
static inline int sandbox_run_in(const char *netns, int (*fn)(void *data), void *data)
{
	pid_t pid = sandbox_start_in(netns, fn, data);
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
