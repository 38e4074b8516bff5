/* SPDX-License-Identifier: Apache-2.0 */
/* What the Task API has not: attaching, restarting on request, the owner's deadline, upgrading. */
#include <errno.h>
#include <signal.h>

#include "runtime/shim/deadline.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/restart.h"
#include "runtime/shim/supervisor.pb-c.h"
#include "runtime/shim/task_work.h"
#include "runtime/shim/upgrade.h"

#define MS_NS 1000000
#define DEADLINE_MS_MAX (UINT64_C(1000) * 3600 * 24 * 365)

enum ttrpc_code method_attach(struct shim *shim, struct rpc_call *call, const void *data,
			      struct err *err)
{
	const Supervisor__AttachRequest *request = data;
	struct process *p;
	enum ttrpc_code code = process_find(shim, request->id, request->exec_id, &p, err);

	if (code != TTRPC_OK)
		return code;
	if (!p->io || p->reported)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "container %s is not running",
				  request->id);
	if (io_add_client(p->io, request->stdin, request->stdout, request->stderr, err) < 0)
		return err->code == EBUSY ? TTRPC_FAILED_PRECONDITION : TTRPC_UNKNOWN;
	rpc_reply(call, NULL);
	return TTRPC_OK;
}

enum ttrpc_code method_restart(struct shim *shim, struct rpc_call *call, const void *data,
			       struct err *err)
{
	const Supervisor__RestartRequest *request = data;
	struct task *task;
	enum ttrpc_code code = task_find(shim, request->id, &task, err);

	if (code != TTRPC_OK)
		return code;
	if (request->signal > (uint32_t)SIGRTMAX)
		return ttrpc_fail(err, TTRPC_INVALID_ARGUMENT, "there is no signal %u",
				  request->signal);
	if (task_check_idle(task, err) != TTRPC_OK)
		return TTRPC_FAILED_PRECONDITION;
	if (task->durable || task->remove || task->init.reported ||
	    task->init.status == PROCESS_CREATED)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION,
				  "container %s cannot be restarted", request->id);
	restart_now(task, (int)request->signal, request->timeout_ms * (int64_t)MS_NS, call);
	return TTRPC_OK;
}

enum ttrpc_code method_deadline(struct shim *shim, struct rpc_call *call, const void *data,
				struct err *err)
{
	const Supervisor__DeadlineRequest *request = data;
	struct task *task;
	enum ttrpc_code code = task_find(shim, request->id, &task, err);

	if (code != TTRPC_OK)
		return code;
	if (request->in_ms > DEADLINE_MS_MAX)
		return ttrpc_fail(err, TTRPC_INVALID_ARGUMENT, "the deadline is too far away");
	if (deadline_set(task, (int64_t)request->in_ms * MS_NS, request->pause, err) < 0)
		return TTRPC_UNKNOWN;
	rpc_reply(call, NULL);
	return TTRPC_OK;
}

enum ttrpc_code method_upgrade(struct shim *shim, struct rpc_call *call, const void *data,
			       struct err *err)
{
	const Supervisor__UpgradeRequest *request = data;
	struct task *task;
	enum ttrpc_code code = TTRPC_OK;
	int r;

	/* Without an id: whatever this shim holds. */
	if (*request->id)
		code = task_find(shim, request->id, &task, err);
	if (code != TTRPC_OK)
		return code;
	r = upgrade_begin(shim, request->binary, call, err);
	if (r == -EBUSY)
		return TTRPC_FAILED_PRECONDITION;
	return r < 0 ? TTRPC_INVALID_ARGUMENT : TTRPC_OK;
}
