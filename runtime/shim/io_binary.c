/* SPDX-License-Identifier: Apache-2.0 */
/* Loggers that are programs: binary:///PROGRAM?KEY=VALUE. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/process.h"
#include "runtime/shim/io_open.h"

#define READY_MS 10000
#define ARGS_MAX 64

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes a URL's %XX and '+' in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			*to++ = (char)(hex(s[1]) << 4 | hex(s[2]));
			s += 2;
		} else {
			*to++ = *s == '+' ? ' ' : *s;
		}
	}
	*to = '\0';
}

/* The program's argv: its path, then keys and values in order. */
static int parse(const char *uri, struct arena *arena, char *argv[static ARGS_MAX + 2],
		 struct err *err)
{
	char *text = arena_strdup(arena, uri + strlen("binary://")), *query, *pair, *save = NULL;
	size_t count = 0;

	if (!text)
		return err_set(err, ENOMEM, "start logger");
	query = strchr(text, '?');
	if (query)
		*query++ = '\0';
	argv[count++] = text;
	for (pair = query ? strtok_r(query, "&", &save) : NULL; pair;
	     pair = strtok_r(NULL, "&", &save)) {
		char *value = strchr(pair, '=');

		if (count + 2 > ARGS_MAX)
			return err_say(err, EINVAL, "logger %s: too many arguments", text);
		if (value)
			*value++ = '\0';
		unescape(pair);
		argv[count++] = pair;
		if (value && *value) {
			unescape(value);
			argv[count++] = value;
		}
	}
	argv[count] = NULL;
	if (text[0] != '/')
		return err_say(err, EINVAL, "logger %s is not an absolute path", uri);
	return 0;
}

static _Noreturn void child(char *const *argv, char *const *env, const int fds[3])
{
	int safe[3], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	/* Away from 3 to 5 first: the order of the final dup2 must not matter. */
	for (int i = 0; i < 3; i++)
		safe[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 10);
	for (int i = 0; i < 3; i++)
		dup2(safe[i], 3 + i);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], argv, env);
	_exit(127);
}

/* Readiness is the end of file on the pipe, or a byte. */
static int wait_ready(int fd, const char *program, struct err *err)
{
	int64_t deadline = clock_monotonic_ns() + (int64_t)READY_MS * 1000000;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		int64_t left = (deadline - clock_monotonic_ns()) / 1000000;
		int r = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (r > 0)
			return 0;
		if (r == 0)
			return err_say(err, ETIMEDOUT, "logger %s was not ready after %d s",
				       program, READY_MS / 1000);
		if (errno != EINTR)
			return err_set(err, errno, "wait for logger %s", program);
	}
}

/* Of each pipe [0] is the logger's reading end, of `ready` ours. */
struct pipes {
	int out[2], error[2], ready[2];
};

static void pipes_close(struct pipes *p)
{
	int *all[] = { p->out, p->error, p->ready };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (int end = 0; end < 2; end++) {
			cleanup_fd(&all[i][end]);
			all[i][end] = -1;
		}
}

static int start_logger(char *const *argv, char *const *env, struct pipes *p, pid_t *ret_pid,
			struct err *err)
{
	_cleanup_fd_ int pidfd = -1;
	pid_t pid;
	int r;

	if (pipe2(p->out, O_CLOEXEC) < 0 || pipe2(p->error, O_CLOEXEC) < 0 ||
	    pipe2(p->ready, O_CLOEXEC) < 0 || fcntl(p->out[1], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(p->error[1], F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "make pipes for logger %s", argv[0]);
	pid = process_clone(0, -1, &pidfd);
	if (pid < 0)
		return err_set(err, -pid, "start logger %s", argv[0]);
	if (pid == 0)
		child(argv, env, (int[]){ p->out[0], p->error[0], p->ready[1] });
	close(take_fd(&p->ready[1]));
	r = wait_ready(p->ready[0], argv[0], err);
	if (r < 0)
		process_pidfd_signal(pidfd, SIGKILL);
	else
		*ret_pid = pid;
	return r;
}

int io_start_binary(const char *uri, const char *id, const char *namespace_, int ret_fds[static 2],
		    pid_t *ret_pid, struct err *err)
{
	_cleanup_(pipes_close) struct pipes pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	_cleanup_arena_ struct arena *arena = arena_new();
	char *argv[ARGS_MAX + 2], *env[3] = { NULL };
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "start logger");
	r = parse(uri, arena, argv, err);
	if (r < 0)
		return r;
	env[0] = arena_printf(arena, "CONTAINER_ID=%s", id);
	env[1] = arena_printf(arena, "CONTAINER_NAMESPACE=%s", namespace_);
	if (!env[0] || !env[1])
		return err_set(err, ENOMEM, "start logger");
	r = start_logger(argv, env, &pipes, ret_pid, err);
	if (r < 0)
		return r;
	ret_fds[0] = take_fd(&pipes.out[1]);
	ret_fds[1] = take_fd(&pipes.error[1]);
	return 0;
}
