/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoint of the Task API: images of a container's processes. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/container.h"
#include "runtime/shim/end.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/task_work.h"

static int read_checkpoint_options(const Options__RuncCheckpoint *o,
				   struct container_criu_options *ret, struct err *err)
{
	ret->leave_running = !o->exit;
	ret->tcp_established = o->open_tcp;
	ret->ext_unix_sk = o->external_unix_sockets;
	ret->shell_job = o->terminal;
	ret->file_locks = o->file_locks;
	ret->cgroups_mode = *o->cgroups_mode ? o->cgroups_mode : NULL;
	if (*o->work_path)
		ret->work_path = o->work_path;
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

static void publish(const struct task *task, const char *path)
{
	Event__TaskCheckpointed event = EVENT__TASK_CHECKPOINTED__INIT;

	event.container_id = task->id;
	event.checkpoint = proto_string(path);
	events_publish(task->shim->events, "/tasks/checkpointed", "TaskCheckpointed", &event);
}

/* criu freezes it, and one that was killed leaves it so: then a Resume is wanted. */
static void look_whether_paused(struct task *task)
{
	const struct backend_ops *backend = task->shim->options->backend;
	struct backend_process found = { .pidfd = -1, .console_fd = -1 };
	struct backend_create o;
	void *handle;

	task_launch_fill(task, &o);
	if (backend->adopt(&o, &handle, &found, NULL) < 0)
		return;
	cleanup_fd(&found.pidfd);
	backend->forget(handle);
	task->paused = found.paused;
}

static void on_done(struct task *task, struct work_result *result)
{
	struct rpc_call *call = take_ptr(task->checkpointing);

	if (result->r < 0) {
		look_whether_paused(task);
		rpc_fail(call, TTRPC_UNKNOWN, &result->err);
	} else {
		publish(task, task->checkpoint_path);
		rpc_reply(call, NULL);
	}
	free(take_ptr(task->checkpoint_path));
	process_catch_up(&task->init);
}

static enum ttrpc_code begin(struct task *task, const struct container_criu_options *options,
			     struct rpc_call *call, struct err *err)
{
	task->checkpoint_path = strdup(options->image_path);
	if (!task->checkpoint_path)
		err_set(err, ENOMEM, "checkpoint %s", task->id);
	if (!task->checkpoint_path || task_work_checkpoint(task, options, on_done, err) < 0) {
		free(take_ptr(task->checkpoint_path));
		return TTRPC_UNKNOWN;
	}
	task->checkpointing = call;
	return TTRPC_OK;
}

enum ttrpc_code method_checkpoint(struct shim *shim, struct rpc_call *call, const void *data,
				  struct err *err)
{
	_cleanup_proto_ Options__RuncCheckpoint *o = NULL;
	const Task__CheckpointRequest *request = data;
	struct container_criu_options options = { .leave_running = true };
	struct task *task;
	enum ttrpc_code code = task_find(shim, request->id, &task, err);

	if (code == TTRPC_OK)
		code = task_check_idle(task, err);
	if (code != TTRPC_OK)
		return code;
	if (!task->handle || task->init.status == PROCESS_STOPPED)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "container %s is not running",
				  request->id);
	options.program = task->criu_program;
	options.work_path = task->criu_work_path;
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
	return begin(task, &options, call, err);
}
