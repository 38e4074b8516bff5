/* SPDX-License-Identifier: Apache-2.0 */
/* The new program's side of a live upgrade. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "runtime/shim/adopt.h"
#include "runtime/shim/bundle_file.h"
#include "runtime/shim/deadline.h"
#include "runtime/shim/end.h"
#include "runtime/shim/health.h"
#include "runtime/shim/journal.h"
#include "runtime/shim/oom.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/restart.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/task_network.h"
#include "runtime/shim/task_work.h"
#include "runtime/shim/ports.h"
#include "runtime/shim/upgrade.h"

static void set_end(struct process *p, const Upgrade__Process *saved)
{
	p->pid = saved->pid;
	p->status = saved->stopped ? PROCESS_STOPPED : PROCESS_RUNNING;
	p->reported = saved->stopped;
	p->exit_code = saved->exit_code;
	p->exit_unknown = saved->exit_unknown;
	p->started_ns = saved->started_ns;
	p->exited_ns = saved->exited_ns;
}

static int restore_exec(struct task *task, const Upgrade__Process *saved, struct err *err)
{
	Task__ExecRequest request = TASK__EXEC_REQUEST__INIT;
	Pb__Any spec = PB__ANY__INIT;
	struct io_options io;
	struct process *p;

	request.exec_id = saved->exec_id;
	request.terminal = saved->terminal;
	request.stdin = saved->stdin;
	request.stdout = saved->stdout;
	request.stderr = saved->stderr;
	request.spec = &spec;
	p = process_new(task, &request);
	if (!p)
		return err_set(err, ENOMEM, "take over process %s", saved->exec_id);
	free(take_ptr(p->spec));
	p->pidfd = saved->pidfd;
	set_end(p, saved);
	if (saved->stopped)
		return 0;
	if (process_watch(p) < 0)
		return err_set(err, ENOMEM, "take over process %s", saved->exec_id);
	task_launch_exec_options(p, &io);
	return saved->io ? io_restore(&io, saved->io, &p->io, err) : 0;
}

/* Its processes are ours whether it can be opened or not: else it is looked for again (settle.h).
 */
static void open_container(struct task *task)
{
	const struct backend_create o = {
		.root = task->runtime_root,
		.id = task->id,
		.bundle = task->bundle,
	};
	struct backend_process found = { .pidfd = -1, .console_fd = -1 };
	struct err why = { 0 };

	if (task->shim->options->backend->adopt(&o, &task->handle, &found, &why) < 0) {
		log_error("after the upgrade: %s", why.text);
		task->lost = true;
		return;
	}
	cleanup_fd(&found.pidfd);
	task->paused = found.paused;
}

/* The list has the newest first. One that is not whole is none of the others' matter. */
static void restore_execs(struct task *task, Upgrade__Process *const *saved, size_t count)
{
	for (size_t i = count; i > 0; i--) {
		struct err err = { 0 };

		if (restore_exec(task, saved[i - 1], &err) < 0)
			log_error("after the upgrade: %s", err.text);
	}
}

static int restore_task(struct task *task, const Journal__Create *create,
			const Upgrade__State *state, struct err *err)
{
	const struct ports_saved ports = { .list = state->ports, .count = state->n_ports };
	struct process *init = &task->init;
	struct err lost = { 0 };
	int r = task_read_options(task, create->request, err);

	if (r < 0)
		return r;
	open_container(task);
	task->slow = task_work_is_wanted(task->bundle);
	task->mounted = create->request->n_rootfs > 0;
	restart_load(task);
	if (task_open_network(task, &ports, &lost) < 0)
		log_warn("container %s: %s", task->id, lost.text);
	if (!state->init->io)
		return err_say(err, EBADMSG, "what the shim left has no stdio");
	r = task_launch_restore_stdio(task, state->init->io, err);
	if (r < 0)
		return r;
	io_pipe_inodes(init->io, task->pipes);
	set_end(init, state->init);
	if (process_watch(init) < 0)
		return err_set(err, ENOMEM, "take over container %s", task->id);
	oom_watch(task, state->oom_kills);
	/* A check that was under way is made again. */
	health_resume(task);
	restore_execs(task, state->execs, state->n_execs);
	return 0;
}

