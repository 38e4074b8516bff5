/* SPDX-License-Identifier: Apache-2.0 */
/* Methods on a process that exists: signals, terminal, stdin, its state and its end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "runtime/shim/end.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/restart.h"
#include "runtime/shim/settle.h"
#include "runtime/shim/task_news.h"

#define SWEEP_AT 32

static enum ttrpc_code kill_process(struct process *p, int signal, bool all, struct err *err)
{
	int r;

	if (p->status == PROCESS_STOPPED)
		return ttrpc_fail(err, TTRPC_NOT_FOUND, "process already finished");
	if (process_is_init(p)) {
		r = task_kill(p->task, signal, all, err);
	} else {
		if (p->status == PROCESS_CREATED)
			return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION,
					  "process %s was not started", p->exec_id);
		r = process_pidfd_signal(p->pidfd, signal);
		if (r < 0)
			err_set(err, -r, "send signal %d to process %s", signal, p->exec_id);
	}
	if (r == -ESRCH)
		return ttrpc_fail(err, TTRPC_NOT_FOUND, "process already finished");
	return r < 0 ? TTRPC_UNKNOWN : TTRPC_OK;
}

enum ttrpc_code method_kill(struct shim *shim, struct rpc_call *call, const void *data,
			    struct err *err)
{
	const Task__KillRequest *request = data;
	char signal[16];
	struct process *p;
	enum ttrpc_code code = process_find(shim, request->id, request->exec_id, &p, err);

	if (code != TTRPC_OK)
		return code;
	if (request->signal > (uint32_t)SIGRTMAX)
		return ttrpc_fail(err, TTRPC_INVALID_ARGUMENT, "there is no signal %u",
				  request->signal);
	if (process_is_init(p) && request->final) {
		bool was_pending = p->task->restart.pending;

		restart_forbid(p->task);
		if (was_pending) {
			rpc_reply(call, NULL);
			return TTRPC_OK;
		}
	}
	code = kill_process(p, (int)request->signal, request->all, err);
	if (code != TTRPC_OK)
		return code;
	rpc_reply(call, NULL);
	if (process_is_init(p)) {
		snprintf(signal, sizeof(signal), "%u", request->signal);
		task_tell(p->task, "kill", "signal", signal);
	}
	return TTRPC_OK;
}

enum ttrpc_code method_resize(struct shim *shim, struct rpc_call *call, const void *data,
			      struct err *err)
{
	const Task__ResizeRequest *request = data;
	struct process *p;
	enum ttrpc_code code = process_find(shim, request->id, request->exec_id, &p, err);

	if (code != TTRPC_OK)
		return code;
	/* Without a terminal there is nothing to do, which clients rely on. */
	if (p->terminal && p->io && p->status != PROCESS_STOPPED &&
	    io_resize(p->io, request->width, request->height, err) < 0)
		return TTRPC_UNKNOWN;
	rpc_reply(call, NULL);
	return TTRPC_OK;
}

enum ttrpc_code method_close_io(struct shim *shim, struct rpc_call *call, const void *data,
				struct err *err)
{
	const Task__CloseIORequest *request = data;
	struct process *p;
	enum ttrpc_code code = process_find(shim, request->id, request->exec_id, &p, err);

	if (code != TTRPC_OK)
		return code;
	if (request->stdin && p->io)
		io_close_stdin(p->io);
	rpc_reply(call, NULL);
	return TTRPC_OK;
}

/* Those who gave up meanwhile are forgotten, lest they pile up while the process lives. */
static void sweep_waiters(struct process *p)
{
	struct rpc_call *old = take_ptr(p->waiters), *next;

	p->waiters_count = 0;
	for (; old; old = next) {
		next = rpc_next(old);
		if (rpc_is_abandoned(old)) {
			rpc_reply(old, NULL);
			continue;
		}
		rpc_set_next(old, p->waiters);
		p->waiters = old;
		p->waiters_count++;
	}
	p->waiters_kept = p->waiters_count;
}

