/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/box.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "base/loop.h"
#include "runtime/engine/checkpoint.h"
#include "scheduler/agent/cores.h"
#include "scheduler/agent/fence.h"
#include "scheduler/agent/inside.h"
#include "scheduler/agent/kept.h"
#include "scheduler/agent/launch.h"
#include "scheduler/agent/pocket.h"
#include "scheduler/agent/socket.h"

static struct box *box_bare(struct agent *agent, const char *task, uint64_t incarnation)
{
	struct box *box = calloc(1, sizeof(*box));

	if (!box || !(box->arena = arena_new())) {
		free(box);
		return NULL;
	}
	box->agent = agent;
	box->incarnation = incarnation;
	box->exit_code = -1;
	box->notice_ms = -1;
	box->used_cpu_milli = box->used_memory_bytes = -1;
	snprintf(box->task, sizeof(box->task), "%s", task);
	snprintf(box->container, sizeof(box->container), "%s.%s.%" PRIu64, agent->options.cell,
		 task, incarnation);
	for (char *p = box->container; *p; p++)
		if (*p == '/')
			*p = '.';
	return box;
}

struct box *box_new(struct agent *agent, const struct want *want, int64_t fence_ns)
{
	struct box *box = box_bare(agent, want->task, want->incarnation);
	struct err err = { 0 };

	if (!box)
		return NULL;
	box->program = launch_copy(want->program, box->arena);
	if (!box->program)
		return box_free(box);
	box->cpu_milli = want->program->cpu_milli;
	box->memory_bytes = want->program->memory_bytes;
	box->grace_ms = want->program->stop_grace_ms;
	box->priority = want->program->priority;
	box->latency_sensitive = want->program->latency_sensitive;
	box->fence_ns = fence_ns;
	/* Told when it would start. */
	if (pocket_make(box, want, &err) < 0 || (box->has_pocket && socket_open(box, &err) < 0))
		box->reason = strdup(err.text);
	box->kept = want->kept;
	box->program_hash = program_hash(want->program);
	box->alloc = want->program->alloc ? strdup(want->program->alloc) : NULL;
	return box;
}

struct box *box_free(struct box *box)
{
	if (!box)
		return NULL;
	box_health_stop(box);
	socket_close(box);
	loop_remove(box->source);
	shim_close(box->waiter);
	work_cancel(box->work);
	work_cancel(box->fence_work);
	work_cancel(box->cores_work);
	work_cancel(box->pause_work);
	work_cancel(box->limit_work);
	arena_free(box->arena);
	free(box->reason);
	free(box->address);
	free(box->dir);
	free(box->illness);
	free(box->alloc);
	free(box->from);
	free(box->no_checkpoint);
	free(box);
	return NULL;
}

static void ended(struct box *box, int code, const char *reason)
{
	box_health_stop(box);
	box->state = BOX_ENDED;
	cores_give(box);
	box->exit_code = code;
	if (fence_has_ended(box)) {
		box->evicted = true;
		reason = "its master was not heard for longer than its fence allows";
	}
	if (reason && !box->reason)
		box->reason = strdup(reason);
	agent_changed(box->agent);
	if (!box->wanted)
		box_stop(box);
}

/* ---- watching ---- */

/* 1: it has ended already, and the box knows how. */
static int watch(struct box *box, struct err *err);

static int on_container_end(void *data, uint32_t events)
{
	struct box *box = data;
	struct shim_exit end;
	int r = shim_wait_finish(box->waiter, &end, NULL);

	(void)events;
	box->source = loop_remove(box->source);
	box->waiter = shim_close(box->waiter);
	if (r == 0) {
		box->oom = end.oom_killed;
		if (box->state == BOX_RUNNING)
			ended(box, end.unknown ? -1 : (int)end.status, NULL);
		return 0;
	}
	/* Its shim was killed: another one takes the container over, and is asked instead. */
	if (box->state != BOX_RUNNING)
		return 0;
	r = watch(box, NULL);
	if (r < 0)
		ended(box, -1, "its supervisor was killed, and its end was not seen");
	else if (r > 0)
		ended(box, box->exit_code, NULL);
	return 0;
}

static const char *label(const struct engine_container *c, const char *key)
{
	for (size_t i = 0; i < c->labels.count; i++)
		if (strcmp(c->labels.items[i].key, key) == 0)
			return *c->labels.items[i].value ? c->labels.items[i].value : NULL;
	return NULL;
}

