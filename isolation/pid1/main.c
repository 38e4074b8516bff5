/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cellar-pid1: the first process of a container that asked for one (`ctr run --init`). Starts the
 * program as its child, passes signals on to it, reaps whatever ends, and ends with the program's
 * status. Static and alone: it runs in file systems that we know nothing of.
 *
 *	cellar-pid1 PROGRAM [ARGUMENT...]
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_OURS 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

/* Of a fault of our own: nobody sends these, and they must not wait. */
static const int faults[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS };

static int fail(const char *what, const char *name, int code)
{
	dprintf(STDERR_FILENO, "cellar-pid1: %s%s: %s\n", what, name, strerror(errno));
	return code;
}

static int execute(char **argv, const sigset_t *mask)
{
	/* A process group of its own, in front, so that keys of a terminal go to it alone. */
	if (setpgid(0, 0) == 0 && isatty(STDIN_FILENO))
		tcsetpgrp(STDIN_FILENO, getpgrp()); /* SIGTTOU is blocked still */
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	return fail("exec ", argv[0], errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* All that have ended. 1 when the program is among them, with its status. */
static int reap(pid_t program, int *ret)
{
	int status, over = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		*ret = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		over = 1;
	}
	return over;
}

static int serve(pid_t program, const sigset_t *all)
{
	siginfo_t info;
	int status = EXIT_OURS;

	for (;;) {
		int sig = sigwaitinfo(all, &info);

		if (sig == SIGCHLD && reap(program, &status))
			return status;
		if (sig > 0 && sig != SIGCHLD)
			kill(program, sig);
		if (sig < 0 && errno != EINTR)
			return fail("wait for signals", "", EXIT_OURS);
	}
}

int main(int argc, char **argv)
{
	sigset_t all, before;
	pid_t program;

	if (argc < 2) {
		dprintf(STDERR_FILENO, "usage: cellar-pid1 PROGRAM [ARGUMENT...]\n");
		return EXIT_OURS;
	}
	sigfillset(&all);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigdelset(&all, faults[i]);
	sigprocmask(SIG_BLOCK, &all, &before);
	/* Where the container shares the host's processes it is not PID 1. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	program = fork();
	if (program < 0)
		return fail("start ", argv[1], EXIT_OURS);
	if (program == 0)
		_exit(execute(argv + 1, &before));
	return serve(program, &all);
}
