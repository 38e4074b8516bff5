/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about a container as a whole, and those of cellar.shim.v1.Supervisor. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/shim/client_call.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/supervisor.pb-c.h"
#include "runtime/shim/task.pb-c.h"

#define PATIENCE_S 10
#define CREATE_S 120
#define UPGRADE_S 30

int shim_attach(struct shim_client *client, const struct shim_attach_options *options,
		struct err *err)
{
	Supervisor__AttachRequest request = SUPERVISOR__ATTACH_REQUEST__INIT;

	request.id = proto_string(options->id);
	request.exec_id = proto_string(options->exec_id);
	request.stdin = proto_string(options->stdin_path);
	request.stdout = proto_string(options->stdout_path);
	request.stderr = proto_string(options->stderr_path);
	return shim_call_own(client, "Attach", &request, PATIENCE_S, err);
}

int shim_restart(struct shim_client *client, const char *id, int signal, uint32_t timeout_ms,
		 struct err *err)
{
	Supervisor__RestartRequest request = SUPERVISOR__RESTART_REQUEST__INIT;

	request.id = proto_string(id);
	request.signal = (uint32_t)signal;
	request.timeout_ms = timeout_ms;
	return shim_call_own(client, "Restart", &request, (int)(timeout_ms / 1000) + CREATE_S, err);
}

int shim_set_deadline(struct shim_client *client, const char *id, uint64_t in_ms, bool pause,
		      struct err *err)
{
	Supervisor__DeadlineRequest request = SUPERVISOR__DEADLINE_REQUEST__INIT;

	request.id = proto_string(id);
	request.in_ms = in_ms;
	request.pause = pause;
	return shim_call_own(client, "Deadline", &request, PATIENCE_S, err);
}

int shim_upgrade(struct shim_client *client, const char *id, const char *binary, struct err *err)
{
	Supervisor__UpgradeRequest request = SUPERVISOR__UPGRADE_REQUEST__INIT;

	request.id = proto_string(id);
	request.binary = proto_string(binary);
	return shim_call_own(client, "Upgrade", &request, UPGRADE_S, err);
}

static int call_plain(struct shim_client *client, const char *method, const char *id,
		      struct err *err)
{
	Task__TaskRequest request = TASK__TASK_REQUEST__INIT;

	request.id = proto_string(id);
	return shim_call(client, method, &request, NULL, NULL, err);
}

int shim_pause(struct shim_client *client, const char *id, struct err *err)
{
	return call_plain(client, "Pause", id, err);
}

int shim_resume(struct shim_client *client, const char *id, struct err *err)
{
	return call_plain(client, "Resume", id, err);
}

int shim_update(struct shim_client *client, const char *id, const char *resources_json,
		struct err *err)
{
	Task__UpdateRequest request = TASK__UPDATE_REQUEST__INIT;
	Pb__Any any = PB__ANY__INIT;

	any.type_url =
		proto_string("types.containerd.io/opencontainers/runtime-spec/1/LinuxResources");
	any.value.data = (uint8_t *)proto_string(resources_json);
	any.value.len = strlen(resources_json);
	request.id = proto_string(id);
	request.resources = &any;
	return shim_call(client, "Update", &request, NULL, NULL, err);
}

int shim_pids(struct shim_client *client, const char *id, pid_t **ret, size_t *ret_count,
	      struct err *err)
{
	Task__TaskRequest request = TASK__TASK_REQUEST__INIT;
	_cleanup_proto_ Task__PidsResponse *response = NULL;
	pid_t *pids;
	int r;

	request.id = proto_string(id);
	r = shim_call(client, "Pids", &request, &task__pids_response__descriptor, &response, err);
	if (r < 0)
		return r;
	pids = calloc(response->n_processes + 1, sizeof(*pids));
	if (!pids)
		return err_set(err, ENOMEM, "list processes");
	for (size_t i = 0; i < response->n_processes; i++)
		pids[i] = (pid_t)response->processes[i]->pid;
	*ret = pids;
	*ret_count = response->n_processes;
	return 0;
}
