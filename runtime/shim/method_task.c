/* SPDX-License-Identifier: Apache-2.0 */
/* Methods on a task as a whole: freezer, processes, statistics, and those about the shim. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/metrics.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/settle.h"
#include "runtime/shim/task_news.h"
#include "runtime/shim/task_work.h"

static enum ttrpc_code find_alive(struct shim *shim, const char *id, struct task **ret,
				  struct err *err)
{
	enum ttrpc_code code = task_find(shim, id, ret, err);

	if (code == TTRPC_OK && !(*ret)->work)
		task_find_lost(*ret, NULL);
	if (code == TTRPC_OK && (!(*ret)->handle || (*ret)->init.status == PROCESS_STOPPED))
		code = ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "container %s is not running",
				  id);
	return code;
}

int task_freeze(struct task *task, bool frozen, struct err *err)
{
	Event__TaskPlain event = EVENT__TASK_PLAIN__INIT;
	struct shim *shim = task->shim;
	int r;

	/* criu freezes and thaws it, too. */
	if (task->work)
		return err_say(err, EBUSY, "container %s is being %s", task->id, task->work_name);
	r = shim->options->backend->freeze(task->handle, frozen, err);
	if (r < 0)
		return r;
	task->paused = frozen;
	task_tell(task, frozen ? "pause" : "unpause", NULL, NULL);
	event.container_id = task->id;
	if (frozen)
		events_publish(shim->events, "/tasks/paused", "TaskPaused", &event);
	else
		events_publish(shim->events, "/tasks/resumed", "TaskResumed", &event);
	return 0;
}

static enum ttrpc_code freeze(struct shim *shim, struct rpc_call *call, const void *data,
			      bool frozen, struct err *err)
{
	const Task__TaskRequest *request = data;
	struct task *task;
	enum ttrpc_code code = find_alive(shim, request->id, &task, err);

	if (code == TTRPC_OK)
		code = task_check_idle(task, err);
	if (code != TTRPC_OK)
		return code;
	if (task->init.status != PROCESS_RUNNING || task->paused == frozen)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION,
				  "cannot %s a container that is %s", frozen ? "pause" : "resume",
				  task->init.status != PROCESS_RUNNING ? "not started"
				  : task->paused		       ? "paused"
								       : "running");
	if (task_freeze(task, frozen, err) < 0)
		return TTRPC_UNKNOWN;
	rpc_reply(call, NULL);
	return TTRPC_OK;
}

enum ttrpc_code method_pause(struct shim *shim, struct rpc_call *call, const void *data,
			     struct err *err)
{
	return freeze(shim, call, data, true, err);
}

enum ttrpc_code method_resume(struct shim *shim, struct rpc_call *call, const void *data,
			      struct err *err)
{
	return freeze(shim, call, data, false, err);
}

enum ttrpc_code method_update(struct shim *shim, struct rpc_call *call, const void *data,
			      struct err *err)
{
	const Task__UpdateRequest *request = data;
	struct task *task;
	enum ttrpc_code code = find_alive(shim, request->id, &task, err);

	if (code == TTRPC_OK)
		code = task_check_idle(task, err);
	if (code != TTRPC_OK)
		return code;
	if (!request->resources)
		return ttrpc_fail(err, TTRPC_INVALID_ARGUMENT, "no resources to update %s with",
				  request->id);
	if (shim->options->backend->update(task->handle,
					   (const char *)request->resources->value.data,
					   request->resources->value.len, err) < 0)
		return TTRPC_UNKNOWN;
	rpc_reply(call, NULL);
	return TTRPC_OK;
}

/* The Any that tells an executed process from what the container started itself. */
static Pb__Any *exec_info(const struct task *task, pid_t pid)
{
	Task__ProcessDetails details = TASK__PROCESS_DETAILS__INIT;
	const struct process *p = task->execs;
	Pb__Any *any;

	while (p && p->pid != pid)
		p = p->next;
	any = p ? malloc(sizeof(*any)) : NULL;
	if (!any)
		return NULL;
	details.exec_id = p->exec_id;
	if (proto_pack_any(&details, "containerd.runc.v1.ProcessDetails", any) < 0) {
		free(any);
		return NULL;
	}
	return any;
}

