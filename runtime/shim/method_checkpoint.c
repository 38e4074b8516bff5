/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoint of the Task API: images of a container's processes. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "runtime/container.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/proto.h"

static int read_checkpoint_options(const Options__RuncCheckpoint *o,
				   struct container_criu_options *ret, struct err *err)
{
	ret->leave_running = !o->exit;
	ret->tcp_established = o->open_tcp;
	ret->ext_unix_sk = o->external_unix_sockets;
	ret->shell_job = o->terminal;
	ret->file_locks = o->file_locks;
	ret->cgroups_mode = *o->cgroups_mode ? o->cgroups_mode : NULL;
	ret->work_path = *o->work_path ? o->work_path : NULL;
	if (!ret->image_path && *o->image_path)
		ret->image_path = o->image_path;
	for (size_t i = 0; i < o->n_empty_namespaces; i++) {
		if (strcmp(o->empty_namespaces[i], "network") != 0)
			return err_say(err, EINVAL, "checkpoint: a namespace %s that stays empty",
				       o->empty_namespaces[i]);
		ret->empty_ns = CLONE_NEWNET;
	}
	return 0;
}

/* The container stands still while it is written, and so may we. */
enum ttrpc_code method_checkpoint(struct shim *shim, struct rpc_call *call, const void *data,
				  struct err *err)
{
	_cleanup_proto_ Options__RuncCheckpoint *o = NULL;
	const Task__CheckpointRequest *request = data;
	struct container_criu_options options = { .leave_running = true };
	struct task *task;
	enum ttrpc_code code = task_find(shim, request->id, &task, err);

	if (code != TTRPC_OK)
		return code;
	if (!task->handle || task->init.status == PROCESS_STOPPED)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "container %s is not running",
				  request->id);
	if (*request->path)
		options.image_path = request->path;
	if (proto_any_is(request->options, "containerd.runc.v1.CheckpointOptions")) {
		if (proto_unpack(&options__runc_checkpoint__descriptor,
				 request->options->value.data, request->options->value.len, &o,
				 err) < 0 ||
		    read_checkpoint_options(o, &options, err) < 0)
			return TTRPC_INVALID_ARGUMENT;
	}
	if (!options.image_path)
		return ttrpc_fail(err, TTRPC_INVALID_ARGUMENT, "no folder to checkpoint %s to",
				  request->id);
	if (shim->options->backend->checkpoint(task->handle, &options, err) < 0)
		return TTRPC_UNKNOWN;
	rpc_reply(call, NULL);
	return TTRPC_OK;
}
