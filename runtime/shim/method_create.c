/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Create: stdio, rootfs and container of a task, in this order; all undone on failure, and when who
 * asked waits no more or deletes it. Until it is done nobody else finds the task. A logger that has
 * to come up first, and hooks, are awaited by the loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/container.h"
#include "runtime/shim/bundle_file.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/settle.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/task_network.h"
#include "runtime/shim/task_work.h"

static int mount_rootfs(struct task *task, struct err *err)
{
	const Task__CreateRequest *request = task->request;
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

/* For whoever finds this shim dead. */
static int keep_request(struct task *task, struct err *err)
{
	if (task->durable)
		return bundle_file_write(task->bundle, task->runtime_root, err);
	return task->io_dir ? task_launch_note(task, task->request, err) : 0;
}

/* ---- one that is not going to be ---- */

static void answer_undone(struct task *task)
{
	struct rpc_call *call = take_ptr(task->creator), *next, *deleter;
	_cleanup_free_ struct err *why = take_ptr(task->failure);
	struct rpc_call *deleters = take_ptr(task->cancellers);
	struct shim *shim = task->shim;
	struct err gone = { 0 };

	task_free(task);
	rpc_fail(call, TTRPC_UNKNOWN, why);
	/* As if it had never been, which is how containerd cleans up. */
	ttrpc_fail(&gone, TTRPC_NOT_FOUND, "container not created");
	for (deleter = deleters; deleter; deleter = next) {
		next = rpc_next(deleter);
		rpc_fail(deleter, TTRPC_NOT_FOUND, &gone);
	}
	if (shim->leave_wanted && !shim->tasks && !shim->creating)
		shim_leave(shim);
	else
		shim_check_end(shim);
}

static void on_undone(struct task *task, struct work_result *result)
{
	struct err err = { 0 };

	if (task_destroyed(task, result, &err) < 0)
		log_error("%s", err.text);
	answer_undone(task);
}

/* The error that is on its way counts; what follows from it is only logged. */
static void undo(struct task *task, const struct err *why)
{
	struct err err = { 0 };

	if (task->undoing)
		return;
	task->undoing = true;
	task->failure = malloc(sizeof(*why));
	if (task->failure)
		*task->failure = *why;
	/* What it was about to make may be there already. */
	if (task->work) {
		task_work_cancel(task);
		task->lost = true;
	}
	if (task_destroy_elsewhere(task, on_undone))
		return;
	if (task_destroy(task, &err) < 0)
		log_error("%s", err.text);
	answer_undone(task);
}

/*
 * Whoever asked believes that it failed, and nobody else knows of it. containerd deletes what it
 * has not got in time; one that died finds nothing when it is back.
 */
void create_drop_abandoned(struct shim *shim)
{
	struct err why = { 0 };
	struct task *next;

	err_say(&why, ECANCELED, "nobody waits for it any more");
	for (struct task *task = shim->creating; task; task = next) {
		next = task->next;
		if (rpc_is_abandoned(task->creator))
			undo(task, &why);
	}
}

static struct task *find_creating(const struct shim *shim, const char *id)
{
	struct task *task = shim->creating;

	while (task && strcmp(task->id, id) != 0)
		task = task->next;
	return task;
}

enum ttrpc_code create_cancel(struct shim *shim, const char *id, struct rpc_call *call,
			      struct err *err)
{
	struct task *task = find_creating(shim, id);
	struct err why = { 0 };

	if (!task)
		return ttrpc_fail(err, TTRPC_NOT_FOUND, "container not created");
	rpc_set_next(call, task->cancellers);
	task->cancellers = call;
	err_say(&why, ECANCELED, "container %s was deleted before it was made", id);
	undo(task, &why);
	return TTRPC_OK;
}

/* ---- one that is ---- */

static void publish(const struct task *task)
{
	const Task__CreateRequest *request = task->request;
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
	event.checkpoint = proto_string(task->checkpoint);
	event.pid = (uint32_t)task->init.pid;
	events_publish(task->shim->events, "/tasks/create", "TaskCreate", &event);
}

/* why: what failed, or NULL. Answers the call. */
static void finish(struct task *task, const struct err *why)
{
	Task__PidResponse response = TASK__PID_RESPONSE__INIT;
	struct shim *shim = task->shim;

	if (why) {
		undo(task, why);
		return;
	}
	for (struct task **at = &shim->creating; *at; at = &(*at)->next)
		if (*at == task) {
			*at = task->next;
			break;
		}
	task->next = shim->tasks;
	shim->tasks = task;
	shim->had_task = true;
	shim->durable |= task->durable;
	shim->leave_wanted = false;
	/* Else it would leave in this one's stead, should it be deleted before that is due. */
	shim->leaving = loop_remove(shim->leaving);
	publish(task);
	if (!task->durable) {
		proto_free(task->request);
		task->request = NULL;
	}
	response.pid = (uint32_t)task->init.pid;
	rpc_reply(take_ptr(task->creator), &response);
}

static void on_created(struct task *task, struct work_result *result)
{
	/* That one was made may not be told any more. */
	task->lost = result->died || result->r == 0;
	if (result->r == 0)
		result->r = task_launch_take(task, result->pid, &result->fd, &result->err);
	finish(task, result->r < 0 ? &result->err : NULL);
}

/* >0: it goes on by itself. */
static int make_container(struct task *task, struct err *err)
{
	int r = keep_request(task, err);

	if (r == 0)
		r = mount_rootfs(task, err);
	/* One that comes from a checkpoint is made when it is started. */
	if (r < 0 || task->checkpoint)
		return r;
	task->slow = task_work_is_wanted(task->bundle);
	if (!task->slow)
		return task_launch_container(task, err);
	r = task_work_create(task, on_created, err);
	return r < 0 ? r : 1;
}

static void go_on(struct task *task)
{
	struct err err = { 0 };
	int r = make_container(task, &err);

	if (r <= 0)
		finish(task, r < 0 ? &err : NULL);
}

static void on_ready(void *data, const struct err *why_not)
{
	struct process *init = data;

	if (init->task->undoing)
		return;
	if (why_not)
		finish(init->task, why_not);
	else
		go_on(init->task);
}

static void begin(struct task *task)
{
	struct err err = { 0 };
	int r = task_read_options(task, task->request, &err);

	if (r == 0)
		r = task_open_network(task, NULL, &err);
	if (r == 0)
		r = task_launch_stdio(task, NULL, on_ready, &err);
	if (r < 0)
		finish(task, &err);
	else if (io_is_ready(task->init.io))
		go_on(task);
}

static int copy_request(const Task__CreateRequest *request, Task__CreateRequest **ret,
			struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };

	proto_pack(request, &text);
	if (!strbuf_ok(&text))
		return err_set(err, ENOMEM, "create container %s", request->id);
	return proto_unpack(&task__create_request__descriptor, text.data, text.len, ret, err);
}

enum ttrpc_code method_create(struct shim *shim, struct rpc_call *call, const void *data,
			      struct err *err)
{
	const Task__CreateRequest *request = data;
	struct task *task;

	if (!container_id_is_valid(request->id) || request->bundle[0] != '/')
		return ttrpc_fail(
			err, TTRPC_INVALID_ARGUMENT,
			"create needs an id and an absolute bundle, not \"%s\" and \"%s\"",
			request->id, request->bundle);
	if (find_creating(shim, request->id) ||
	    task_find(shim, request->id, &task, NULL) == TTRPC_OK)
		return ttrpc_fail(err, TTRPC_ALREADY_EXISTS, "container %s exists", request->id);
	if (shim->ending)
		return ttrpc_fail(err, TTRPC_FAILED_PRECONDITION, "the shim is ending");
	task = task_new(shim, request);
	if (!task) {
		err_set(err, ENOMEM, "create container %s", request->id);
		return TTRPC_UNKNOWN;
	}
	if (copy_request(request, &task->request, err) < 0) {
		task_free(task);
		return TTRPC_UNKNOWN;
	}
	task->creator = call;
	task->next = shim->creating;
	shim->creating = task;
	begin(task);
	return TTRPC_OK;
}
