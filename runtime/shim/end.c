/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/end.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/process.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/health.h"
#include "runtime/shim/oom.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/restart.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/task_news.h"
#include "runtime/shim/settle.h"

#define DRAIN_NS INT64_C(10000000000)
#define REPORT_NS INT64_C(1000000000) /* what a client that does not read can delay the news by */

void process_publish_exit(const struct process *p)
{
	Event__TaskExit event = EVENT__TASK_EXIT__INIT;
	Pb__Timestamp time = PB__TIMESTAMP__INIT;

	proto_set_time(&time, p->exited_ns);
	event.container_id = p->task->id;
	event.id = process_is_init(p) ? p->task->id : p->exec_id;
	event.pid = (uint32_t)p->pid;
	event.exit_status = p->exit_code;
	event.exited_at = &time;
	events_publish(p->task->shim->events, "/tasks/exit", "TaskExit", &event);
}

static void answer_waiters(struct process *p)
{
	Task__WaitResponse response = TASK__WAIT_RESPONSE__INIT;
	Pb__Timestamp time = PB__TIMESTAMP__INIT;

	proto_set_time(&time, p->exited_ns);
	response.exit_status = p->exit_code;
	response.exited_at = &time;
	response.oom_killed = process_is_init(p) && p->task->oom_killed;
	response.exit_unknown = p->exit_unknown;
	while (p->waiters) {
		struct rpc_call *call = p->waiters;

		p->waiters = rpc_next(call);
		rpc_reply(call, &response);
	}
}

static int on_delete_timer(void *data);

static void schedule_delete(struct process *p)
{
	int64_t wait = process_is_drained(p) ? 0 : DRAIN_NS;

	if (!p->delete_timer)
		loop_add_time(p->task->shim->loop, clock_monotonic_ns() + wait, on_delete_timer, p,
			      &p->delete_timer, NULL);
}

static void try_delete(struct process *p);

static bool execs_running(const struct task *task)
{
	for (const struct process *p = task->execs; p; p = p->next)
		if (p->status == PROCESS_RUNNING || (p->status == PROCESS_STOPPED && !p->reported))
			return true;
	return false;
}

void task_finish(struct task *task)
{
	if (!task->init.reported || !task_is_drained(task))
		return;
	if (task->remove)
		task_remove(task);
	else
		shim_check_end(task->shim);
}

static void report(struct process *p);

static int on_report_timer(void *data)
{
	struct process *p = data;

	p->report_timer = NULL;
	p->overdue = true;
	report(p);
	try_delete(p);
	return 0;
}

/* An answer to Wait finds all output delivered, unless the client does not read it. */
static bool may_report(struct process *p)
{
	if (p->overdue || process_is_drained(p))
		return true;
	if (!p->report_timer && loop_add_time(p->task->shim->loop, clock_monotonic_ns() + REPORT_NS,
					      on_report_timer, p, &p->report_timer, NULL) < 0)
		return true;
	return false;
}

/* Its hooks have run, and all it held is gone. */
static void on_settled(struct task *task)
{
	task->is_settled = true;
	report(&task->init);
	try_delete(&task->init);
}

static bool must_wait(struct process *p)
{
	struct task *task = p->task;

	if (!process_is_init(p))
		return false;
	/* Whoever ends the work reports. */
	if (execs_running(task) || task->work)
		return true;
	return task->exit_path && !task->is_settled && task_settle(task, on_settled);
}

static void report(struct process *p)
{
	struct task *task = p->task;

	if (p->status != PROCESS_STOPPED || p->reported ||
	    (process_is_init(p) && task->restart.pending) || !may_report(p))
		return;
	if (must_wait(p))
		return;
	p->reported = true;
	if (p->pid)
		process_publish_exit(p);
	answer_waiters(p);
	if (!process_is_init(p)) {
		report(&task->init);
		/* Later, because deleting the task would free the process that we report. */
		if (task->init.reported && task->init.deleting)
			schedule_delete(&task->init);
		return;
	}
	task_finish(task);
}

void process_end(struct process *p, uint32_t exit_code)
{
	struct task *task = p->task;

	if (p->status == PROCESS_STOPPED)
		return;
	p->status = PROCESS_STOPPED;
	p->exit_code = p->start_failure ? p->start_failure : exit_code;
	p->exited_ns = clock_realtime_ns();
	if (process_is_init(p)) {
		const struct backend_ops *backend = task->shim->options->backend;

		health_stop(task);
		oom_check(task);
		task_tell_end(task);
		task_find_lost(task, NULL);
		if (task->handle && !backend->has_pid_namespace(task->handle))
			backend->kill(task->handle, SIGKILL, true, NULL);
		if (restart_take(task))
			return;
	} else {
		task_tell_exec(p, "exec_die");
	}
	process_is_over(p);
}

