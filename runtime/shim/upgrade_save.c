/* SPDX-License-Identifier: Apache-2.0 */
/* What a shim is, as the message that another program in its place can read. */
#include "runtime/shim/upgrade_save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "runtime/shim/proto.h"

/* ---- descriptors ---- */

static void pass(int fd, bool passed)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, passed ? 0 : FD_CLOEXEC);
}

static void pass_process(const Upgrade__Process *p, bool passed)
{
	const Upgrade__Io *io = p->io;

	pass(p->pidfd, passed);
	if (!io)
		return;
	pass(io->stdin_writer, passed);
	pass(io->console, passed);
	pass(io->slave, passed);
	for (size_t i = 0; i < io->n_inputs; i++)
		pass(io->inputs[i], passed);
	for (size_t i = 0; i < io->n_late; i++)
		pass(io->late[i]->fd, passed);
	for (size_t i = 0; i < io->n_ends; i++) {
		pass(io->ends[i]->lasting, passed);
		pass(io->ends[i]->source, passed);
		for (size_t k = 0; k < io->ends[i]->n_sinks; k++)
			pass(io->ends[i]->sinks[k]->fd, passed);
	}
}

static void pass_task(const Upgrade__Task *task, bool passed)
{
	if (task->init)
		pass_process(task->init, passed);
	for (size_t i = 0; i < task->n_execs; i++)
		pass_process(task->execs[i], passed);
}

static void pass_port(const Upgrade__Port *port, bool passed)
{
	pass(port->fd, passed);
	for (size_t i = 0; i < port->n_flows; i++) {
		pass(port->flows[i]->client, passed);
		pass(port->flows[i]->container, passed);
	}
}

void upgrade_pass_fds(const Upgrade__State *state, bool passed)
{
	pass(state->listen_fd, passed);
	pass(state->lock_fd, passed);
	if (state->init)
		pass_process(state->init, passed);
	for (size_t i = 0; i < state->n_execs; i++)
		pass_process(state->execs[i], passed);
	for (size_t i = 0; i < state->n_tasks; i++)
		pass_task(state->tasks[i], passed);
	for (size_t i = 0; i < state->n_ports; i++)
		pass_port(state->ports[i], passed);
	for (size_t i = 0; i < state->n_connections; i++)
		pass(state->connections[i]->fd, passed);
}

/* ---- the message ---- */

struct saved_process {
	Upgrade__Process process;
	Upgrade__Io io;
};

static int save_process(const struct process *p, struct saved_process *ret)
{
	Upgrade__Process *saved = &ret->process;

	*saved = (Upgrade__Process)UPGRADE__PROCESS__INIT;
	ret->io = (Upgrade__Io)UPGRADE__IO__INIT;
	saved->exec_id = p->exec_id;
	saved->pid = p->pid;
	saved->pidfd = p->pidfd;
	saved->terminal = p->terminal;
	saved->stdin = p->stdin_path;
	saved->stdout = p->stdout_path;
	saved->stderr = p->stderr_path;
	saved->stopped = p->status == PROCESS_STOPPED;
	saved->exit_code = p->exit_code;
	saved->exit_unknown = p->exit_unknown;
	saved->started_ns = p->started_ns;
	saved->exited_ns = p->exited_ns;
	if (saved->stopped)
		return p->reported && process_is_drained(p) ? 0 : -EBUSY;
	if (p->status != PROCESS_RUNNING || !p->io)
		return -EBUSY;
	saved->io = &ret->io;
	return io_save(p->io, &ret->io);
}

struct upgrade_saved_task {
	Upgrade__Task message;
	struct saved_process *processes; /* the init first */
	Upgrade__Process **execs;
	size_t count; /* of processes */
	struct strbuf request;
};

static void unsave_task(struct upgrade_saved_task *saved)
{
	for (size_t i = 0; i < saved->count; i++)
		io_unsave(&saved->processes[i].io);
	free(saved->processes);
	free(saved->execs);
	strbuf_deinit(&saved->request);
}

