/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/shim/client_call.h"
#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/task.pb-c.h"

static void fill_mount(Task__Mount *mount, const struct shim_mount *m)
{
	*mount = (Task__Mount)TASK__MOUNT__INIT;
	mount->type = proto_string(m->type);
	mount->source = proto_string(m->source);
	mount->target = proto_string(m->target);
	mount->options = (char **)(uintptr_t)m->options;
	while (m->options && m->options[mount->n_options])
		mount->n_options++;
}

static void fill_health(Options__Health *to, const struct shim_health *from)
{
	to->kind = from->kind;
	to->process_json = proto_string(from->process_json);
	to->port = from->port;
	to->path = proto_string(from->path);
	to->interval_ns = from->interval_ns;
	to->timeout_ns = from->timeout_ns;
	to->start_period_ns = from->start_period_ns;
	to->start_interval_ns = from->start_interval_ns;
	to->retries = from->retries;
	to->action = from->action;
	to->stop_signal = from->stop_signal;
	to->stop_timeout_ms = from->stop_timeout_ms;
}

static int pack_options(const struct shim_create_options *options, Pb__Any *ret)
{
	Options__Cellar own = OPTIONS__CELLAR__INIT;
	Options__Health health = OPTIONS__HEALTH__INIT;

	own.runtime_root = proto_string(options->runtime_root);
	own.log_path = proto_string(options->log_path);
	own.exit_path = proto_string(options->exit_path);
	own.engine_root = proto_string(options->engine_root);
	own.engine_runroot = proto_string(options->engine_runroot);
	own.remove = options->remove;
	own.keep_stdin = options->keep_stdin;
	own.log_max_bytes = options->policy.log_max_bytes;
	own.log_max_files = options->policy.log_max_files;
	own.io_dir = proto_string(options->io_dir);
	own.criu_path = proto_string(options->criu);
	own.restart = options->policy.restart;
	own.restart_max = options->policy.restart_max;
	if (options->policy.health.kind != SHIM_HEALTH_NONE) {
		fill_health(&health, &options->policy.health);
		own.health = &health;
	}
	return proto_pack_any(&own, "cellar.shim.v1.Options", ret);
}

int shim_create_fill(const struct shim_create_options *options, struct shim_create_request *ret,
		     struct err *err)
{
	Task__CreateRequest *request = &ret->message;

	*request = (Task__CreateRequest)TASK__CREATE_REQUEST__INIT;
	ret->options = (Pb__Any)PB__ANY__INIT;
	ret->mounts = calloc(options->rootfs_count + 1, sizeof(*ret->mounts));
	ret->list = calloc(options->rootfs_count + 1, sizeof(*ret->list));
	if (!ret->mounts || !ret->list || pack_options(options, &ret->options) < 0)
		return err_set(err, ENOMEM, "create container %s", options->id);
	for (size_t i = 0; i < options->rootfs_count; i++) {
		fill_mount(&ret->mounts[i], &options->rootfs[i]);
		ret->list[i] = &ret->mounts[i];
	}
	request->id = proto_string(options->id);
	request->bundle = proto_string(options->bundle);
	request->rootfs = ret->list;
	request->n_rootfs = options->rootfs_count;
	request->terminal = options->terminal;
	request->stdin = proto_string(options->stdin_path);
	request->stdout = proto_string(options->stdout_path);
	request->stderr = proto_string(options->stderr_path);
	request->options = &ret->options;
	return 0;
}

void shim_create_release(struct shim_create_request *request)
{
	free(request->mounts);
	free(request->list);
	free(request->options.value.data);
}

int shim_create(struct shim_client *client, const struct shim_create_options *options,
		pid_t *ret_pid, struct err *err)
{
	_cleanup_(shim_create_release) struct shim_create_request request = { 0 };
	_cleanup_proto_ Task__PidResponse *response = NULL;
	int r = shim_create_fill(options, &request, err);

	if (r == 0)
		r = shim_call(client, "Create", &request.message, &task__pid_response__descriptor,
			      &response, err);
	if (r == 0 && ret_pid)
		*ret_pid = (pid_t)response->pid;
	return r;
}

static void fill(Task__ProcessRequest *request, const char *id, const char *exec_id)
{
	*request = (Task__ProcessRequest)TASK__PROCESS_REQUEST__INIT;
	request->id = proto_string(id);
	request->exec_id = proto_string(exec_id);
}

int shim_start(struct shim_client *client, const char *id, const char *exec_id, pid_t *ret_pid,
	       struct err *err)
{
	_cleanup_proto_ Task__PidResponse *response = NULL;
	Task__ProcessRequest request;
	int r;

	fill(&request, id, exec_id);
	r = shim_call(client, "Start", &request, &task__pid_response__descriptor, &response, err);
	if (r == 0 && ret_pid)
		*ret_pid = (pid_t)response->pid;
	return r;
}

