/* SPDX-License-Identifier: Apache-2.0 */
/* Start, of a container and of a process executed in one, and Exec, which prepares the latter. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/process.h"
#include "runtime/container.h"
#include "runtime/shim/deadline.h"
#include "runtime/shim/end.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/task_news.h"
#include "runtime/shim/task_work.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/restart.h"
#include "runtime/shim/settle.h"
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

static void reply_started(struct rpc_call *call, const struct process *p)
{
	Task__PidResponse response = TASK__PID_RESPONSE__INIT;

	response.pid = (uint32_t)p->pid;
	rpc_reply(call, &response);
}

/* ---- the init ---- */

static void on_started(struct task *task, struct work_result *result)
{
	struct process *init = &task->init;
	struct rpc_call *call = take_ptr(init->starting);

	if (result->r < 0) {
		rpc_fail(call, TTRPC_UNKNOWN, &result->err);
		task_launch_failed(task, &result->err);
	} else {
		task_launch_started(task);
		restart_save(task);
		reply_started(call, init);
	}
	process_catch_up(init);
}

static void answer_failed_restore(struct task *task)
{
	_cleanup_free_ struct err *why = take_ptr(task->failure);

	rpc_fail(take_ptr(task->init.starting), TTRPC_UNKNOWN, why);
	process_go_on_deleting(&task->init);
}

static void on_restore_undone(struct task *task, struct work_result *result)
{
	struct err err = { 0 };

	if (task_container_destroyed(task, result, &err) < 0)
		log_error("%s", err.text);
	answer_failed_restore(task);
}

/* Its rootfs stays, for another Start. */
static void undo_restore(struct task *task, const struct err *why)
{
	struct process *init = &task->init;
	struct err err = { 0 };

	reaper_forget(task->shim->reaper, init->pid);
	init->pid = 0;
	init->ended_early = false;
	task->failure = malloc(sizeof(*why));
	if (task->failure)
		*task->failure = *why;
	if (task_destroy_elsewhere(task, on_restore_undone))
		return;
	if (task_destroy_container(task, &err) < 0)
		log_error("%s", err.text);
	answer_failed_restore(task);
}

static void on_restored(struct task *task, struct work_result *result)
{
	struct process *init = &task->init;
	struct rpc_call *call;

	task->lost = result->died || result->r == 0;
	if (result->r == 0)
		result->r = task_launch_take(task, result->pid, &result->fd, &result->err);
	if (result->r < 0) {
		undo_restore(task, &result->err);
		return;
	}
	call = take_ptr(init->starting);
	task_launch_started(task);
	reply_started(call, init);
}

void start_cancel(struct task *task, const char *why)
{
	struct work_result result = { .fd = -1, .died = true };

	/* What undoes a failed restore answers the same call, and is not called off. */
	if (!task->work || !task->init.starting ||
	    (task->work_done != on_started && task->work_done != on_restored))
		return;
	result.r = err_say(&result.err, ECANCELED, "container %s %s", task->id, why);
	task_work_cancel(task);
	task->work_done(task, &result);
}

/* TTRPC_OK: it answers the call. */
static enum ttrpc_code start_init(struct process *p, struct rpc_call *call, struct err *err)
{
	struct task *task = p->task;
	bool restores = task->checkpoint && !task->handle;
	int r;

	if (p->status != PROCESS_CREATED || (!task->handle && !restores))
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "cannot start a %s process",
				  p->status == PROCESS_RUNNING ? "running" : "stopped");
	if (task_check_idle(task, err) != TTRPC_OK)
		return TTRPC_FAILED_PRECONDITION;
	if (restores && deadline_has_passed(task))
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION,
				  "the owner's deadline of container %s has passed", task->id);
	if (restores)
		task->slow = task_work_is_wanted(task->bundle);
	if (restores || task->slow) {
		r = restores ? task_work_create(task, on_restored, err)
			     : task_work_start(task, on_started, err);
		if (r == 0)
			p->starting = call;
		return r < 0 ? TTRPC_UNKNOWN : TTRPC_OK;
	}
	if (task_launch_start(task, err) < 0)
		return TTRPC_UNKNOWN;
	restart_save(task);
	reply_started(call, p);
	return TTRPC_OK;
}

