/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/io_logger.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/process.h"

#define READY_NS INT64_C(10000000000)
#define ARGS_MAX 64

struct io_logger {
	struct io_logger_options o;
	char *program; /* for what is said of it */
	int pidfd, ready_fd;
	struct loop_source *source, *timer;
};

bool io_is_logger(const char *path)
{
	return path && strncmp(path, "binary://", strlen("binary://")) == 0;
}

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
	return access(text, X_OK) < 0 ? err_set(err, errno, "execute logger %s", text) : 0;
}

static _Noreturn void child(char *const *argv, char *const *env, const int fds[3])
{
	int safe[3], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	/* Away from 3 to 5 first: the order of the final dup2 must not matter. */
	null = fcntl(null, F_DUPFD_CLOEXEC, 10);
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

static struct io_logger *release(struct io_logger *logger)
{
	loop_remove(logger->source);
	loop_remove(logger->timer);
	cleanup_fd(&logger->pidfd);
	cleanup_fd(&logger->ready_fd);
	free(logger->program);
	free(logger);
	return NULL;
}

struct io_logger *io_logger_free(struct io_logger *logger)
{
	if (!logger)
		return NULL;
	process_pidfd_signal(logger->pidfd, SIGKILL);
	return release(logger);
}

/* Readiness is the end of file on the pipe, or a byte. */
static int on_ready(void *data, uint32_t events)
{
	struct io_logger *logger = data;
	struct io_logger_options o = logger->o;

	(void)events;
	release(logger);
	o.over(o.data, NULL);
	return 0;
}

static int on_timer(void *data)
{
	struct io_logger *logger = data;
	struct io_logger_options o = logger->o;
	struct err err = { 0 };

	logger->timer = NULL;
	err_say(&err, ETIMEDOUT, "logger %s was not ready after %d s", logger->program,
		(int)(READY_NS / 1000000000));
	io_logger_free(logger);
	o.over(o.data, &err);
	return 0;
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

static int start(struct io_logger *logger, char *const *argv, char *const *env, struct pipes *p,
		 struct err *err)
{
	struct loop *loop = logger->o.loop;
	pid_t pid;
	int r;

	logger->program = strdup(argv[0]);
	if (!logger->program)
		return err_set(err, ENOMEM, "start logger %s", argv[0]);
	if (pipe2(p->out, O_CLOEXEC) < 0 || pipe2(p->error, O_CLOEXEC) < 0 ||
	    pipe2(p->ready, O_CLOEXEC) < 0 || fcntl(p->out[1], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(p->error[1], F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "make pipes for logger %s", argv[0]);
	pid = process_clone(0, -1, &logger->pidfd);
	if (pid < 0)
		return err_set(err, -pid, "start logger %s", argv[0]);
	if (pid == 0)
		child(argv, env, (int[]){ p->out[0], p->error[0], p->ready[1] });
	logger->ready_fd = take_fd(&p->ready[0]);
	r = loop_add_fd(loop, logger->ready_fd, EPOLLIN, on_ready, logger, &logger->source, err);
	if (r == 0)
		r = loop_add_time(loop, clock_monotonic_ns() + READY_NS, on_timer, logger,
				  &logger->timer, err);
	return r;
}

int io_logger_start(const struct io_logger_options *o, int ret_fds[static 2],
		    struct io_logger **ret, struct err *err)
{
	_cleanup_(pipes_close) struct pipes pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct io_logger *logger;
	char *argv[ARGS_MAX + 2], *env[3] = { NULL };
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "start logger");
	err_try(parse(o->uri, arena, argv, err));
	env[0] = arena_printf(arena, "CONTAINER_ID=%s", o->id);
	env[1] = arena_printf(arena, "CONTAINER_NAMESPACE=%s", o->namespace_);
	logger = calloc(1, sizeof(*logger));
	if (!env[0] || !env[1] || !logger) {
		free(logger);
		return err_set(err, ENOMEM, "start logger");
	}
	*logger = (struct io_logger){ .o = *o, .pidfd = -1, .ready_fd = -1 };
	r = start(logger, argv, env, &pipes, err);
	if (r < 0) {
		io_logger_free(logger);
		return r;
	}
	ret_fds[0] = take_fd(&pipes.out[1]);
	ret_fds[1] = take_fd(&pipes.error[1]);
	*ret = logger;
	return 0;
}