static int take_ports(struct box *box, const struct engine_container *c, struct err *err)
{
	box->address = c->address ? strdup(c->address) : NULL;
	if (box->address)
		box->address[strcspn(box->address, "/")] = '\0';
	if (!c->ports.count)
		return 0;
	box->ports = arena_calloc(box->arena, c->ports.count, sizeof(*box->ports));
	if (!box->ports)
		return err_set(err, ENOMEM, "watch task %s", box->task);
	for (size_t i = 0; i < c->ports.count; i++)
		box->ports[box->port_count++] =
			(struct report_port){ c->ports.items[i].host, c->ports.items[i].container };
	return 0;
}

/* The shim knows best, for as long as there is one: the record of an end comes from it. */
static int ask_shim(struct box *box, const struct engine_container *c, struct err *err)
{
	int r = engine_connect(box->agent->engine, c, &box->waiter, err);

	if (r == 0)
		r = shim_wait_begin(box->waiter, c->id, NULL, err);
	if (r == 0)
		r = loop_add_fd(box->agent->loop, shim_fd(box->waiter), EPOLLIN, on_container_end,
				box, &box->source, err);
	if (r < 0)
		box->waiter = shim_close(box->waiter);
	return r;
}

static int watch(struct box *box, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL, *now = NULL;
	int r = engine_find(box->agent->engine, box->container, &c, err);

	if (r < 0)
		return r;
	r = ask_shim(box, c, err);
	if (r < 0 && engine_find(box->agent->engine, box->container, &now, NULL) == 0 &&
	    strcmp(now->status, "exited") == 0) {
		box->exit_code = now->exit_code;
		box->oom = now->oom_killed;
		return 1;
	}
	if (r < 0)
		return r;
	snprintf(box->cgroup, sizeof(box->cgroup), "%s/cellar-%s",
		 label(c, BOX_LABEL_CGROUP) ? label(c, BOX_LABEL_CGROUP) : "", c->id);
	box_health_start(box, c);
	return box->port_count || box->address ? 0 : take_ports(box, c, err);
}

/* ---- starting ---- */

static int start_work(void *data, struct err *err)
{
	struct box *box = data;

	err_try(box_discard(box, err));
	return launch_run(box, err);
}

static int restore_work(void *data, struct err *err)
{
	return launch_restore(data, err);
}

static void started(void *data, const struct err *result)
{
	struct box *box = data;
	struct err err = *result;
	int r = -err.code;

	box->work = NULL;
	if (r == 0)
		r = watch(box, &err);
	if (r < 0)
		ended(box, -1, err.text);
	else if (r > 0)
		ended(box, box->exit_code, NULL);
	else
		box->state = BOX_RUNNING;
	if (box->state == BOX_RUNNING)
		cores_started(box);
	agent_changed(box->agent);
	if (!box->wanted && box->state == BOX_RUNNING)
		box_stop(box);
}

/* What cannot go on begins anew. */
static void restored(void *data, const struct err *result)
{
	struct box *box = data;
	struct err err = *result;

	if (!result->code) {
		free(take_ptr(box->from));
		box->restored = true;
		started(box, result);
		return;
	}
	box->work = NULL;
	log_warn("task %s does not go on from its checkpoint: %s", box->task, err.text);
	box->no_checkpoint = strdup(err.text);
	agent_changed(box->agent);
	if (!box->wanted ||
	    work_start(box->agent->loop, start_work, started, box, &box->work, &err) < 0)
		ended(box, -1, err.text);
}

void box_start(struct box *box)
{
	struct err err = { 0 };

	if (box->reason) {
		ended(box, -1, NULL);
		return;
	}
	kept_claim(box);
	box->state = BOX_STARTING;
	box->fence_told_ns = box->fence_ns;
	cores_take(box);
	agent_changed(box->agent);
	if (work_start(box->agent->loop, box->from ? restore_work : start_work,
		       box->from ? restored : started, box, &box->work, &err) < 0)
		ended(box, -1, err.text);
}

/* ---- pausing ---- */

/* In a child: the freezer waits for tasks that sleep in the kernel. */
static int pause_work(void *data, struct err *err)
{
	const struct box *box = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;

	err_try(engine_find(box->agent->engine, box->container, &c, err));
	err_try(engine_connect(box->agent->engine, c, &client, err));
	return box->pausing ? shim_pause(client, c->id, err) : shim_resume(client, c->id, err);
}

/* What failed is tried again with the next answer. */
static void pause_done(void *data, const struct err *err)
{
	struct box *box = data;

	box->pause_work = NULL;
	if (!err->code) {
		box->is_paused = box->pausing;
		agent_changed(box->agent); /* others may wait for its room */
	} else if (box->state == BOX_RUNNING) {
		log_warn("task %s: %s", box->task, err->text);
	}
}