int shim_exec(struct shim_client *client, const struct shim_exec_options *options, struct err *err)
{
	Task__ExecRequest request = TASK__EXEC_REQUEST__INIT;
	Pb__Any spec = PB__ANY__INIT;

	spec.type_url = proto_string("types.containerd.io/opencontainers/runtime-spec/1/Process");
	spec.value.data = (uint8_t *)proto_string(options->process_json);
	spec.value.len = strlen(options->process_json);
	request.id = proto_string(options->id);
	request.exec_id = proto_string(options->exec_id);
	request.terminal = options->terminal;
	request.stdin = proto_string(options->stdin_path);
	request.stdout = proto_string(options->stdout_path);
	request.stderr = proto_string(options->stderr_path);
	request.spec = &spec;
	return shim_call(client, "Exec", &request, NULL, NULL, err);
}

int shim_wait_begin(struct shim_client *client, const char *id, const char *exec_id,
		    struct err *err)
{
	Task__ProcessRequest request;

	fill(&request, id, exec_id);
	return shim_call_begin(client, "Wait", &request, 0, err);
}

int shim_wait_finish(struct shim_client *client, struct shim_exit *ret, struct err *err)
{
	_cleanup_proto_ Task__WaitResponse *response = NULL;
	int r = shim_call_finish(client, &task__wait_response__descriptor, &response, err);

	if (r < 0)
		return r;
	ret->status = response->exit_status;
	ret->exited_ns = proto_get_time(response->exited_at);
	ret->oom_killed = response->oom_killed;
	ret->unknown = response->exit_unknown;
	return 0;
}

int shim_state(struct shim_client *client, const char *id, const char *exec_id,
	       struct shim_state *ret, struct err *err)
{
	_cleanup_proto_ Task__StateResponse *response = NULL;
	Task__ProcessRequest request;
	int r;

	fill(&request, id, exec_id);
	r = shim_call(client, "State", &request, &task__state_response__descriptor, &response, err);
	if (r < 0)
		return r;
	ret->status = (enum shim_status)response->status;
	ret->pid = (pid_t)response->pid;
	ret->exit.status = response->exit_status;
	ret->exit.exited_ns = proto_get_time(response->exited_at);
	ret->exit.oom_killed = response->oom_killed;
	ret->exit.unknown = response->exit_unknown;
	ret->restarting = response->restarting;
	ret->restarts = response->restarts;
	return 0;
}

static int kill_process(struct shim_client *client, Task__KillRequest *request, const char *id,
			int signal, bool all, struct err *err)
{
	request->id = proto_string(id);
	request->signal = (uint32_t)signal;
	request->all = all;
	return shim_call(client, "Kill", request, NULL, NULL, err);
}

int shim_kill(struct shim_client *client, const char *id, const char *exec_id, int signal, bool all,
	      struct err *err)
{
	Task__KillRequest request = TASK__KILL_REQUEST__INIT;

	request.exec_id = proto_string(exec_id);
	return kill_process(client, &request, id, signal, all, err);
}

int shim_kill_finally(struct shim_client *client, const char *id, int signal, bool all,
		      struct err *err)
{
	Task__KillRequest request = TASK__KILL_REQUEST__INIT;

	request.final = true;
	return kill_process(client, &request, id, signal, all, err);
}

int shim_resize(struct shim_client *client, const char *id, const char *exec_id, uint32_t width,
		uint32_t height, struct err *err)
{
	Task__ResizeRequest request = TASK__RESIZE_REQUEST__INIT;

	request.id = proto_string(id);
	request.exec_id = proto_string(exec_id);
	request.width = width;
	request.height = height;
	return shim_call(client, "ResizePty", &request, NULL, NULL, err);
}

int shim_close_stdin(struct shim_client *client, const char *id, const char *exec_id,
		     struct err *err)
{
	Task__CloseIORequest request = TASK__CLOSE_IOREQUEST__INIT;

	request.id = proto_string(id);
	request.exec_id = proto_string(exec_id);
	request.stdin = true;
	return shim_call(client, "CloseIO", &request, NULL, NULL, err);
}

int shim_delete(struct shim_client *client, const char *id, const char *exec_id,
		struct shim_exit *ret, struct err *err)
{
	_cleanup_proto_ Task__DeleteResponse *response = NULL;
	Task__ProcessRequest request;
	int r;

	fill(&request, id, exec_id);
	r = shim_call(client, "Delete", &request, &task__delete_response__descriptor, &response,
		      err);
	if (r == 0 && ret) {
		ret->status = response->exit_status;
		ret->exited_ns = proto_get_time(response->exited_at);
		ret->oom_killed = response->oom_killed;
		ret->unknown = response->exit_unknown;
	}
	return r;
}

int shim_shutdown(struct shim_client *client, const char *id, struct err *err)
{
	Task__ShutdownRequest request = TASK__SHUTDOWN_REQUEST__INIT;

	request.id = proto_string(id);
	return shim_call(client, "Shutdown", &request, NULL, NULL, err);
}
