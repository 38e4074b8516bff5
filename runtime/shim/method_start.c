/* SPDX-License-Identifier: Apache-2.0 */
/* Start, of a container and of a process executed in one, and Exec, which prepares the latter. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/process.h"
#include "runtime/container.h"
#include "runtime/shim/end.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/task_news.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/restart.h"
#include "spec/oci_config.h"

#define EXECS_MAX 1024
#define SPECS_MAX ((size_t)8 << 20) /* of those that were not started yet */
#define STDIO_MAX 16384		    /* a URI may have arguments */

static void publish_exec_started(const struct process *p)
{
	Event__ExecStarted exec = EVENT__EXEC_STARTED__INIT;

	exec.container_id = p->task->id;
	exec.exec_id = p->exec_id;
	exec.pid = (uint32_t)p->pid;
	events_publish(p->task->shim->events, "/tasks/exec-started", "TaskExecStarted", &exec);
}

static enum ttrpc_code start_init(struct process *p, struct err *err)
{
	if (p->status != PROCESS_CREATED || !p->task->handle)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "cannot start a %s process",
				  p->status == PROCESS_RUNNING ? "running" : "stopped");
	if (task_launch_start(p->task, err) < 0)
		return TTRPC_UNKNOWN;
	restart_save(p->task);
	return TTRPC_OK;
}

static int execute(struct process *p, struct err *err)
{
	struct backend_process made = { .pidfd = -1, .console_fd = -1 };
	struct task *task = p->task;
	struct io_options io;
	struct backend_exec o = { p->spec, p->spec_len, p->terminal, NULL };
	int r;

	task_launch_exec_options(p, &io);
	r = io_new(&io, &p->io, err);
	if (r < 0)
		return r;
	o.stdio = io_child_fds(p->io);
	r = task->shim->options->backend->exec(task->handle, &o, &made, err);
	if (r < 0)
		return r;
	p->pid = made.pid;
	p->pidfd = made.pidfd;
	p->status = PROCESS_RUNNING;
	r = io_attach(p->io, made.console_fd, err);
	if (r == 0 && process_watch(p) < 0)
		r = err_set(err, ENOMEM, "watch process %s", p->exec_id);
	return r;
}

static enum ttrpc_code start_exec(struct process *p, struct err *err)
{
	if (p->status != PROCESS_CREATED)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION,
				  "cannot start a process twice: %s", p->exec_id);
	if (p->task->init.status != PROCESS_RUNNING || !p->task->handle)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "container %s is not running",
				  p->task->id);
	/* It would freeze in its turn, with us waiting for it. */
	if (p->task->paused)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION,
				  "cannot exec in a paused container: %s", p->task->id);
	if (execute(p, err) == 0) {
		free(take_ptr(p->spec));
		return TTRPC_OK;
	}
	if (p->pidfd >= 0)
		process_pidfd_signal(p->pidfd, SIGKILL);
	p->status = PROCESS_RUNNING;
	process_end(p, task_launch_failure_code(err));
	return TTRPC_UNKNOWN;
}

enum ttrpc_code method_start(struct shim *shim, struct rpc_call *call, const void *data,
			     struct err *err)
{
	const Task__ProcessRequest *request = data;
	Task__PidResponse response = TASK__PID_RESPONSE__INIT;
	struct process *p;
	enum ttrpc_code code = process_find(shim, request->id, request->exec_id, &p, err);

	if (code == TTRPC_OK)
		code = process_is_init(p) ? start_init(p, err) : start_exec(p, err);
	if (code != TTRPC_OK)
		return code;
	if (!process_is_init(p)) {
		publish_exec_started(p);
		task_tell_exec(p, "exec_start");
	}
	response.pid = (uint32_t)p->pid;
	rpc_reply(call, &response);
	return TTRPC_OK;
}

/* Wrong documents are refused here and not at Start. */
static int check_spec(const Pb__Any *spec, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_process process;

	if (!arena)
		return err_set(err, ENOMEM, "read the process to execute");
	return oci_process_parse((const char *)spec->value.data, spec->value.len, arena, &process,
				 err);
}

/* What a client may leave here, so that it cannot fill our memory. */
static enum ttrpc_code check_room(const struct task *task, const Task__ExecRequest *request,
				  struct err *err)
{
	const char *const paths[] = { request->stdin, request->stdout, request->stderr };
	size_t count = 0, bytes = request->spec->value.len;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (strlen(paths[i]) > STDIO_MAX)
			return ttrpc_fail(err, TTRPC_INVALID_ARGUMENT,
					  "a name for the stdio of %s is too long",
					  request->exec_id);
	for (const struct process *p = task->execs; p; p = p->next) {
		count++;
		bytes += p->spec ? p->spec_len : 0;
	}
	if (count >= EXECS_MAX || bytes > SPECS_MAX)
		return ttrpc_fail(err, TTRPC_RESOURCE_EXHAUSTED,
				  "container %s has %zu executed processes that were not deleted",
				  task->id, count);
	return TTRPC_OK;
}

enum ttrpc_code method_exec(struct shim *shim, struct rpc_call *call, const void *data,
			    struct err *err)
{
	const Task__ExecRequest *request = data;
	Event__ExecAdded event = EVENT__EXEC_ADDED__INIT;
	struct process *p;
	struct task *task;
	enum ttrpc_code code = task_find(shim, request->id, &task, err);

	if (code != TTRPC_OK)
		return code;
	if (!container_id_is_valid(request->exec_id) || !request->spec)
		return ttrpc_fail(err, TTRPC_INVALID_ARGUMENT,
				  "exec needs an id and a process, and has the id \"%s\"",
				  request->exec_id);
	if (process_find(shim, request->id, request->exec_id, &p, NULL) == TTRPC_OK)
		return ttrpc_fail(err, TTRPC_ALREADY_EXISTS, "process %s exists", request->exec_id);
	if (task->init.status == PROCESS_STOPPED)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "container %s is not running",
				  task->id);
	code = check_room(task, request, err);
	if (code != TTRPC_OK)
		return code;
	if (check_spec(request->spec, err) < 0)
		return TTRPC_INVALID_ARGUMENT;
	if (!process_new(task, request)) {
		err_set(err, ENOMEM, "execute %s", request->exec_id);
		return TTRPC_UNKNOWN;
	}
	event.container_id = task->id;
	event.exec_id = request->exec_id;
	events_publish(shim->events, "/tasks/exec-added", "TaskExecAdded", &event);
	rpc_reply(call, NULL);
	return TTRPC_OK;
}