/* ---- processes beside it ---- */

static int execute(struct process *p, struct err *err)
{
	struct backend_process made = { .pidfd = -1, .console_fd = -1 };
	struct task *task = p->task;
	struct backend_exec o = { p->spec, p->spec_len, p->terminal, io_child_fds(p->io) };
	int r = task->shim->options->backend->exec(task->handle, &o, &made, err);

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

static enum ttrpc_code check_exec(const struct process *p, struct err *err)
{
	if (p->status != PROCESS_CREATED || p->starting)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION,
				  "cannot start a process twice: %s", p->exec_id);
	task_find_lost(p->task, NULL);
	if (p->task->init.status != PROCESS_RUNNING || !p->task->handle)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "container %s is not running",
				  p->task->id);
	/* It would freeze in its turn, with us waiting for it. */
	if (p->task->paused)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION,
				  "cannot exec in a paused container: %s", p->task->id);
	return task_check_idle(p->task, err);
}

static enum ttrpc_code fail_exec(struct process *p, const struct err *err)
{
	if (p->pidfd >= 0)
		process_pidfd_signal(p->pidfd, SIGKILL);
	p->status = PROCESS_RUNNING;
	process_end(p, task_launch_failure_code(err));
	return TTRPC_UNKNOWN;
}

static enum ttrpc_code run_exec(struct process *p, struct rpc_call *call, struct err *err)
{
	if (execute(p, err) < 0)
		return fail_exec(p, err);
	free(take_ptr(p->spec));
	publish_exec_started(p);
	task_tell_exec(p, "exec_start");
	reply_started(call, p);
	return TTRPC_OK;
}

static void on_ready(void *data, const struct err *why_not)
{
	struct process *p = data;
	struct rpc_call *call = take_ptr(p->starting);
	struct err err = { 0 };
	enum ttrpc_code code;

	if (why_not) {
		err = *why_not;
		code = fail_exec(p, &err);
	} else {
		code = check_exec(p, &err);
		/* The container has ended meanwhile, and this with it. */
		code = code == TTRPC_OK ? run_exec(p, call, &err) : fail_exec(p, &err);
	}
	if (code != TTRPC_OK)
		rpc_fail(call, code, &err);
}

static enum ttrpc_code start_exec(struct process *p, struct rpc_call *call, struct err *err)
{
	struct io_options io;
	enum ttrpc_code code = check_exec(p, err);

	if (code != TTRPC_OK)
		return code;
	task_launch_exec_options(p, &io);
	io.ready = on_ready;
	if (io_new(&io, &p->io, err) < 0)
		return fail_exec(p, err);
	if (io_is_ready(p->io))
		return run_exec(p, call, err);
	p->starting = call;
	return TTRPC_OK;
}

enum ttrpc_code method_start(struct shim *shim, struct rpc_call *call, const void *data,
			     struct err *err)
{
	const Task__ProcessRequest *request = data;
	struct process *p;
	enum ttrpc_code code = process_find(shim, request->id, request->exec_id, &p, err);

	if (code != TTRPC_OK)
		return code;
	return process_is_init(p) ? start_init(p, call, err) : start_exec(p, call, err);
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

/* Of those that ctr executed and that have ended, as long as somebody else stays connected. Who
 * waited for one was answered when it ended. */
static void forget_ended(struct task *task)
{
	struct process *next;

	for (struct process *p = task->execs; p && !task->durable; p = next) {
		next = p->next;
		if (p->reported && !p->deleting && process_is_drained(p))
			process_free(p);
	}
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
	if (code == TTRPC_RESOURCE_EXHAUSTED) {
		forget_ended(task);
		err_clear(err);
		code = check_room(task, request, err);
	}
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