static enum ttrpc_code reply_pids(struct rpc_call *call, const struct task *task, const pid_t *pids,
				  size_t count, struct err *err)
{
	_cleanup_free_ Task__ProcessInfo *infos = calloc(count + 1, sizeof(*infos));
	_cleanup_free_ Task__ProcessInfo **list = calloc(count + 1, sizeof(*list));
	Task__PidsResponse response = TASK__PIDS_RESPONSE__INIT;

	if (!infos || !list) {
		err_set(err, ENOMEM, "list processes");
		return TTRPC_UNKNOWN;
	}
	for (size_t i = 0; i < count; i++) {
		infos[i] = (Task__ProcessInfo)TASK__PROCESS_INFO__INIT;
		infos[i].pid = (uint32_t)pids[i];
		infos[i].info = exec_info(task, pids[i]);
		list[i] = &infos[i];
	}
	response.processes = list;
	response.n_processes = count;
	rpc_reply(call, &response);
	for (size_t i = 0; i < count; i++)
		if (infos[i].info) {
			free(infos[i].info->value.data);
			free(infos[i].info);
		}
	return TTRPC_OK;
}

enum ttrpc_code method_pids(struct shim *shim, struct rpc_call *call, const void *data,
			    struct err *err)
{
	const Task__TaskRequest *request = data;
	_cleanup_free_ pid_t *pids = NULL;
	size_t count = 0;
	struct task *task;
	enum ttrpc_code code = task_find(shim, request->id, &task, err);

	if (code != TTRPC_OK)
		return code;
	/* A restarted containerd asks this of ended containers too. */
	if (task->handle && task->init.status != PROCESS_STOPPED &&
	    shim->options->backend->pids(task->handle, &pids, &count, err) < 0)
		return TTRPC_UNKNOWN;
	return reply_pids(call, task, pids, count, err);
}

static int pack_v1(const struct backend_stats *s, Pb__Any *ret)
{
	Metrics__Pids pids = METRICS__PIDS__INIT;
	Metrics__V1CpuUsage usage = METRICS__V1_CPU_USAGE__INIT;
	Metrics__V1Throttle throttle = METRICS__V1_THROTTLE__INIT;
	Metrics__V1Cpu cpu = METRICS__V1_CPU__INIT;
	Metrics__V1MemoryEntry entry = METRICS__V1_MEMORY_ENTRY__INIT;
	Metrics__V1Memory memory = METRICS__V1_MEMORY__INIT;
	Metrics__V1BlkioEntry ios[2] = { METRICS__V1_BLKIO_ENTRY__INIT,
					 METRICS__V1_BLKIO_ENTRY__INIT };
	Metrics__V1BlkioEntry *list[] = { &ios[0], &ios[1] };
	Metrics__V1Blkio blkio = METRICS__V1_BLKIO__INIT;
	Metrics__V1OomControl oom = METRICS__V1_OOM_CONTROL__INIT;
	Metrics__V1 m = METRICS__V1__INIT;

	pids.current = s->pids_current;
	pids.limit = s->pids_limit == UINT64_MAX ? 0 : s->pids_limit;
	usage.total = s->cpu_usage_ns;
	usage.kernel = s->cpu_system_ns;
	usage.user = s->cpu_user_ns;
	throttle.periods = s->cpu_periods;
	throttle.throttled_periods = s->cpu_throttled_periods;
	throttle.throttled_time = s->cpu_throttled_ns;
	cpu.usage = &usage;
	cpu.throttling = &throttle;
	entry.usage = s->memory_usage_bytes;
	entry.limit = s->memory_limit_bytes;
	entry.max = s->memory_peak_bytes;
	memory.usage = &entry;
	memory.total_inactive_file = s->memory_inactive_file_bytes;
	ios[0].op = proto_string("Read");
	ios[0].value = s->io_read_bytes;
	ios[1].op = proto_string("Write");
	ios[1].value = s->io_write_bytes;
	blkio.io_service_bytes_recursive = list;
	blkio.n_io_service_bytes_recursive = ARRAY_SIZE(list);
	oom.oom_kill = s->oom_kills;
	m.pids = &pids;
	m.cpu = &cpu;
	m.memory = &memory;
	m.blkio = &blkio;
	m.memory_oom_control = &oom;
	return proto_pack_any(&m, "io.containerd.cgroups.v1.Metrics", ret);
}

