/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks. Those of the runtime run there, while we wait; createContainer hooks run here before the
 * root is entered (their path is the host's), startContainer hooks just before the program.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

static char **pointers(struct init *in, struct plan_list list)
{
	static char *none[] = { NULL };
	uint64_t *slots = (uint64_t *)(void *)((char *)in->plan + list.offset);

	if (list.offset == 0)
		return none;
	for (uint32_t i = 0; i < list.count; i++)
		((char **)slots)[i] = (char *)in->plan + slots[i];
	return (char **)slots;
}

/* The container's own program: no more than that may. One listener is all that an agent gets. */
static int confine(struct init *in, struct err *err)
{
	return in->plan->flags & PLAN_LISTENER ? identity_seal(in, err) : program_confine(in, err);
}

/* One without its own has the program's, of which init finds HOME out. */
static char **environment(struct init *in, const struct plan_hook *hook)
{
	const struct plan *plan = in->plan;
	char **env = pointers(in, hook->env);

	if (hook->env.offset == plan->env.offset && plan->flags & PLAN_NEEDS_HOME && in->home[0])
		env[plan->env.count - 1] = in->home;
	return env;
}

static _Noreturn void run_child(struct init *in, const struct plan_hook *hook, int state_fd,
				int output_fd, bool seal)
{
	int out = in->begin.hook_stdout_fd, said = in->begin.hook_stderr_fd;
	struct err err = { 0 };

	out = out >= 0 ? in->fds[out] : output_fd;
	said = said >= 0 ? in->fds[said] : output_fd;

	umask(022);
	/* Where nothing is to be sealed the host's root is still ours: runc's hooks find themselves
	 * in the container's. */
	if (dup2(state_fd, 0) >= 0 && dup2(out, 1) >= 0 && dup2(said, 2) >= 0 &&
	    (seal || fchdir(in->root_fd) == 0)) {
		/* Before the filter, which may not allow it. */
		sys_close_range(3, ~0u, 0);
		if (!seal || confine(in, &err) == 0) {
			execve(init_string(in, hook->path), pointers(in, hook->args),
			       environment(in, hook));
			err_set(&err, errno, "exec");
		}
	}
	dprintf(2, "%s", err.text);
	_exit(127);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Reads what the hook says until it ends or its time is up; keeps the first of it. The hook's end
 * counts, not the pipe's, which a daemon left behind may hold open.
 */
static int watch(int pidfd, int output_fd, uint32_t timeout_s, char *text, size_t size)
{
	int64_t deadline = now_ms() + (int64_t)timeout_s * 1000;
	struct pollfd fds[] = { { pidfd, POLLIN, 0 }, { output_fd, POLLIN, 0 } };
	size_t len = 0;

	while (!(fds[0].revents & POLLIN) || fds[1].revents & POLLIN) {
		int64_t left = timeout_s ? deadline - now_ms() : -1;
		char waste[512];
		ssize_t n;

		if (timeout_s && left <= 0)
			return -ETIMEDOUT;
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return -errno;
		if (!(fds[1].revents & (POLLIN | POLLHUP)))
			continue;
		n = len + 1 < size ? read(output_fd, text + len, size - len - 1)
				   : read(output_fd, waste, sizeof(waste));
		if (n > 0 && len + 1 < size)
			len += (size_t)n;
		if (n <= 0) {
			fds[1].fd = -1;
			fds[1].revents = 0;
		}
	}
	text[len] = '\0';
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	return 0;
}

/* place: where it stands in the list, the list's name with it. */
static int run_hook(struct init *in, const struct plan_hook *hook, const char *place, int state_fd,
		    bool seal, struct err *err)
{
	const char *path = init_string(in, hook->path);
	_cleanup_fd_ int pidfd = -1, read_fd = -1, write_fd = -1;
	char text[400] = "";
	int pipe_fds[2], r, status;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "%s %s", place, path);
	read_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	lseek(state_fd, 0, SEEK_SET);
	pid = fork();
	if (pid == 0)
		run_child(in, hook, state_fd, write_fd, seal);
	pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return err_set(err, errno, "%s %s", place, path);
	close(take_fd(&write_fd));
	r = watch(pidfd, read_fd, hook->timeout_s, text, sizeof(text));
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r == -ETIMEDOUT)
		return err_say(err, ETIMEDOUT, "%s %s: hook ran past specified timeout of %u.0s",
			       place, path, hook->timeout_s);
	if (r < 0)
		return err_set(err, -r, "%s %s: watch", place, path);
	if (WIFSIGNALED(status))
		return err_say(err, EIO, "%s %s: killed by signal %d %s", place, path,
			       WTERMSIG(status), text);
	if (WEXITSTATUS(status) != 0)
		return err_say(err, EIO, "%s %s: exit status %d%s%s", place, path,
			       WEXITSTATUS(status), text[0] ? ": " : "", text);
	return 0;
}

static int run_hooks(struct init *in, struct plan_list list, const char *kind, int state_fd,
		     bool seal, struct err *err)
{
	char place[64];
	int i = 0;

	if (list.count > 0 && state_fd < 0)
		return err_say(err, EINVAL, "%s hooks: the runtime sent no state", kind);
	PLAN_EACH(plan_hook, hook, in->plan, list)
	{
		snprintf(place, sizeof(place), "error running %s hook #%d:", kind, i++);
		if (run_hook(in, hook, place, state_fd, seal, err) < 0)
			return -err->code;
	}
	return 0;
}

int hooks_create(struct init *in, struct err *err)
{
	if (!in->begin.want_hooks)
		return 0;
	if (channel_send(in, SYNC_HOOKS, 0, -1, err) < 0 ||
	    channel_wait(in, SYNC_HOOKS_DONE, in->state_fds, err) < 0)
		return -err->code;
	return run_hooks(in, in->plan->create_hooks, "createContainer", in->state_fds[0], false,
			 err);
}

int hooks_start(struct init *in, struct err *err)
{
	return run_hooks(in, in->plan->start_hooks, "startContainer", in->state_fds[1], true, err);
}