void upgrade_unsave(struct upgrade_saved *saved)
{
	server_unsave(&saved->state);
	ports_unsave(&saved->ports);
	events_unsave(&saved->state);
	for (size_t i = 0; i < saved->count; i++)
		unsave_task(&saved->tasks[i]);
	free(saved->tasks);
	free(saved->list);
}

static int save_task(const struct task *task, struct upgrade_saved_task *saved)
{
	Upgrade__Task *m = &saved->message;
	size_t count = 1;
	int r;

	*m = (Upgrade__Task)UPGRADE__TASK__INIT;
	for (const struct process *p = task->execs; p; p = p->next)
		count++;
	saved->processes = calloc(count, sizeof(*saved->processes));
	saved->execs = calloc(count, sizeof(*saved->execs));
	if (!saved->processes || !saved->execs)
		return -ENOMEM;
	saved->count = 1;
	r = save_process(&task->init, &saved->processes[0]);
	for (const struct process *p = task->execs; p && r == 0; p = p->next) {
		struct saved_process *to = &saved->processes[saved->count++];

		r = save_process(p, to);
		saved->execs[m->n_execs++] = &to->process;
	}
	m->init = &saved->processes[0].process;
	m->execs = saved->execs;
	m->oom_killed = task->oom_killed;
	m->oom_kills = task->oom_kills;
	m->unmounted = !task->mounted;
	return r;
}

static int save_request(const struct task *task, struct upgrade_saved_task *saved)
{
	if (!task->request)
		return -EINVAL;
	proto_pack(task->request, &saved->request);
	saved->message.request.data = (uint8_t *)saved->request.data;
	saved->message.request.len = saved->request.len;
	return strbuf_ok(&saved->request) ? 0 : -ENOMEM;
}

static int save_tasks(const struct shim *shim, struct upgrade_saved *saved)
{
	size_t count = 0;
	int r = 0;

	for (const struct task *task = shim->tasks; task; task = task->next)
		count++;
	saved->tasks = calloc(count + 1, sizeof(*saved->tasks));
	saved->list = calloc(count + 1, sizeof(*saved->list));
	if (!saved->tasks || !saved->list)
		return -ENOMEM;
	for (const struct task *task = shim->tasks; task && r == 0; task = task->next) {
		struct upgrade_saved_task *to = &saved->tasks[saved->count];

		saved->list[saved->count++] = &to->message;
		r = save_task(task, to);
		if (r == 0 && task->durable)
			r = save_request(task, to);
	}
	return r;
}

/* A container of ctr is told of as the first version had it: the rest is in its journal. */
static int tell_of_one(const struct task *task, struct upgrade_saved *saved)
{
	Upgrade__State *state = &saved->state;
	const Upgrade__Task *m = saved->list[0];
	int r = ports_save(task->ports, &saved->ports);

	state->init = m->init;
	state->execs = m->execs;
	state->n_execs = m->n_execs;
	state->bundle = task->bundle;
	state->lock_fd = task->lock_fd;
	state->oom_kills = task->oom_kills;
	state->ports = saved->ports.list;
	state->n_ports = saved->ports.count;
	return r;
}

int upgrade_save(const struct shim *shim, struct upgrade_saved *ret)
{
	Upgrade__State *state = &ret->state;
	int r;

	*state = (Upgrade__State)UPGRADE__STATE__INIT;
	state->version = UPGRADE_VERSION;
	state->socket_path = proto_string(shim->options->socket_path);
	state->ttrpc_address = proto_string(shim->options->ttrpc_address);
	state->bundle = shim->tasks->bundle;
	state->lock_fd = -1;
	r = save_tasks(shim, ret);
	if (r == 0 && shim->tasks->durable) {
		state->tasks = ret->list;
		state->n_tasks = ret->count;
	} else if (r == 0) {
		r = tell_of_one(shim->tasks, ret);
	}
	if (r == 0)
		r = events_save(shim->events, state);
	return r == 0 ? server_save(shim->server, shim->upgrade, state) : r;
}
