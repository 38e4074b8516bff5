/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kills a program at a chosen moment, the same one at every repetition: it traces a command with
 *all its descendants, counts the system calls of the program that is asked for, and sends SIGKILL
 *when the N-th is about to be made, which then is not made. N from 1 to the count is every moment
 *at which the outside world could be found different.
 *
 *	killer count COMMAND...		prints "PROGRAM CALLS" for each program there was
 *	killer PROGRAM N COMMAND...	prints what it killed, nothing when it never came to N
 *
 * PROGRAM is the name of the executed file ("cellar-init" for the memfd of that name). Output goes
 * to fd 3; the status is the command's, or 128 and the signal that ended it.
 *
 * Three processes: the command's first process is a child of main(), which hands on its status; the
 * tracer is another child, whose end sets all that is left free to run on, as after a kill by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define PROGRAMS_MAX 64
#define PIDS_MAX 32768 /* pid_max of a usual host; more are wrapped around */
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC)

static struct program {
	char name[256];
	long calls;
} programs[PROGRAMS_MAX];
static size_t programs_count;

/* By pid: the program it runs. Kept beyond its end, for a pid that is used again is set anew. */
static struct program *running[PIDS_MAX];

static const char *wanted; /* NULL: only count */
static long wanted_call;
static bool killed;

static struct program *find_program(const char *name)
{
	for (size_t i = 0; i < programs_count; i++)
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	if (programs_count == PROGRAMS_MAX)
		return &programs[PROGRAMS_MAX - 1];
	snprintf(programs[programs_count].name, sizeof(programs->name), "%.255s", name);
	return &programs[programs_count++];
}

/* "/usr/bin/ctr", "/memfd:cellar-init (deleted)" */
static struct program *look_up(pid_t pid)
{
	char link[64], path[4096];
	ssize_t n;
	char *name;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	name = strstr(path, "/memfd:");
	name = name ? name + strlen("/memfd:") : strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	name[strcspn(name, " ")] = '\0';
	return find_program(name);
}

static struct program **slot(pid_t pid)
{
	return &running[(size_t)pid % PIDS_MAX];
}

/* At the entry of a system call. True when the process has been killed. */
static bool count_call(pid_t pid)
{
	struct ptrace_syscall_info info;
	struct program **program = slot(pid);

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	if (!*program)
		*program = look_up(pid);
	(*program)->calls++;
	if (killed || !wanted || strcmp((*program)->name, wanted) != 0 ||
	    (*program)->calls != wanted_call)
		return false;
	kill(pid, SIGKILL);
	killed = true;
	dprintf(3, "killed %s, process %d, before call %ld, which is number %d\n", wanted, (int)pid,
		wanted_call, (int)info.entry.nr);
	return true;
}

/* Returns the signal to hand to the process, or -1 to leave it alone. */
static int on_stop(pid_t pid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (signal == (SIGTRAP | 0x80))
		return count_call(pid) ? -1 : 0;
	if (event == PTRACE_EVENT_EXEC)
		*slot(pid) = look_up(pid);
	/* A child that was just born, and one that job control stopped. */
	if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
		ptrace(PTRACE_LISTEN, pid, 0, 0);
		return -1;
	}
	if (event == PTRACE_EVENT_STOP)
		*slot(pid) = look_up(pid);
	return event ? 0 : signal;
}

/* Until everything has ended, or the time after the first process's end, or the kill is done. */
static void trace(pid_t first)
{
	int status;
	pid_t pid;

	while (!killed && (pid = waitpid(-1, &status, __WALL)) > 0) {
		int signal;

		if (!WIFSTOPPED(status)) {
			/* What it started has a second to end, too. */
			if (pid == first)
				alarm(1);
			continue;
		}
		signal = on_stop(pid, status);
		if (signal >= 0)
			ptrace(PTRACE_SYSCALL, pid, 0, signal);
	}
	for (size_t i = 0; !wanted && i < programs_count; i++)
		dprintf(3, "%s %ld\n", programs[i].name, programs[i].calls);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void tracer(pid_t first, int go)
{
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	if (ptrace(PTRACE_SEIZE, first, 0, OPTIONS) < 0 ||
	    ptrace(PTRACE_INTERRUPT, first, 0, 0) < 0) {
		perror("killer: seize the command");
		_exit(125);
	}
	close(go);
	trace(first);
	_exit(0);
}

int main(int argc, char **argv)
{
	int go[2], status = 0;
	pid_t first, second;
	char byte;

	if (argc > 3 && strcmp(argv[1], "count") != 0) {
		wanted = argv[1];
		wanted_call = atol(argv[2]);
		argv++;
	}
	if (argc < 3 || pipe2(go, O_CLOEXEC) < 0)
		return 125;
	first = fork();
	if (first == 0) {
		close(go[1]);
		/* EOF comes when the tracer is ready. */
		while (read(go[0], &byte, 1) < 0 && errno == EINTR)
			;
		close(3);
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	second = fork();
	if (second == 0) {
		close(go[0]);
		tracer(first, go[1]);
	}
	close(go[0]);
	close(go[1]);
	while (waitpid(first, &status, 0) < 0 && errno == EINTR)
		;
	/* What the command started and left may be what is to be killed. */
	while (waitpid(second, NULL, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
