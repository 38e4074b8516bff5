/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/methods.h"

#include <string.h>

#include "runtime/shim/proto.h"
#include "runtime/shim/supervisor.pb-c.h"

/* One table for both names of the service: their messages are the same. */
static const struct method {
	const char *name;
	const ProtobufCMessageDescriptor *request;
	method_fn fn; /* NULL: known, and not offered */
} methods[] = {
	{ "Checkpoint", &task__checkpoint_request__descriptor, method_checkpoint },
	{ "CloseIO", &task__close_iorequest__descriptor, method_close_io },
	{ "Connect", &task__task_request__descriptor, method_connect },
	{ "Create", &task__create_request__descriptor, method_create },
	{ "Delete", &task__process_request__descriptor, method_delete },
	{ "Exec", &task__exec_request__descriptor, method_exec },
	{ "Kill", &task__kill_request__descriptor, method_kill },
	{ "Pause", &task__task_request__descriptor, method_pause },
	{ "Pids", &task__task_request__descriptor, method_pids },
	{ "ResizePty", &task__resize_request__descriptor, method_resize },
	{ "Resume", &task__task_request__descriptor, method_resume },
	{ "Shutdown", &task__shutdown_request__descriptor, method_shutdown },
	{ "Start", &task__process_request__descriptor, method_start },
	{ "State", &task__process_request__descriptor, method_state },
	{ "Stats", &task__task_request__descriptor, method_stats },
	{ "Update", &task__update_request__descriptor, method_update },
	{ "Wait", &task__process_request__descriptor, method_wait },
};

/* Cellar's own, which nobody else offers. */
static const struct method own_methods[] = {
	{ "Attach", &supervisor__attach_request__descriptor, method_attach },
	{ "Deadline", &supervisor__deadline_request__descriptor, method_deadline },
	{ "Restart", &supervisor__restart_request__descriptor, method_restart },
	{ "Upgrade", &supervisor__upgrade_request__descriptor, method_upgrade },
};

static const struct method *find_in(const struct method *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

static const struct method *find(const Ttrpc__Request *request)
{
	if (!strcmp(request->service, "cellar.shim.v1.Supervisor"))
		return find_in(own_methods, ARRAY_SIZE(own_methods), request->method);
	if (strcmp(request->service, "containerd.task.v3.Task") != 0 &&
	    strcmp(request->service, "containerd.task.v2.Task") != 0)
		return NULL;
	return find_in(methods, ARRAY_SIZE(methods), request->method);
}

void methods_dispatch(void *data, struct rpc_call *call, const Ttrpc__Request *request)
{
	_cleanup_proto_ ProtobufCMessage *message = NULL;
	const struct method *method = find(request);
	struct err err = { 0 };
	enum ttrpc_code code;

	if (!method || !method->fn)
		code = ttrpc_fail(&err, TTRPC_UNIMPLEMENTED, "%s.%s is not implemented",
				  request->service, request->method);
	else if (proto_unpack(method->request, request->payload.data, request->payload.len,
			      &message, &err) < 0)
		code = TTRPC_INVALID_ARGUMENT;
	else
		code = method->fn(data, call, message, &err);
	if (code != TTRPC_OK)
		rpc_fail(call, code, &err);
}