void process_is_over(struct process *p)
{
	if (p->io)
		io_finish(p->io);
	report(p);
	try_delete(p);
}

static void on_process_exit(void *data, pid_t pid, int wait_status)
{
	struct process *p = data;

	(void)pid;
	if (p->starting || (process_is_init(p) && p->task->work)) {
		p->ended_early = true;
		p->early_status = wait_status;
		return;
	}
	process_end(data, (uint32_t)process_exit_code(wait_status));
}

void process_catch_up(struct process *p)
{
	if (!p->ended_early)
		return;
	p->ended_early = false;
	process_end(p, (uint32_t)process_exit_code(p->early_status));
}

int process_watch(struct process *p)
{
	return reaper_watch(p->task->shim->reaper, p->pid, on_process_exit, p);
}

void process_drained(void *data)
{
	struct process *p = data;
	struct task *task = p->task;

	report(p);
	/* Frees an exec, or the task. */
	if (p->deleting)
		try_delete(p);
	else
		task_finish(task);
}

static void publish_delete(const struct task *task, const Task__DeleteResponse *end)
{
	Event__TaskDelete event = EVENT__TASK_DELETE__INIT;

	event.container_id = task->id;
	event.pid = end->pid;
	event.exit_status = end->exit_status;
	event.exited_at = end->exited_at;
	events_publish(task->shim->events, "/tasks/delete", "TaskDelete", &event);
}

/* All of it is gone; with why not, something of it is left. */
static void answer_delete(struct process *p, const struct err *why)
{
	struct task *task = p->task;
	struct shim *shim = task->shim;
	struct rpc_call *call = take_ptr(p->deleting);
	Task__DeleteResponse response = TASK__DELETE_RESPONSE__INIT;
	Pb__Timestamp time = PB__TIMESTAMP__INIT;

	if (why) {
		rpc_fail(call, TTRPC_UNKNOWN, why);
		return;
	}
	proto_set_time(&time, p->exited_ns);
	response.pid = (uint32_t)p->pid;
	response.exit_status = p->exit_code;
	response.exited_at = p->exited_ns ? &time : NULL;
	response.oom_killed = process_is_init(p) && task->oom_killed;
	response.exit_unknown = p->exit_unknown;
	if (process_is_init(p)) {
		publish_delete(task, &response);
		task_free(take_ptr(task));
	} else {
		process_free(p);
	}
	rpc_reply(call, &response);
	if (task)
		task_finish(task);
	else
		shim_check_end(shim);
}

static void on_destroyed(struct task *task, struct work_result *result)
{
	struct err err = { 0 };

	answer_delete(&task->init, task_destroyed(task, result, &err) < 0 ? &err : NULL);
}

static void finish_delete(struct process *p)
{
	struct task *task = p->task;
	struct err err = { 0 };

	p->delete_timer = loop_remove(p->delete_timer);
	if (process_is_init(p) && task_destroy_elsewhere(task, on_destroyed))
		return;
	if (process_is_init(p) && task_destroy(task, &err) < 0)
		answer_delete(p, &err);
	else
		answer_delete(p, NULL);
}

static void try_delete(struct process *p)
{
	if (!p->deleting || !p->reported || (process_is_init(p) && p->task->work))
		return;
	if (process_is_drained(p))
		finish_delete(p);
	else
		schedule_delete(p);
}

static int on_delete_timer(void *data)
{
	struct process *p = data;

	p->delete_timer = NULL;
	if (!process_is_init(p) || !p->task->work)
		finish_delete(p);
	return 0;
}

void process_delete(struct process *p, struct rpc_call *call)
{
	struct err err = { 0 };

	if (p->deleting && rpc_is_abandoned(p->deleting))
		rpc_reply(take_ptr(p->deleting), NULL);
	if (p->deleting) {
		rpc_fail(call,
			 ttrpc_fail(&err, TTRPC_FAILED_PRECONDITION, "it is being deleted already"),
			 &err);
		return;
	}
	p->deleting = call;
	if (p->status == PROCESS_CREATED && !p->pid)
		finish_delete(p); /* it was never started */
	else
		try_delete(p);
}
