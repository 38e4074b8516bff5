/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/process.h"
#include "runtime/annotations.h"

#define SAID_BYTES_MAX 512
#define READS_MAX 64 /* at once: who writes without end must not keep us from its deadline */

/* One hook at work. */
struct run {
	const struct oci_hook *hook;
	const struct hooks_place *place;
	pid_t pid;
	int pidfd;	     /* owned */
	int stderr_fd;	     /* owned, read end */
	int64_t deadline_ns; /* 0: none */
	char said[SAID_BYTES_MAX + 1];
	size_t said_len;
};

static void run_deinit(struct run *run)
{
	cleanup_fd(&run->pidfd);
	cleanup_fd(&run->stderr_fd);
}

/* The document lies whole in a memfd: a hook that never reads it blocks nobody. */
static int open_stdin(const char *state, size_t len, struct err *err)
{
	_cleanup_fd_ int fd = memfd_create("oci-state", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(err, errno, "create the hook's stdin");
	r = fd_write_all(fd, state, len);
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, r < 0 ? -r : errno, "write the hook's stdin");
	return take_fd(&fd);
}

/* A file that collects what hooks say; fallback, still the caller's, without a path. */
static int open_output(const char *path, int fallback)
{
	if (!path)
		return fallback;
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
}

static _Noreturn void child(const struct run *run, pid_t parent, int in, int stderr_fd)
{
	const struct hooks_place *place = run->place;
	const struct oci_hook *hook = run->hook;
	const char *const self[] = { hook->path, NULL };
	const char *const *args = hook->args && hook->args[0] ? hook->args : self;
	/* Like other runtimes: a hook without an environment of its own has ours. */
	char *const *env = hook->env ? (char *const *)(uintptr_t)hook->env : environ;
	const char *why;
	int said, out;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* A group of its own, so that a timeout ends what a script has started too. */
	setpgid(0, 0);
	/* Nobody would wait for it, or care for what it does to a container that is given up. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	/* Not before: a FIFO that nobody reads may hold it up. */
	said = open_output(place->stderr_path, stderr_fd);
	out = said < 0 ? -1
		       : open_output(place->stdout_path ? place->stdout_path : "/dev/null", -1);
	if (dup2(stderr_fd, STDERR_FILENO) >= 0 && out >= 0 && said >= 0 &&
	    dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(said, STDERR_FILENO) >= 0 && chdir(place->cwd) == 0) {
		syscall(SYS_close_range, 3, UINT_MAX, 0);
		execve(hook->path, (char *const *)(uintptr_t)args, env);
	}
	why = strerror(errno);
	/* Nobody is told if even this fails; the status stands. */
	if (write(STDERR_FILENO, why, strlen(why)) < 0)
		_exit(126);
	_exit(127);
}

static int spawn(struct run *run, const char *state, size_t len, struct err *err)
{
	_cleanup_fd_ int in = open_stdin(state, len, err), out = -1;
	pid_t parent = getpid();
	int pipe_fds[2];

	if (in < 0)
		return in;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "create the hook's stderr");
	run->stderr_fd = pipe_fds[0];
	out = pipe_fds[1];
	fcntl(run->stderr_fd, F_SETFL, O_NONBLOCK);
	run->pid = process_clone(0, -1, &run->pidfd);
	if (run->pid == 0)
		child(run, parent, in, out);
	if (run->pid < 0)
		return err_set(err, -run->pid, "clone");
	/* Also here: whoever comes first, the group exists before a timeout needs it. */
	setpgid(run->pid, run->pid);
	if (run->hook->timeout_s > 0)
		run->deadline_ns = clock_monotonic_ns() + run->hook->timeout_s * 1000000000LL;
	return 0;
}

/* Takes what is there, or some of it, and keeps what fits. Closes at the end of the pipe. */
static void listen_to(struct run *run)
{
	char buf[1024];
	ssize_t n = 1;

	for (int i = 0; i < READS_MAX && run->stderr_fd >= 0; i++) {
		n = read(run->stderr_fd, buf, sizeof(buf));
		if (n <= 0)
			break;

		size_t room = SAID_BYTES_MAX - run->said_len;
		size_t take = (size_t)n < room ? (size_t)n : room;

		memcpy(run->said + run->said_len, buf, take);
		run->said_len += take;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(run->stderr_fd);
		run->stderr_fd = -1;
	}
}

/* Returns 0 when the hook is dead, -ETIMEDOUT when its time is over. */
static int wait_for_end(struct run *run)
{
	for (;;) {
		struct pollfd p[2] = { { .fd = run->pidfd, .events = POLLIN },
				       { .fd = run->stderr_fd, .events = POLLIN } };
		int64_t left_ms = -1;

		if (run->deadline_ns) {
			left_ms = (run->deadline_ns - clock_monotonic_ns() + 999999) / 1000000;
			left_ms = left_ms > 0 ? left_ms : 0;
		}
		if (poll(p, 2, (int)left_ms) < 0 && errno != EINTR)
			return -errno;
		listen_to(run);
		/* What has ended in time is not late because we are. */
		if (p[0].revents)
			return 0;
		if (left_ms == 0)
			return -ETIMEDOUT;
	}
}

/* What it said as part of one sentence: no line ends, no control characters. */
static const char *said(struct run *run)
{
	while (run->said_len > 0 && run->said[run->said_len - 1] <= ' ')
		run->said_len--;
	run->said[run->said_len] = '\0';
	for (char *c = run->said; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return run->said;
}

static int judge(struct run *run, int status, struct err *err)
{
	const char *text = said(run), *colon = text[0] ? ": " : "";

	if (WIFSIGNALED(status))
		return err_say(err, EIO, "killed by signal %d%s%s", WTERMSIG(status), colon, text);
	if (WEXITSTATUS(status) != 0)
		return err_say(err, EIO, "exit status %d%s%s", WEXITSTATUS(status), colon, text);
	return 0;
}

static int run_one(const struct oci_hook *hook, const struct hooks_place *place, const char *state,
		   size_t len, struct err *err)
{
	_cleanup_(run_deinit) struct run run = {
		.hook = hook, .place = place, .pidfd = -1, .stderr_fd = -1
	};
	int r = spawn(&run, state, len, err), status;

	if (r < 0)
		return r;
	r = wait_for_end(&run);
	if (r < 0) {
		kill(-run.pid, SIGKILL);
		process_pidfd_signal(run.pidfd, SIGKILL);
	}
	if (process_wait(run.pidfd, &status) < 0)
		return err_set(err, ECHILD, "wait for the hook");
	if (r == -ETIMEDOUT)
		return err_say(err, ETIMEDOUT, "hook ran past specified timeout of %d.0s%s%s",
			       hook->timeout_s, run.said_len ? ": " : "", said(&run));
	if (r < 0)
		return err_set(err, -r, "wait for the hook");
	return judge(&run, status, err);
}

struct hooks_place hooks_place(const struct oci_config *config, const char *bundle)
{
	return (struct hooks_place){
		.cwd = bundle,
		.stdout_path = oci_config_annotation(config, ANNOTATION_HOOKS_STDOUT),
		.stderr_path = oci_config_annotation(config, ANNOTATION_HOOKS_STDERR),
	};
}

int hooks_run(const char *name, const struct oci_hook_list *list, const struct hooks_place *place,
	      const char *state, size_t state_len, struct err *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (run_one(&list->hooks[i], place, state, state_len, err) < 0)
			return err_add(err, "error running %s hook #%zu: %s", name, i,
				       list->hooks[i].path);
	return 0;
}
