/* SPDX-License-Identifier: Apache-2.0 */
/* Create: stdio, rootfs and container of a task, in this order; all undone on failure. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/container.h"
#include "runtime/shim/bundle_file.h"
#include "runtime/shim/end.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/health.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/task_network.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/proto.h"

/* containerd may hold the same id in several of its namespaces. */
#define DURABLE_ROOT "/run/containerd/cellar"

/* "" is how protobuf says that there is none. */
static int set_string(char **field, const char *value)
{
	if (!*value)
		return 0;
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

/* What is out of its range makes no check rather than a wrong one. */
static int read_health(struct task *task, const Options__Health *o, struct err *err)
{
	const struct shim_health check = {
		.kind = o->kind <= SHIM_HEALTH_HTTP ? (enum shim_health_kind)o->kind
						    : SHIM_HEALTH_NONE,
		.process_json = o->process_json,
		.port = (uint16_t)o->port,
		.path = o->path,
		.interval_ns = o->interval_ns,
		.timeout_ns = o->timeout_ns,
		.start_period_ns = o->start_period_ns,
		.start_interval_ns = o->start_interval_ns,
		.retries = o->retries,
		.action = o->action <= SHIM_HEALTH_STOP ? (enum shim_health_action)o->action
							: SHIM_HEALTH_GO_ON,
		.stop_signal = o->stop_signal,
		.stop_timeout_ms = o->stop_timeout_ms,
	};

	if (check.interval_ns < HEALTH_SHORTEST_NS || check.timeout_ns < HEALTH_SHORTEST_NS ||
	    check.start_interval_ns < HEALTH_SHORTEST_NS || check.retries < 1)
		return err_say(err, EINVAL,
			       "a health check needs an interval, a time-out and a number of "
			       "retries");
	return health_new(task, &check, &task->health, err);
}

static int read_own_options(struct task *task, const Pb__Any *any, struct err *err)
{
	_cleanup_proto_ Options__Cellar *o = NULL;
	int r = proto_unpack(&options__cellar__descriptor, any->value.data, any->value.len, &o,
			     err);

	if (r < 0)
		return r;
	task->durable = false;
	if (set_string(&task->runtime_root, o->runtime_root) < 0 ||
	    set_string(&task->log_path, o->log_path) < 0 ||
	    set_string(&task->exit_path, o->exit_path) < 0 ||
	    set_string(&task->engine_root, o->engine_root) < 0 ||
	    set_string(&task->engine_runroot, o->engine_runroot) < 0 ||
	    set_string(&task->io_dir, o->io_dir) < 0)
		return err_set(err, ENOMEM, "create container %s", task->id);
	task->remove = o->remove && task->engine_root && task->engine_runroot;
	task->keep_stdin = o->keep_stdin;
	task->policy = (struct shim_policy){
		.log_max_bytes = o->log_max_bytes,
		.log_max_files = o->log_max_files < SHIM_LOG_MAX_FILES_LIMIT
					 ? o->log_max_files
					 : SHIM_LOG_MAX_FILES_LIMIT,
		.restart = o->restart <= SHIM_RESTART_UNLESS_STOPPED ? (enum shim_restart)o->restart
								     : SHIM_RESTART_NO,
		.restart_max = o->restart_max,
	};
	return o->health ? read_health(task, o->health, err) : 0;
}

static int read_runc_options(struct task *task, const Pb__Any *any, const char *namespace_,
			     struct err *err)
{
	_cleanup_proto_ Options__Runc *o = NULL;
	const char *root = DURABLE_ROOT;
	int r;

	if (any && proto_any_is(any, "containerd.runc.v1.Options")) {
		r = proto_unpack(&options__runc__descriptor, any->value.data, any->value.len, &o,
				 err);
		if (r < 0)
			return r;
		task->no_pivot = o->no_pivot_root;
		task->no_new_keyring = o->no_new_keyring;
		task->systemd_cgroup = o->systemd_cgroup;
		task->io_uid = o->io_uid;
		task->io_gid = o->io_gid;
		if (*o->root)
			root = o->root;
	} else if (any && *any->type_url && !proto_any_is(any, "runtimeoptions.v1.Options")) {
		log_warn("options of the type %s are not known and not used", any->type_url);
	}
	if (asprintf(&task->runtime_root, "%s/%s", root, namespace_) < 0) {
		task->runtime_root = NULL;
		return err_set(err, ENOMEM, "create container %s", task->id);
	}
	return 0;
}

static int mount_rootfs(struct task *task, const Task__CreateRequest *request, struct err *err)
{
	_cleanup_free_ struct rootfs_mount *mounts = NULL;
	int r;

	if (request->n_rootfs == 0)
		return 0;
	mounts = calloc(request->n_rootfs, sizeof(*mounts));
	if (!mounts)
		return err_set(err, ENOMEM, "mount rootfs");
	for (size_t i = 0; i < request->n_rootfs; i++) {
		const Task__Mount *m = request->rootfs[i];

		mounts[i] = (struct rootfs_mount){ m->type, m->source, m->target,
						   (const char *const *)m->options, m->n_options };
	}
	r = task->shim->options->backend->mount(task->bundle, mounts, request->n_rootfs, err);
	task->mounted = r == 0;
	return r;
}

int task_read_options(struct task *task, const Task__CreateRequest *request, struct err *err)
{
	task->durable = true;
	if (proto_any_is(request->options, "cellar.shim.v1.Options"))
		return read_own_options(task, request->options, err);
	return read_runc_options(task, request->options, task->shim->options->namespace_, err);
}

/* For whoever finds this shim dead. */
static int keep_request(struct task *task, const Task__CreateRequest *request, struct err *err)
{
	if (task->durable)
		return bundle_file_write(task->bundle, task->runtime_root, err);
	return task->io_dir ? task_launch_note(task, request, err) : 0;
}

static int create_task(struct task *task, const Task__CreateRequest *request, struct err *err)
{
	int r = task_read_options(task, request, err);

	if (r == 0)
		r = task_open_network(task, err);
	if (r == 0)
		r = task_launch_stdio(task, NULL, err);
	if (r == 0)
		r = keep_request(task, request, err);
	if (r == 0)
		r = mount_rootfs(task, request, err);
	if (r == 0)
		r = task_launch_container(task, err);
	return r;
}

static void undo(struct task *task)
{
	const struct backend_ops *backend = task->shim->options->backend;

	/* The error that is on its way counts; these are its consequences. */
	if (task->handle)
		backend->destroy(task->handle, NULL);
	if (task->mounted)
		backend->unmount(task->bundle, NULL);
	task_free(task);
}

static void publish(const struct task *task, const Task__CreateRequest *request)
{
	Event__TaskIO io = EVENT__TASK_IO__INIT;
	Event__TaskCreate event = EVENT__TASK_CREATE__INIT;

	io.stdin = request->stdin;
	io.stdout = request->stdout;
	io.stderr = request->stderr;
	io.terminal = request->terminal;
	event.container_id = task->id;
	event.bundle = task->bundle;
	event.rootfs = request->rootfs;
	event.n_rootfs = request->n_rootfs;
	event.io = &io;
	event.pid = (uint32_t)task->init.pid;
	events_publish(task->shim->events, "/tasks/create", "TaskCreate", &event);
}

enum ttrpc_code method_create(struct shim *shim, struct rpc_call *call, const void *data,
			      struct err *err)
{
	const Task__CreateRequest *request = data;
	Task__PidResponse response = TASK__PID_RESPONSE__INIT;
	struct task *task;

	if (!container_id_is_valid(request->id) || request->bundle[0] != '/')
		return ttrpc_fail(
			err, TTRPC_INVALID_ARGUMENT,
			"create needs an id and an absolute bundle, not \"%s\" and \"%s\"",
			request->id, request->bundle);
	if (*request->checkpoint)
		return ttrpc_fail(err, TTRPC_UNIMPLEMENTED, "checkpoints are not implemented");
	if (task_find(shim, request->id, &task, NULL) == TTRPC_OK)
		return ttrpc_fail(err, TTRPC_ALREADY_EXISTS, "container %s exists", request->id);
	if (shim->ending)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "the shim is ending");
	task = task_new(shim, request);
	if (!task) {
		err_set(err, ENOMEM, "create container %s", request->id);
		return TTRPC_UNKNOWN;
	}
	if (create_task(task, request, err) < 0) {
		undo(task);
		return TTRPC_UNKNOWN;
	}
	task->next = shim->tasks;
	shim->tasks = task;
	shim->had_task = true;
	shim->durable |= task->durable;
	publish(task, request);
	response.pid = (uint32_t)task->init.pid;
	rpc_reply(call, &response);
	return TTRPC_OK;
}
