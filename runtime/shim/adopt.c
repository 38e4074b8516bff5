/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/adopt.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "runtime/shim/deadline.h"
#include "runtime/shim/end.h"
#include "runtime/shim/health.h"
#include "runtime/shim/io_pipe.h"
#include "runtime/shim/journal.h"
#include "runtime/shim/oom.h"
#include "runtime/shim/task_network.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/restart.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/task_work.h"

#define UNKNOWN_STATUS 255
/* Should it be reaped in the midst of our look: nothing tells older kernels' pidfds of that. */
#define REAP_POLL_NS INT64_C(10000000)
#define REAP_POLLS 300

struct adopted {
	struct task *task;
	int pidfd;
	struct loop_source *source, *timer;
	unsigned polls;
};

struct adopted *adopted_free(struct adopted *a)
{
	if (!a)
		return NULL;
	loop_remove(a->source);
	loop_remove(a->timer);
	cleanup_fd(&a->pidfd);
	free(a);
	return NULL;
}

static int on_dead(void *data)
{
	struct adopted *a = data;
	struct process *init = &a->task->init;
	int status, r;

	a->timer = NULL;
	r = process_pidfd_exit(a->pidfd, init->pid, &status);
	if (r == -EAGAIN && ++a->polls < REAP_POLLS &&
	    loop_add_time(a->task->shim->loop, clock_monotonic_ns() + REAP_POLL_NS, on_dead, a,
			  &a->timer, NULL) == 0)
		return 0;
	init->exit_unknown = r < 0;
	a->task->adopted = NULL;
	process_end(init, r < 0 ? UNKNOWN_STATUS : (uint32_t)process_exit_code(status));
	adopted_free(a);
	return 0;
}

static int on_pidfd(void *data, uint32_t events)
{
	struct adopted *a = data;

	(void)events;
	a->source = loop_remove(a->source);
	return on_dead(a);
}

/* Takes pidfd over. */
static int watch(struct task *task, int pidfd, struct err *err)
{
	struct adopted *a = calloc(1, sizeof(*a));
	int r;

	if (!a) {
		close(pidfd);
		return err_set(err, ENOMEM, "adopt container %s", task->id);
	}
	*a = (struct adopted){ .task = task, .pidfd = pidfd };
	r = loop_add_fd(task->shim->loop, pidfd, EPOLLIN, on_pidfd, a, &a->source, err);
	if (r < 0)
		adopted_free(a);
	else
		task->adopted = a;
	return r;
}

static void find_pipes(struct task *task, const Journal__Create *create, int ret[static 3])
{
	const struct backend_ops *backend = task->shim->options->backend;
	_cleanup_free_ pid_t *pids = NULL;
	size_t count = 0;

	ret[0] = ret[1] = ret[2] = -1;
	if (create->n_pipes != 3)
		return;
	memcpy(task->pipes, create->pipes, sizeof(task->pipes));
	if (task->handle && backend->pids(task->handle, &pids, &count, NULL) == 0)
		io_pipe_find(pids, count, task->pipes, ret);
}

static int open_stdio(struct task *task, const Journal__Create *create, struct err *err)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	int pipes[3], r;

	find_pipes(task, create, pipes);
	r = task_launch_stdio(task, pipes, NULL, err);
	if (r < 0)
		return r;
	if (task->spool && task->log)
		spool_recover(task->spool, task->log, names, ARRAY_SIZE(names));
	return io_attach(task->init.io, -1, err);
}

static int open_container(struct task *task, struct backend_process *ret, struct err *err)
{
	const struct backend_create o = {
		.root = task->runtime_root,
		.id = task->id,
		.bundle = task->bundle,
	};
	struct err why = { 0 };
	int r = task->shim->options->backend->adopt(&o, &task->handle, ret, &why);

	/* Without one it has ended and was cleaned up; one that waits for its restart has none. */
	if (r == 0 || r == -ENOENT)
		return 0;
	/* It will stay so: what is left of the container is ended. Anything else may pass. */
	if (r != -EBADMSG)
		return err_say(err, -r, "%s", why.text);
	log_warn("%s", why.text);
	task->lost = true;
	return 0;
}

/* Where somebody else has taken one meanwhile, the container is better without it than dead. */
static void open_ports(struct task *task)
{
	struct err err = { 0 };

	if (task_open_network(task, NULL, &err) < 0)
		log_warn("container %s: %s", task->id, err.text);
}

/* The init as it was found. */
static int go_on(struct task *task, const struct backend_process *found, struct err *err)
{
	struct process *init = &task->init;
	int r;

	init->pid = found->pid;
	/* Its shim died between the start of the next run and its word of it. */
	if (task->restart.pending && found->pidfd >= 0 && found->started) {
		task->restart.pending = false;
		task->restart.count++;
		init->exit_unknown = false;
		init->started_ns = 0;
	}
	if (task->restart.pending) {
		if (found->pidfd >= 0)
			close(found->pidfd);
		init->status = PROCESS_STOPPED;
		restart_resume(task);
		return 0;
	}
	init->status = PROCESS_RUNNING;
	task->paused = found->paused;
	oom_watch(task, 0);
	if (found->pidfd < 0) {
		init->exit_unknown = true;
		process_end(init, UNKNOWN_STATUS);
		return 0;
	}
	if (!init->started_ns)
		init->started_ns = clock_realtime_ns();
	r = watch(task, found->pidfd, err);
	/* Nobody can start it any more, or read its terminal. */
	if (r == 0 && (init->terminal || !found->started))
		task->shim->options->backend->kill(task->handle, SIGKILL, true, NULL);
	else if (r == 0)
		health_resume(task);
	return r;
}

static int adopt(struct task *task, const Journal__Create *create, struct err *err)
{
	struct backend_process found = { .pidfd = -1, .console_fd = -1 };
	int r = task_read_options(task, create->request, err);

	if (r < 0)
		return r;
	task->slow = task_work_is_wanted(task->bundle);
	task->mounted = create->request->n_rootfs > 0;
	task->lock_fd = journal_lock(task->bundle, err);
	if (task->lock_fd < 0)
		return task->lock_fd;
	r = open_container(task, &found, err);
	if (r < 0)
		return r;
	restart_load(task);
	open_ports(task);
	r = open_stdio(task, create, err);
	if (r < 0) {
		cleanup_fd(&found.pidfd);
		return r;
	}
	r = go_on(task, &found, err);
	if (r == 0)
		deadline_resume(task);
	return r;
}

int adopt_task(struct shim *shim, const char *bundle, struct err *err)
{
	_cleanup_proto_ Journal__Create *create = NULL;
	struct task *task;
	int r = journal_read_create(bundle, &create, err);

	if (r < 0)
		return r;
	task = task_new(shim, create->request);
	if (!task)
		return err_set(err, ENOMEM, "adopt container %s", create->request->id);
	task->next = shim->tasks;
	shim->tasks = task;
	shim->had_task = true;
	r = adopt(task, create, err);
	if (r < 0)
		task_free(task);
	return r < 0 ? err_add(err, "adopt") : 0;
}
