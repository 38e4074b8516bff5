/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroups/systemd_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/program.h"

#define HELPER "cellar-systemd"
/* Longer than its own patience (cmd/cellar-systemd), which gives the better sentence. */
#define TIMEOUT_NS (32 * 1000000000LL)
#define ANSWER_MAX 4096

/* All that it is to know of our environment: where the buses are. */
static const char *const passed_on[] = { "DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS",
					 "XDG_RUNTIME_DIR" };

/* What it is to read lies whole in a memfd, so neither side ever waits for the other to read. */
static int open_request(const struct systemd_request *request, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = memfd_create("systemd-request", MFD_CLOEXEC);
	size_t len;

	if (fd < 0)
		return err_set(err, errno, "write a request to systemd");
	text = systemd_request_format(request, &len);
	if (!text)
		return err_set(err, ENOMEM, "write a request to systemd");
	if (fd_write_all(fd, text, len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, EIO, "write a request to systemd");
	return take_fd(&fd);
}

static _Noreturn void child(const char *path, int in, int out)
{
	char *env[ARRAY_SIZE(passed_on) + 1] = { NULL }, *args[] = { (char[]){ HELPER }, NULL };
	size_t count = 0;
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		const char *value = getenv(passed_on[i]);
		size_t size = value ? strlen(passed_on[i]) + strlen(value) + 2 : 0;

		/* A copy of ourselves, with one thread: it may allocate. */
		if (value && (env[count] = malloc(size)))
			snprintf(env[count++], size, "%s=%s", passed_on[i], value);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0) {
		syscall(SYS_close_range, 3, UINT_MAX, 0);
		execve(path, args, env);
	}
	_exit(127);
}

/* Until the helper has closed its output. -ETIMEDOUT. */
static int read_answer(int fd, char buf[static ANSWER_MAX], size_t *ret_len)
{
	int64_t deadline = clock_monotonic_ns() + TIMEOUT_NS;
	size_t len = 0;

	while (len < ANSWER_MAX - 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left_ms = (deadline - clock_monotonic_ns()) / 1000000;
		int r = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;
		ssize_t n;

		if (r == 0)
			return -ETIMEDOUT;
		n = r < 0 ? r : read(fd, buf + len, ANSWER_MAX - 1 - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	buf[len] = '\0';
	*ret_len = len;
	return 0;
}

/* It may not have got as far as to speak our language: a library is missing, it crashed. */
static int understand(const char *text, size_t len, struct arena *arena, const char **ret_cgroup,
		      struct err *err)
{
	if (text[0] == '{')
		return systemd_answer_parse(text, len, arena, ret_cgroup, err);
	return err_say(err, EIO, "%s: %.*s", HELPER, len ? (int)strcspn(text, "\n") : 99,
		       len ? text : "it ended without a word");
}

int systemd_ask(const struct systemd_request *request, struct arena *arena, const char **ret_cgroup,
		struct err *err)
{
	_cleanup_fd_ int in = open_request(request, err), out = -1, answer = -1, pidfd = -1;
	char path[PATH_MAX], text[ANSWER_MAX];
	int pipe_fds[2], r, status;
	const char *cgroup = NULL;
	size_t len = 0;
	pid_t pid;

	if (in < 0)
		return in;
	if (program_find(HELPER, path, err) < 0)
		return err_add(err, "systemd cgroup driver");
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "start %s", HELPER);
	answer = pipe_fds[0];
	out = pipe_fds[1];
	pid = process_clone(0, -1, &pidfd);
	if (pid == 0)
		child(path, in, out);
	if (pid < 0)
		return err_set(err, -pid, "start %s", HELPER);
	close(take_fd(&out));
	r = read_answer(answer, text, &len);
	if (r < 0)
		process_pidfd_signal(pidfd, SIGKILL);
	process_wait(pidfd, &status);
	if (r == -ETIMEDOUT)
		return err_say(err, ETIMEDOUT, "%s does not answer", HELPER);
	if (r < 0)
		return err_set(err, -r, "read the answer of %s", HELPER);
	r = understand(text, len, arena, &cgroup, err);
	if (r == 0 && ret_cgroup)
		*ret_cgroup = cgroup;
	return r;
}
