/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/task_work.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/container.h"
#include "runtime/shim/end.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/task_launch.h"

#define CONFIG_BYTES_MAX (8u << 20)
#define CANCELLED_MS 10000

bool task_work_is_wanted(const char *bundle)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	if (path_join(path, sizeof(path), bundle, "config.json", NULL) < 0 ||
	    file_read(AT_FDCWD, path, CONFIG_BYTES_MAX, &text, NULL, NULL) < 0)
		return false;
	/* Where the word stands for something else, a process more is made than was needed. */
	return strstr(text, "\"hooks\"") != NULL;
}

/* ---- in the child ---- */

struct job {
	struct task *task;
	const struct container_criu_options *criu;
};

/* The container by its state on disk: of our parent's handle the descriptors are closed. */
static int open_container(const struct task *task, bool for_removal, void **ret, struct err *err)
{
	struct backend_process found = { .pidfd = -1, .console_fd = -1 };
	struct backend_create o = { 0 };

	task_launch_fill(task, &o);
	o.for_removal = for_removal;
	return task->shim->options->backend->adopt(&o, ret, &found, err);
}

static int run_create(void *data, pid_t *ret_pid, int *ret_fd, struct err *err)
{
	const struct job *job = data;
	/* What was allowed at the dump is allowed, of which the images tell no more. */
	const struct container_criu_options restore = {
		.program = job->task->criu_program,
		.image_path = job->task->checkpoint,
		.work_path = job->task->criu_work_path,
		.tcp_established = true,
		.ext_unix_sk = true,
		.file_locks = true,
	};
	struct backend_process made = { .pidfd = -1, .console_fd = -1 };
	struct backend_create o = { 0 };
	void *handle;
	int r;

	task_launch_fill(job->task, &o);
	o.start_elsewhere = true;
	o.restore = job->task->checkpoint ? &restore : NULL;
	r = job->task->shim->options->backend->create(&o, &handle, &made, err);
	*ret_pid = made.pid;
	*ret_fd = made.console_fd;
	return r;
}

static int run_start(void *data, pid_t *ret_pid, int *ret_fd, struct err *err)
{
	const struct job *job = data;
	void *handle;
	int r = open_container(job->task, false, &handle, err);

	(void)ret_pid;
	(void)ret_fd;
	return r < 0 ? r : job->task->shim->options->backend->start(handle, err);
}

/* It was killed, but what the kernel does for it right then it does to the end. */
static void await_cancelled(const struct task *task)
{
	struct pollfd p = { .fd = task->cancelled_fd, .events = POLLIN };

	if (p.fd >= 0 && poll(&p, 1, CANCELLED_MS) == 0)
		log_warn("what was to make container %s does not die", task->id);
}

static int run_destroy(void *data, pid_t *ret_pid, int *ret_fd, struct err *err)
{
	const struct job *job = data;
	void *handle;
	int r;

	await_cancelled(job->task);
	r = open_container(job->task, true, &handle, err);

	(void)ret_pid;
	(void)ret_fd;
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r
		     : job->task->shim->options->backend->destroy(handle, job->task->bundle, true,
								  err);
}

static int run_checkpoint(void *data, pid_t *ret_pid, int *ret_fd, struct err *err)
{
	const struct job *job = data;
	void *handle;
	int r = open_container(job->task, false, &handle, err);

	(void)ret_pid;
	(void)ret_fd;
	return r < 0 ? r : job->task->shim->options->backend->checkpoint(handle, job->criu, err);
}

/* ---- in the shim ---- */

static void on_done(void *data, struct work_result *result)
{
	struct task *task = data;

	task->work = NULL;
	task->work_done(task, result);
}

static int begin(const struct job *job, const char *what,
		 int (*run)(void *, pid_t *, int *, struct err *), task_work_fn done,
		 struct err *err)
{
	struct task *task = job->task;
	struct io *io = task->init.io;
	const int *stdio = run == run_create && io ? io_child_fds(io) : NULL;
	const int *keep = stdio ? stdio : &task->cancelled_fd;
	const struct work_options o = {
		.loop = task->shim->loop,
		.keep_fds = keep,
		.keep_fds_count = stdio ? 3 : 1,
		.run = run,
		.run_data = (void *)(uintptr_t)job,
		.done = on_done,
		.data = task,
	};

	task->work_done = done;
	task->work_name = what;
	return work_start(&o, &task->work, err);
}

int task_work_create(struct task *task, task_work_fn done, struct err *err)
{
	return begin(&(struct job){ task, NULL }, "created", run_create, done, err);
}

int task_work_start(struct task *task, task_work_fn done, struct err *err)
{
	return begin(&(struct job){ task, NULL }, "started", run_start, done, err);
}

int task_work_destroy(struct task *task, task_work_fn done, struct err *err)
{
	return begin(&(struct job){ task, NULL }, "deleted", run_destroy, done, err);
}

int task_work_checkpoint(struct task *task, const struct container_criu_options *options,
			 task_work_fn done, struct err *err)
{
	return begin(&(struct job){ task, options }, "written to a checkpoint", run_checkpoint,
		     done, err);
}

void task_work_cancel(struct task *task)
{
	cleanup_fd(&task->cancelled_fd);
	task->cancelled_fd = work_cancel(take_ptr(task->work));
}

enum ttrpc_code task_check_idle(const struct task *task, struct err *err)
{
	if (!task->work)
		return TTRPC_OK;
	return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "container %s is being %s", task->id,
			  task->work_name);
}
