/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/work.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/process.h"

struct work {
	struct loop_source *source;
	int pidfd, answer;
	work_done_fn done;
	void *data;
};

static struct work *work_free(struct work *work)
{
	loop_remove(work->source);
	cleanup_fd(&work->pidfd);
	cleanup_fd(&work->answer);
	free(work);
	return NULL;
}

/* The answer fits into the pipe, so that it is whole once the child has ended. */
static int on_end(void *data, uint32_t events)
{
	struct work *work = data;
	struct err err = { 0 };
	work_done_fn done = work->done;
	void *done_data = work->data;
	int status = 0;

	(void)events;
	process_wait(work->pidfd, &status);
	if (fd_read_exact(work->answer, &err, sizeof(err)) < 0)
		err_say(&err, EIO, "a worker of the agent was killed (status %d)",
			process_exit_code(status));
	work_free(work);
	done(done_data, &err);
	return 0;
}

/* The loop blocks signals for its own sake. */
static void run_child(work_fn fn, void *data, int answer, pid_t parent)
{
	struct err err = { 0 };
	sigset_t none;
	int r;

	/* Half a container without anybody who knows of it would be the worst of all ends. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	r = fn(data, &err);
	if (r < 0 && !err.code)
		err_say(&err, EIO, "a worker of the agent failed");
	/* What went wrong on the way to a good end is no answer. */
	if (r >= 0)
		err = (struct err){ 0 };
	_exit(fd_write_all(answer, &err, sizeof(err)) < 0);
}

int work_start(struct loop *loop, work_fn fn, work_done_fn done, void *data, struct work **ret,
	       struct err *err)
{
	struct work *work = calloc(1, sizeof(*work));
	int fds[2], r;
	pid_t pid, self = getpid();

	if (!work)
		return err_set(err, ENOMEM, "start a worker");
	if (pipe2(fds, O_CLOEXEC) < 0) {
		free(work);
		return err_set(err, errno, "start a worker");
	}
	*work = (struct work){ .pidfd = -1, .answer = fds[0], .done = done, .data = data };
	pid = process_clone(0, -1, &work->pidfd);
	if (pid == 0)
		run_child(fn, data, fds[1], self);
	close(fds[1]);
	r = pid < 0 ? err_set(err, (int)-pid, "start a worker")
		    : loop_add_fd(loop, work->pidfd, EPOLLIN, on_end, work, &work->source, err);
	if (r < 0) {
		if (pid > 0)
			work_cancel(work);
		else
			work_free(work);
		return r;
	}
	*ret = work;
	return 0;
}

struct work *work_cancel(struct work *work)
{
	int status;

	if (!work)
		return NULL;
	process_pidfd_signal(work->pidfd, SIGKILL);
	process_wait(work->pidfd, &status);
	return work_free(work);
}