static void add_waiter(struct process *p, struct rpc_call *call)
{
	/* So rarely that it costs nothing, whatever their number. */
	if (p->waiters_count >= 2 * p->waiters_kept + SWEEP_AT)
		sweep_waiters(p);
	rpc_set_next(call, p->waiters);
	p->waiters = call;
	p->waiters_count++;
}

enum ttrpc_code method_wait(struct shim *shim, struct rpc_call *call, const void *data,
			    struct err *err)
{
	const Task__ProcessRequest *request = data;
	Task__WaitResponse response = TASK__WAIT_RESPONSE__INIT;
	Pb__Timestamp time = PB__TIMESTAMP__INIT;
	struct process *p;
	enum ttrpc_code code = process_find(shim, request->id, request->exec_id, &p, err);

	if (code != TTRPC_OK)
		return code;
	if (!p->reported) {
		add_waiter(p, call);
		return TTRPC_OK;
	}
	proto_set_time(&time, p->exited_ns);
	response.exit_status = p->exit_code;
	response.exited_at = &time;
	response.oom_killed = process_is_init(p) && p->task->oom_killed;
	response.exit_unknown = p->exit_unknown;
	rpc_reply(call, &response);
	return TTRPC_OK;
}

static Task__Status status_of(const struct process *p)
{
	if (p->status == PROCESS_CREATED)
		return TASK__STATUS__CREATED;
	if (p->status == PROCESS_STOPPED)
		return TASK__STATUS__STOPPED;
	return p->task->paused ? TASK__STATUS__PAUSED : TASK__STATUS__RUNNING;
}

enum ttrpc_code method_state(struct shim *shim, struct rpc_call *call, const void *data,
			     struct err *err)
{
	const Task__ProcessRequest *request = data;
	Task__StateResponse response = TASK__STATE_RESPONSE__INIT;
	Pb__Timestamp time = PB__TIMESTAMP__INIT;
	struct process *p;
	enum ttrpc_code code = process_find(shim, request->id, request->exec_id, &p, err);

	if (code != TTRPC_OK)
		return code;
	response.id = p->task->id;
	response.bundle = p->task->bundle;
	response.pid = (uint32_t)p->pid;
	response.status = status_of(p);
	response.stdin = p->stdin_path;
	response.stdout = p->stdout_path;
	response.stderr = p->stderr_path;
	response.terminal = p->terminal;
	response.exec_id = p->exec_id;
	if (p->status == PROCESS_STOPPED) {
		proto_set_time(&time, p->exited_ns);
		response.exited_at = &time;
		response.exit_status = p->exit_code;
		response.exit_unknown = p->exit_unknown;
	}
	/* Any process of the container counts, also while it runs on. */
	response.oom_killed = process_is_init(p) && p->task->oom_killed;
	response.restarting = process_is_init(p) && p->task->restart.pending;
	response.restarts = process_is_init(p) ? p->task->restart.count : 0;
	rpc_reply(call, &response);
	return TTRPC_OK;
}

enum ttrpc_code method_delete(struct shim *shim, struct rpc_call *call, const void *data,
			      struct err *err)
{
	const Task__ProcessRequest *request = data;
	struct process *p;
	enum ttrpc_code code = process_find(shim, request->id, request->exec_id, &p, err);

	if (code == TTRPC_NOT_FOUND && !*request->exec_id)
		return create_cancel(shim, request->id, call, err);
	if (code != TTRPC_OK)
		return code;
	if (p->status == PROCESS_RUNNING || (process_is_init(p) && p->task->restart.pending))
		return ttrpc_fail(err, TTRPC_UNKNOWN, "cannot delete a running process");
	if (process_is_init(p) && p->status == PROCESS_CREATED)
		start_cancel(p->task, "was deleted before it was started");
	if (p->status == PROCESS_CREATED && p->pid) {
		/* Its end is awaited like any other. */
		code = kill_process(p, SIGKILL, true, err);
		if (code != TTRPC_OK && code != TTRPC_NOT_FOUND)
			return code;
	}
	process_delete(p, call);
	return TTRPC_OK;
}