/* ---- of containerd ---- */

static int restore_durable_init(struct task *task, const Upgrade__Task *saved, struct err *err)
{
	struct process *init = &task->init;

	/* Its end is told whatever becomes of the rest. */
	set_end(init, saved->init);
	if (init->status == PROCESS_RUNNING) {
		if (process_watch(init) < 0)
			return err_set(err, ENOMEM, "take over container %s", task->id);
		oom_watch(task, saved->oom_kills);
	}
	return saved->init->io ? task_launch_restore_stdio(task, saved->init->io, err) : 0;
}

/* The older program took them, and noted what became of them in the bundle; a file of theirs may be
 * another one by now. */
static void read_options(struct task *task)
{
	struct err why = { 0 };
	char *root;

	if (task_read_options(task, task->request, &why) < 0)
		log_error("after the upgrade: %s", why.text);
	if (bundle_file_read(task->bundle, &root, NULL) < 0)
		return;
	free(task->runtime_root);
	task->runtime_root = root;
}

static int restore_durable(struct shim *shim, const Upgrade__Task *saved, struct err *err)
{
	Task__CreateRequest *request;
	struct task *task;
	int r = proto_unpack(&task__create_request__descriptor, saved->request.data,
			     saved->request.len, &request, err);

	if (r < 0)
		return r;
	task = saved->init ? task_new(shim, request) : NULL;
	if (!task) {
		proto_free(request);
		return err_set(err, ENOMEM, "take over a container");
	}
	task->request = request;
	task->next = shim->tasks;
	shim->tasks = task;
	read_options(task);
	open_container(task);
	task->mounted = !saved->unmounted;
	task->slow = task_work_is_wanted(task->bundle);
	task->oom_killed = saved->oom_killed;
	restore_execs(task, saved->execs, saved->n_execs);
	return restore_durable_init(task, saved, err);
}

/* What is told of one that could not be taken over is an error of its own: the others go on. */
static void restore_all(struct shim *shim, const Upgrade__State *state)
{
	shim->had_task = shim->durable = true;
	for (size_t i = state->n_tasks; i > 0; i--) {
		struct err err = { 0 };

		if (restore_durable(shim, state->tasks[i - 1], &err) < 0)
			log_error("a container is not whole after the upgrade: %s", err.text);
	}
	events_restore(shim->events, state);
}

/* ---- of ctr ---- */

static int restore(struct shim *shim, const Upgrade__State *state, struct err *err)
{
	_cleanup_proto_ Journal__Create *create = NULL;
	struct task *task;
	int r = journal_read_create(state->bundle, &create, err);

	if (r < 0)
		return r;
	task = task_new(shim, create->request);
	if (!task)
		return err_set(err, ENOMEM, "take over container %s", create->request->id);
	task->next = shim->tasks;
	shim->tasks = task;
	shim->had_task = true;
	task->lock_fd = state->lock_fd;
	r = restore_task(task, create, state, err);
	if (r < 0)
		task_free(task);
	else
		deadline_resume(task);
	return r;
}

int upgrade_restore(struct shim *shim, const Upgrade__State *state, struct err *err)
{
	struct rpc_call *call;
	struct err why = { 0 };
	int r;

	upgrade_pass_fds(state, false);
	r = 0;
	if (state->n_tasks)
		restore_all(shim, state);
	else
		r = restore(shim, state, &why);
	if (r < 0) {
		log_error("%s", why.text);
		r = adopt_task(shim, state->bundle, err);
	}
	if (r < 0)
		return r;
	server_restore(shim->server, state, &call);
	if (call && why.code)
		rpc_fail(call, TTRPC_UNKNOWN, &why);
	else if (call)
		rpc_reply(call, NULL);
	return 0;
}
