/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/task_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "runtime/shim/end.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/health.h"
#include "runtime/shim/journal.h"
#include "runtime/shim/oom.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/task_news.h"

static int open_log(struct task *task, struct err *err)
{
	const struct shim_log_options o = {
		.path = task->log_path,
		.max_bytes = task->policy.log_max_bytes,
		.max_files = task->policy.log_max_files,
	};

	return task->log_path ? shim_log_open(&o, &task->log, err) : 0;
}

/* Where there is no room for it a killed shim loses what was under way. */
static void open_spool(struct task *task)
{
	char path[PATH_MAX];
	struct err err = { 0 };

	if (!task->log || !task->io_dir ||
	    snprintf(path, sizeof(path), "%s/spool", task->io_dir) >= (int)sizeof(path))
		return;
	if (dir_create(AT_FDCWD, task->io_dir, 0700, &err) < 0 ||
	    spool_open(path, &task->spool, &err) < 0)
		log_warn("%s", err.text);
}

static int open_stdio(struct task *task, const int *pipes, const Upgrade__Io *saved,
		      void (*ready)(void *, const struct err *), struct err *err)
{
	struct process *init = &task->init;
	struct io_options o = {
		.loop = task->shim->loop,
		.terminal = init->terminal,
		.durable = task->durable,
		.keep_stdin = task->keep_stdin,
		.lasting = task->io_dir && !init->terminal,
		.renewable = task->io_dir && !task->remove,
		.stdin_path = init->stdin_path,
		.stdout_path = init->stdout_path,
		.stderr_path = init->stderr_path,
		.pipes = pipes,
		.id = task->id,
		.namespace_ = task->shim->options->namespace_,
		.uid = task->io_uid,
		.gid = task->io_gid,
		.ready = ready,
		.drained = process_drained,
		.data = init,
	};
	int r = open_log(task, err);

	if (r < 0)
		return r;
	open_spool(task);
	o.log = task->log;
	o.spool = task->spool;
	return saved ? io_restore(&o, saved, &init->io, err) : io_new(&o, &init->io, err);
}

int task_launch_stdio(struct task *task, const int *pipes,
		      void (*ready)(void *, const struct err *), struct err *err)
{
	return open_stdio(task, pipes, NULL, ready, err);
}

int task_launch_restore_stdio(struct task *task, const Upgrade__Io *saved, struct err *err)
{
	return open_stdio(task, NULL, saved, NULL, err);
}

void task_launch_exec_options(struct process *p, struct io_options *ret)
{
	const struct task *task = p->task;

	*ret = (struct io_options){
		.loop = task->shim->loop,
		.terminal = p->terminal,
		.durable = task->durable,
		.stdin_path = p->stdin_path,
		.stdout_path = p->stdout_path,
		.stderr_path = p->stderr_path,
		.id = task->id,
		.namespace_ = task->shim->options->namespace_,
		.uid = task->io_uid,
		.gid = task->io_gid,
		.drained = process_drained,
		.data = p,
	};
}

void task_launch_fill(const struct task *task, struct backend_create *ret)
{
	const struct process *init = &task->init;

	*ret = (struct backend_create){
		.root = task->runtime_root,
		.id = task->id,
		.bundle = task->bundle,
		.stdio = init->io ? io_child_fds(init->io) : NULL,
		.terminal = init->terminal,
		.no_pivot = task->no_pivot,
		.no_new_keyring = task->no_new_keyring,
		.cgroups = task->cgroups,
	};
}

static int attach(struct task *task, pid_t pid, int console_fd, struct err *err)
{
	struct process *init = &task->init;
	int r;

	init->pid = pid;
	init->status = PROCESS_CREATED;
	oom_watch(task, 0);
	r = io_attach(init->io, console_fd, err);
	if (r == 0 && process_watch(init) < 0)
		r = err_set(err, ENOMEM, "create container %s", task->id);
	return r;
}

int task_launch_container(struct task *task, struct err *err)
{
	struct backend_process made = { .pidfd = -1, .console_fd = -1 };
	struct backend_create o;
	int r;

	task_launch_fill(task, &o);
	r = task->shim->options->backend->create(&o, &task->handle, &made, err);
	return r < 0 ? r : attach(task, made.pid, made.console_fd, err);
}

int task_launch_take(struct task *task, pid_t pid, int *console_fd, struct err *err)
{
	struct backend_process found = { .pidfd = -1, .console_fd = -1 };
	struct backend_create o;
	int r;

	task_launch_fill(task, &o);
	r = task->shim->options->backend->adopt(&o, &task->handle, &found, err);
	if (r < 0)
		return r;
	task->lost = false;
	cleanup_fd(&found.pidfd);
	return attach(task, pid, take_fd(console_fd), err);
}

int task_launch_note(struct task *task, const Task__CreateRequest *request, struct err *err)
{
	int r;

	io_pipe_inodes(task->init.io, task->pipes);
	r = journal_write_create(task->bundle, request, task->pipes, err);
	if (r < 0)
		return r;
	cleanup_fd(&task->lock_fd);
	task->lock_fd = journal_lock(task->bundle, err);
	return task->lock_fd < 0 ? task->lock_fd : 0;
}

int task_launch_note_pipes(struct task *task, struct err *err)
{
	_cleanup_proto_ Journal__Create *create = NULL;
	uint64_t pipes[3];
	int r;

	io_pipe_inodes(task->init.io, pipes);
	if (!task->io_dir || memcmp(pipes, task->pipes, sizeof(pipes)) == 0)
		return 0;
	r = journal_read_create(task->bundle, &create, err);
	return r < 0 ? r : task_launch_note(task, create->request, err);
}

uint32_t task_launch_failure_code(const struct err *err)
{
	return err->code == ENOENT ? 127 : 126;
}

static bool was_reaped(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

static void publish_start(const struct task *task)
{
	Event__TaskStart event = EVENT__TASK_START__INIT;

	event.container_id = task->id;
	event.pid = (uint32_t)task->init.pid;
	events_publish(task->shim->events, "/tasks/start", "TaskStart", &event);
}

void task_launch_started(struct task *task)
{
	struct process *init = &task->init;

	init->status = PROCESS_RUNNING;
	init->started_ns = clock_realtime_ns();
	publish_start(task);
	task_tell(task, "start", NULL, NULL);
	health_start(task);
}

void task_launch_failed(struct task *task, const struct err *why)
{
	struct process *init = &task->init;

	init->start_failure = task_launch_failure_code(why);
	task->shim->options->backend->kill(task->handle, SIGKILL, false, NULL);
	if (was_reaped(init->pid)) {
		reaper_forget(task->shim->reaper, init->pid);
		process_end(init, init->start_failure);
	}
}

int task_launch_start(struct task *task, struct err *err)
{
	int r = task->shim->options->backend->start(task->handle, err);

	if (r < 0)
		task_launch_failed(task, err);
	else
		task_launch_started(task);
	return r;
}
