/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "runtime/shim/oom.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/task_network.h"
#include "runtime/shim/task_work.h"

#define EXIT_AGAIN_NS INT64_C(2000000000)

/* ---- the container ---- */

static int find(struct task *task, bool for_removal, struct err *err)
{
	struct backend_process found = { .pidfd = -1, .console_fd = -1 };
	struct backend_create o;
	struct err why = { 0 };
	int r;

	if (task->handle || !task->lost || task->work)
		return 0;
	task_launch_fill(task, &o);
	o.for_removal = for_removal;
	r = task->shim->options->backend->adopt(&o, &task->handle, &found, &why);
	if (r < 0 && r != -ENOENT)
		return err_say(err, -r, "%s", why.text);
	cleanup_fd(&found.pidfd);
	task->lost = false;
	return 0;
}

int task_find_lost(struct task *task, struct err *err)
{
	return find(task, false, err);
}

int task_kill(struct task *task, int signal, bool all, struct err *err)
{
	const struct process *init = &task->init;

	task_find_lost(task, NULL);
	if (task->handle)
		return task->shim->options->backend->kill(task->handle, signal, all, err);
	if (!init->pid || init->status != PROCESS_RUNNING || task->adopted)
		return err_say(err, ESRCH, "container not running");
	/* Reaped by nobody but us, so its pid is still its own. */
	return kill(init->pid, signal) < 0 ? err_set(err, errno, "signal container %s", task->id)
					   : 0;
}

int task_destroy_container(struct task *task, struct err *err)
{
	int r = find(task, true, err);

	task->oom = oom_unwatch(task->oom);
	if (r < 0 || !task->handle)
		return r;
	/* Hooks may take long: those are run by a child, or nobody runs them. */
	if (task->slow)
		log_warn("the poststop hooks of container %s are not run again", task->id);
	r = task->shim->options->backend->destroy(take_ptr(task->handle), task->bundle, !task->slow,
						  err);
	task->lost = r < 0;
	return r;
}

static int unmount(struct task *task, struct err *err)
{
	int r = task->mounted ? task->shim->options->backend->unmount(task->bundle, err) : 0;

	task->mounted = task->mounted && r < 0;
	return r;
}

int task_destroy(struct task *task, struct err *err)
{
	int r = task_destroy_container(task, err), q = unmount(task, r < 0 ? NULL : err);

	return r < 0 ? r : q;
}

/* Who killed that child may kill another one, but not without end. */
static void on_child_done(struct task *task, struct work_result *result)
{
	bool again = result->died && !task->destroy_again;

	task->destroy_again = again;
	if (!again || task_work_destroy(task, on_child_done, NULL) < 0)
		task->destroyed(task, result);
}

bool task_destroy_elsewhere(struct task *task, void (*done)(struct task *, struct work_result *))
{
	if (!task->lost && (!task->handle || !task->slow))
		return false;
	if (task_work_destroy(task, on_child_done, NULL) < 0)
		return false;
	task->destroyed = done;
	task->oom = oom_unwatch(task->oom);
	if (task->handle)
		task->shim->options->backend->forget(take_ptr(task->handle));
	/* Until it is known to be gone. */
	task->lost = true;
	return true;
}

int task_container_destroyed(struct task *task, const struct work_result *result, struct err *err)
{
	if (result->died)
		return task_destroy_container(task, err);
	if (result->r < 0)
		return err_say(err, -result->r, "%s", result->err.text);
	task->lost = false;
	return 0;
}

int task_destroyed(struct task *task, const struct work_result *result, struct err *err)
{
	int r = task_container_destroyed(task, result, err), q;

	q = unmount(task, r < 0 ? NULL : err);
	return r < 0 ? r : q;
}

/* ---- one of ctr's ---- */

static int write_exit_file(const struct task *task, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	char time[CLOCK_RFC3339_SIZE];
	size_t len;

	if (!w)
		return err_set(err, ENOMEM, "write %s", task->exit_path);
	json_open_object(w);
	json_field_u64(w, "version", 1);
	/* Left out where nobody saw it. */
	if (!task->init.exit_unknown)
		json_field_u64(w, "exit_code", task->init.exit_code);
	json_field_bool(w, "oom_killed", task->oom_killed);
	json_field_string(w, "finished", clock_format(task->init.exited_ns, time));
	json_close_object(w);
	text = json_writer_take(w, &len);
	if (!text)
		return err_set(err, ENOMEM, "write %s", task->exit_path);
	return file_replace(AT_FDCWD, task->exit_path, text, len, 0644, false, err);
}

static int on_exit_again(void *data);

/* On a full disk it waits for room, and the shim with it: nobody else knows the status. */
static void note_exit(struct task *task)
{
	struct err err = { 0 };
	bool again = task->exit_waited;
	int r = write_exit_file(task, &err);

	if (r == 0)
		return;
	if (!again)
		log_error("%s", err.text);
	if ((r == -ENOSPC || r == -EDQUOT) && !task->remove)
		task->exit_waited =
			loop_add_time(task->shim->loop, clock_monotonic_ns() + EXIT_AGAIN_NS,
				      on_exit_again, task, &task->exit_timer, NULL) == 0;
}

static int on_exit_again(void *data)
{
	struct task *task = data;

	task->exit_timer = NULL;
	note_exit(task);
	shim_check_end(task->shim);
	return 0;
}

static void release(struct task *task)
{
	if (task->engine_root && task->engine_runroot && !task->remove &&
	    task->shim->options->engine)
		task->shim->options->engine->release(task->engine_root, task->engine_runroot,
						     task->id);
}

static void on_destroyed(struct task *task, struct work_result *result)
{
	struct err err = { 0 };

	if (task_destroyed(task, result, &err) < 0)
		log_error("%s", err.text);
	release(task);
	task->settled(task);
}

bool task_settle(struct task *task, void (*settled)(struct task *task))
{
	struct err err = { 0 };

	task_close_network(task);
	if (task->exit_path)
		note_exit(task);
	task->settled = settled;
	if (task_destroy_elsewhere(task, on_destroyed))
		return true;
	if (task_destroy(task, &err) < 0)
		log_error("%s", err.text);
	release(task);
	return false;
}

void task_remove(struct task *task)
{
	struct shim *shim = task->shim;
	struct err err = { 0 };

	task->remove = false;
	/* Nobody must find the shim any more, the removal itself least of all. */
	shim_stop_listening(shim);
	if (!shim->options->engine)
		log_error("container %s was to be removed, which this program cannot do", task->id);
	else if (shim->options->engine->remove(task->engine_root, task->engine_runroot, task->id,
					       !task->handle && !task->lost, &err) < 0)
		log_error("%s", err.text);
	shim_end(shim);
}