void box_pause(struct box *box)
{
	struct err err = { 0 };

	if (box->state != BOX_RUNNING || box->pause_work || box->paused == box->is_paused)
		return;
	box->pausing = box->paused;
	if (work_start(box->agent->loop, pause_work, pause_done, box, &box->pause_work, &err) < 0)
		log_warn("task %s: %s", box->task, err.text);
}

/* ---- after a restart of the agent ---- */

/* NULL when it is absent, or empty. */
static void find_state(struct box *box, const struct engine_container *c)
{
	bool may_run = c->pid || engine_call_restore_off(c, NULL) < 0;
	struct err err = { 0 };
	int r = may_run ? watch(box, &err) : -ESRCH;

	if (r == 0) {
		box->state = BOX_RUNNING;
		box->is_paused = strcmp(c->status, "paused") == 0;
		/* It went on from it right before the agent was killed. */
		if (engine_drop_checkpoint(c, &err) < 0)
			log_warn("task %s: %s", box->task, err.text);
		return;
	}
	box->state = BOX_ENDED;
	if (r > 0)
		return;
	/* Nobody has started it yet, or nobody knows how it ended. */
	if (strcmp(c->status, "exited") == 0) {
		box->exit_code = c->exit_code;
		box->oom = c->oom_killed;
		box->evicted = fence_has_ended(box);
	} else {
		box->reason = strdup(err.code ? err.text : "the agent was ended while it started");
	}
}

struct box *box_adopt(struct agent *agent, const struct engine_container *container)
{
	const char *cell = label(container, BOX_LABEL_CELL);
	const char *task = label(container, BOX_LABEL_TASK);
	const char *incarnation = label(container, BOX_LABEL_INCARNATION);
	const char *grace = label(container, BOX_LABEL_GRACE), *priority;
	const char *program = label(container, BOX_LABEL_PROGRAM);
	struct err err = { 0 };
	struct box *box;

	if (!cell || !task || !incarnation || strcmp(cell, agent->options.cell) != 0 ||
	    strlen(task) >= TASK_NAME_SIZE)
		return NULL;
	box = box_bare(agent, task, strtoull(incarnation, NULL, 10));
	if (!box)
		return NULL;
	/* Labels come from images, too; the name comes from us. */
	if (strcmp(box->container, container->name) != 0)
		return box_free(box);
	box->cpu_milli = container->limits.cpu_millicpu;
	box->memory_bytes = container->limits.memory_bytes;
	box->grace_ms = grace ? strtoll(grace, NULL, 10) : ENGINE_STOP_TIMEOUT_S * 1000;
	box->has_pocket = pocket_find(box);
	if (box->has_pocket && socket_open(box, &err) < 0)
		log_warn("task %s: %s", box->task, err.text);
	if (label(container, BOX_LABEL_ALLOC))
		box->alloc = strdup(label(container, BOX_LABEL_ALLOC));
	priority = label(container, BOX_LABEL_PRIORITY);
	box->priority = priority ? (unsigned)strtoul(priority, NULL, 10) : 0;
	box->latency_sensitive = priority && strchr(priority, ' ');
	box->program_hash = program ? strtoull(program, NULL, 16) : 0;
	box->was_fenced = label(container, BOX_LABEL_FENCE) != NULL;
	box->wanted = true; /* until the master says what it wants */
	find_state(box, container);
	if (box->state == BOX_RUNNING)
		cores_adopt(box, label(container, BOX_LABEL_CORES));
	return box;
}

void box_report(struct box *box, struct report *ret)
{
	static const enum report_state states[] = {
		[BOX_WAITING] = REPORT_STARTING, [BOX_STARTING] = REPORT_STARTING,
		[BOX_RUNNING] = REPORT_RUNNING,	 [BOX_STOPPING] = REPORT_STOPPING,
		[BOX_ENDED] = REPORT_ENDED,
	};

	*ret = (struct report){
		.task = box->task,
		.incarnation = box->incarnation,
		.state = states[box->state],
		.exit_code = box->exit_code,
		.oom = box->oom,
		.reason = box->illness ? box->illness : box->reason,
		.container = box->container,
		.address = box->address,
		.ports = box->ports,
		.port_count = box->port_count,
		.health = box->health,
		.secrets = box->secrets,
		.evicted = box->evicted,
		.restored = box->restored,
		.no_checkpoint = box->no_checkpoint,
		.used_cpu_milli = box->usage_is_new ? box->used_cpu_milli : -1,
		.used_memory_bytes = box->usage_is_new ? box->used_memory_bytes : -1,
	};
	box->usage_is_new = false;
}
