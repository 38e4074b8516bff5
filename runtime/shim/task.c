/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/task.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/shim/adopt.h"
#include "runtime/shim/deadline.h"
#include "runtime/shim/health.h"
#include "runtime/shim/oom.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/task_network.h"
#include "runtime/shim/work.h"

static void fail_waiters(struct process *p)
{
	struct err err = { 0 };

	ttrpc_fail(&err, TTRPC_NOT_FOUND, "process was deleted");
	while (p->waiters) {
		struct rpc_call *call = p->waiters;

		p->waiters = rpc_next(call);
		rpc_fail(call, TTRPC_NOT_FOUND, &err);
	}
	if (p->starting)
		rpc_fail(take_ptr(p->starting), TTRPC_NOT_FOUND, &err);
	if (p->deleting)
		rpc_fail(take_ptr(p->deleting), TTRPC_NOT_FOUND, &err);
}

static void process_deinit(struct process *p)
{
	fail_waiters(p);
	p->delete_timer = loop_remove(p->delete_timer);
	p->report_timer = loop_remove(p->report_timer);
	if (p->pid && p->status != PROCESS_STOPPED)
		reaper_forget(p->task->shim->reaper, p->pid);
	p->io = io_free(p->io);
	cleanup_fd(&p->pidfd);
	free(p->exec_id);
	free(p->stdin_path);
	free(p->stdout_path);
	free(p->stderr_path);
	free(p->spec);
}

struct task *task_new(struct shim *shim, const Task__CreateRequest *request)
{
	struct task *task = calloc(1, sizeof(*task));
	struct process *init;

	if (!task)
		return NULL;
	init = &task->init;
	task->shim = shim;
	task->id = strdup(request->id);
	task->bundle = strdup(request->bundle);
	init->task = task;
	init->pidfd = -1;
	task->lock_fd = task->cancelled_fd = -1;
	init->terminal = request->terminal;
	init->exec_id = strdup("");
	init->stdin_path = strdup(request->stdin);
	init->stdout_path = strdup(request->stdout);
	init->stderr_path = strdup(request->stderr);
	if (!task->id || !task->bundle || !init->exec_id || !init->stdin_path ||
	    !init->stdout_path || !init->stderr_path) {
		task_free(task);
		return NULL;
	}
	return task;
}

static void take_out(struct task **at, const struct task *task)
{
	while (*at && *at != task)
		at = &(*at)->next;
	if (*at)
		*at = task->next;
}

void task_free(struct task *task)
{
	take_out(&task->shim->tasks, task);
	take_out(&task->shim->creating, task);
	task->work = work_free(task->work);
	if (task->creator)
		rpc_fail(take_ptr(task->creator), TTRPC_UNKNOWN, NULL);
	while (task->cancellers) {
		struct rpc_call *call = task->cancellers;

		task->cancellers = rpc_next(call);
		rpc_fail(call, TTRPC_UNKNOWN, NULL);
	}
	if (task->checkpointing)
		rpc_fail(take_ptr(task->checkpointing), TTRPC_NOT_FOUND, NULL);
	while (task->execs)
		process_free(task->execs);
	process_deinit(&task->init);
	task->restart.timer = loop_remove(task->restart.timer);
	task->restart.patience = loop_remove(task->restart.patience);
	task->exit_timer = loop_remove(task->exit_timer);
	task->deadline = deadline_free(task->deadline);
	if (task->restart.asking)
		rpc_fail(take_ptr(task->restart.asking), TTRPC_NOT_FOUND, NULL);
	task->health = health_free(task->health);
	cleanup_fd(&task->lock_fd);
	cleanup_fd(&task->cancelled_fd);
	task->adopted = adopted_free(task->adopted);
	task->oom = oom_unwatch(task->oom);
	task->spool = spool_close(task->spool);
	task->log = shim_log_free(task->log);
	task_close_network(task);
	free(task->id);
	free(task->bundle);
	free(task->runtime_root);
	free(task->log_path);
	free(task->exit_path);
	free(task->engine_root);
	free(task->engine_runroot);
	free(task->io_dir);
	free(task->checkpoint);
	free(task->checkpoint_path);
	free(task->criu_program);
	free(task->criu_work_path);
	free(task->failure);
	proto_free(task->request);
	free(task);
}

struct process *process_new(struct task *task, const Task__ExecRequest *request)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->task = task;
	p->pidfd = -1;
	p->terminal = request->terminal;
	p->exec_id = strdup(request->exec_id);
	p->stdin_path = strdup(request->stdin);
	p->stdout_path = strdup(request->stdout);
	p->stderr_path = strdup(request->stderr);
	p->spec_len = request->spec->value.len;
	p->spec = malloc(p->spec_len + 1);
	if (!p->exec_id || !p->stdin_path || !p->stdout_path || !p->stderr_path || !p->spec) {
		process_deinit(p);
		free(p);
		return NULL;
	}
	if (p->spec_len)
		memcpy(p->spec, request->spec->value.data, p->spec_len);
	p->spec[p->spec_len] = '\0';
	p->next = task->execs;
	task->execs = p;
	return p;
}

void process_free(struct process *process)
{
	for (struct process **at = &process->task->execs; *at; at = &(*at)->next)
		if (*at == process) {
			*at = process->next;
			break;
		}
	process_deinit(process);
	free(process);
}

bool process_is_drained(const struct process *process)
{
	return !process->io || io_is_drained(process->io);
}

bool task_is_drained(const struct task *task)
{
	for (const struct process *p = task->execs; p; p = p->next)
		if (p->status == PROCESS_STOPPED && !process_is_drained(p))
			return false;
	return process_is_drained(&task->init);
}

enum ttrpc_code task_find(struct shim *shim, const char *id, struct task **ret, struct err *err)
{
	for (struct task *task = shim->tasks; task; task = task->next)
		if (!strcmp(task->id, id)) {
			*ret = task;
			return TTRPC_OK;
		}
	return ttrpc_fail(err, TTRPC_NOT_FOUND, "container not created");
}

enum ttrpc_code process_find(struct shim *shim, const char *id, const char *exec_id,
			     struct process **ret, struct err *err)
{
	struct task *task;
	enum ttrpc_code code = task_find(shim, id, &task, err);

	if (code)
		return code;
	if (!*exec_id) {
		*ret = &task->init;
		return TTRPC_OK;
	}
	for (struct process *p = task->execs; p; p = p->next)
		if (!strcmp(p->exec_id, exec_id)) {
			*ret = p;
			return TTRPC_OK;
		}
	return ttrpc_fail(err, TTRPC_NOT_FOUND, "process does not exist %s", exec_id);
}
