/* SPDX-License-Identifier: Apache-2.0 */
/* What a Create request asks for in its options: Cellar's own, or those of containerd. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/shim/health.h"
#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/runtime_options.h"
#include "runtime/shim/shim.h"

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
	    set_string(&task->io_dir, o->io_dir) < 0 ||
	    set_string(&task->criu_program, o->criu_path) < 0)
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

/* shim_cgroup is the start action's (bootstrap_options.h). */
static int use_runc_options(struct task *task, const Options__Runc *o, struct err *err)
{
	const char *name = strrchr(o->binary_name, '/');

	name = name ? name + 1 : o->binary_name;
	if (*name && strcmp(name, "cellar") != 0)
		return err_say(err, EINVAL,
			       "options.binary_name: the runtime is a part of this shim, which "
			       "cannot run %s; leave it out, or take the shim that can",
			       o->binary_name);
	if (*o->task_api_address)
		return err_say(err, EINVAL,
			       "options.task_api_address: this shim serves its own socket, and "
			       "not %s",
			       o->task_api_address);
	task->no_pivot = o->no_pivot_root;
	task->no_new_keyring = o->no_new_keyring;
	task->cgroups = o->systemd_cgroup ? CONTAINER_SYSTEMD : CONTAINER_CGROUPFS;
	task->io_uid = o->io_uid;
	task->io_gid = o->io_gid;
	if (set_string(&task->criu_program, o->criu_path) < 0 ||
	    set_string(&task->criu_work_path, o->criu_work_path) < 0 ||
	    (!task->checkpoint && set_string(&task->checkpoint, o->criu_image_path) < 0))
		return err_set(err, ENOMEM, "create container %s", task->id);
	return 0;
}

static int read_runc_options(struct task *task, const Pb__Any *any, const char *namespace_,
			     struct err *err)
{
	_cleanup_proto_ Options__Runc *o = NULL;
	const char *root = DURABLE_ROOT;
	int r = runtime_options_read(any, &o, err);

	if (r == 0 && o)
		r = use_runc_options(task, o, err);
	if (r < 0)
		return r;
	/* What CRI has for a shim that is not runc's need not tell. */
	if (!o || (!o->systemd_cgroup && !proto_any_is(any, "containerd.runc.v1.Options")))
		task->cgroups = CONTAINER_CGROUP_BY_PATH;
	if (o && *o->root) {
		root = o->root;
	} else if (!o && any && *any->type_url) {
		log_warn("options of the type %s are not known and not used", any->type_url);
	}
	if (asprintf(&task->runtime_root, "%s/%s", root, namespace_) < 0) {
		task->runtime_root = NULL;
		return err_set(err, ENOMEM, "create container %s", task->id);
	}
	return 0;
}

int task_read_options(struct task *task, const Task__CreateRequest *request, struct err *err)
{
	task->durable = true;
	/* A parent checkpoint is found by criu, by the link beside the images. */
	if (set_string(&task->checkpoint, request->checkpoint) < 0)
		return err_set(err, ENOMEM, "create container %s", task->id);
	if (proto_any_is(request->options, "cellar.shim.v1.Options"))
		return read_own_options(task, request->options, err);
	return read_runc_options(task, request->options, task->shim->options->namespace_, err);
}