static int pack_v2(const struct backend_stats *s, Pb__Any *ret)
{
	Metrics__Pids pids = METRICS__PIDS__INIT;
	Metrics__V2Cpu cpu = METRICS__V2_CPU__INIT;
	Metrics__V2Memory memory = METRICS__V2_MEMORY__INIT;
	Metrics__V2IoEntry entry = METRICS__V2_IO_ENTRY__INIT, *list[] = { &entry };
	Metrics__V2Io io = METRICS__V2_IO__INIT;
	Metrics__V2MemoryEvents events = METRICS__V2_MEMORY_EVENTS__INIT;
	Metrics__V2 m = METRICS__V2__INIT;

	pids.current = s->pids_current;
	pids.limit = s->pids_limit == UINT64_MAX ? 0 : s->pids_limit;
	cpu.usage_usec = s->cpu_usage_ns / 1000;
	cpu.user_usec = s->cpu_user_ns / 1000;
	cpu.system_usec = s->cpu_system_ns / 1000;
	cpu.nr_periods = s->cpu_periods;
	cpu.nr_throttled = s->cpu_throttled_periods;
	cpu.throttled_usec = s->cpu_throttled_ns / 1000;
	memory.usage = s->memory_usage_bytes;
	memory.usage_limit = s->memory_limit_bytes;
	memory.max_usage = s->memory_peak_bytes;
	memory.inactive_file = s->memory_inactive_file_bytes;
	entry.rbytes = s->io_read_bytes;
	entry.wbytes = s->io_write_bytes;
	io.usage = list;
	io.n_usage = ARRAY_SIZE(list);
	events.oom_kill = s->oom_kills;
	m.pids = &pids;
	m.cpu = &cpu;
	m.memory = &memory;
	m.io = &io;
	m.memory_events = &events;
	return proto_pack_any(&m, "io.containerd.cgroups.v2.Metrics", ret);
}

enum ttrpc_code method_stats(struct shim *shim, struct rpc_call *call, const void *data,
			     struct err *err)
{
	const Task__TaskRequest *request = data;
	Task__StatsResponse response = TASK__STATS_RESPONSE__INIT;
	Pb__Any any = PB__ANY__INIT;
	struct backend_stats stats;
	struct task *task;
	enum ttrpc_code code = find_alive(shim, request->id, &task, err);

	if (code != TTRPC_OK)
		return code;
	if (shim->options->backend->stats(task->handle, &stats, err) < 0)
		return TTRPC_UNKNOWN;
	if ((stats.v2 ? pack_v2(&stats, &any) : pack_v1(&stats, &any)) < 0) {
		err_set(err, ENOMEM, "pack statistics");
		return TTRPC_UNKNOWN;
	}
	response.stats = &any;
	rpc_reply(call, &response);
	free(any.value.data);
	return TTRPC_OK;
}

enum ttrpc_code method_connect(struct shim *shim, struct rpc_call *call, const void *data,
			       struct err *err)
{
	const Task__TaskRequest *request = data;
	Task__ConnectResponse response = TASK__CONNECT_RESPONSE__INIT;
	struct task *task;

	(void)err;
	response.shim_pid = (uint32_t)getpid();
	if (task_find(shim, request->id, &task, NULL) == TTRPC_OK)
		response.task_pid = (uint32_t)task->init.pid;
	response.version = proto_string(CELLAR_VERSION);
	rpc_reply(call, &response);
	return TTRPC_OK;
}

enum ttrpc_code method_shutdown(struct shim *shim, struct rpc_call *call, const void *data,
				struct err *err)
{
	(void)data;
	(void)err;
	/* Of a pod's containers every one is shut down; the last one ends the shim. */
	rpc_reply(call, NULL);
	for (const struct task *task = shim->tasks; task; task = task->next)
		if (!task->init.reported || task->durable)
			return TTRPC_OK;
	if (shim->creating) {
		/* It may yet fail, and then nobody asks once more. */
		shim->leave_wanted = true;
		return TTRPC_OK;
	}
	shim_leave(shim);
	return TTRPC_OK;
}
