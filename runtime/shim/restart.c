/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/restart.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/shim/deadline.h"
#include "runtime/shim/end.h"
#include "runtime/shim/journal.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/shim.h"

#define FIRST_NS INT64_C(100000000)
#define LONGEST_NS INT64_C(60000000000)
#define GOOD_RUN_NS INT64_C(10000000000) /* after which the next wait is the first again */
#define OUR_FAILURE 125			 /* as ctr run has it */

static void answer(struct task *task, int r, const struct err *err)
{
	struct rpc_call *call = take_ptr(task->restart.asking);

	task->restart.wanted = false;
	task->restart.patience = loop_remove(task->restart.patience);
	if (call && r < 0)
		rpc_fail(call, TTRPC_UNKNOWN, err);
	else if (call)
		rpc_reply(call, NULL);
}

static bool is_due(const struct task *task)
{
	const struct process *init = &task->init;

	if (task->shim->ending || !init->started_ns)
		return false;
	if (task->restart.wanted)
		return true;
	if (task->restart.forbidden)
		return false;
	switch (task->policy.restart) {
	case SHIM_RESTART_NO:
		return false;
	case SHIM_RESTART_ON_FAILURE:
		return (init->exit_code != 0 || init->exit_unknown) &&
		       (!task->policy.restart_max ||
			task->restart.count < task->policy.restart_max);
	case SHIM_RESTART_ALWAYS:
	case SHIM_RESTART_UNLESS_STOPPED:
		return true;
	}
	return false;
}

int restart_try_save(const struct task *task, struct err *err)
{
	const struct process *init = &task->init;
	Journal__State state = JOURNAL__STATE__INIT;

	if (!task->io_dir)
		return 0;
	state.restarts = task->restart.count;
	state.restarting = task->restart.pending;
	state.stopped = task->restart.forbidden;
	state.started_ns = init->started_ns;
	state.finished_ns = init->exited_ns;
	state.exit_code = init->exit_code;
	state.exit_unknown = init->exit_unknown;
	state.backoff_ns = task->restart.backoff_ns;
	deadline_save(task, &state);
	return journal_write_state(task->bundle, &state, err);
}

void restart_save(const struct task *task)
{
	char path[PATH_MAX];
	struct err err = { 0 };

	/* One that was written is kept true. */
	if (!task->io_dir ||
	    (task->policy.restart == SHIM_RESTART_NO && !task->restart.count &&
	     !task->restart.pending && !task->deadline &&
	     (path_join(path, sizeof(path), task->bundle, JOURNAL_STATE, NULL) < 0 ||
	      access(path, F_OK) < 0)))
		return;
	/* Only what a person sees of it is missing then. */
	if (restart_try_save(task, &err) < 0)
		log_warn("%s", err.text);
}

void restart_load(struct task *task)
{
	_cleanup_proto_ Journal__State *state = NULL;

	if (journal_read_state(task->bundle, &state, NULL) < 0)
		return;
	task->restart.count = state->restarts;
	task->restart.pending = state->restarting;
	task->restart.forbidden = state->stopped;
	task->restart.backoff_ns = state->backoff_ns;
	task->init.started_ns = state->started_ns;
	task->init.exited_ns = state->finished_ns;
	task->init.exit_code = state->exit_code;
	task->init.exit_unknown = state->exit_unknown;
	deadline_load(task, state);
}

static int64_t next_backoff(const struct task *task)
{
	int64_t last = task->restart.backoff_ns;

	bool ran = task->init.pid && !task->init.start_failure;

	if (!last || (ran && task->init.exited_ns - task->init.started_ns >= GOOD_RUN_NS))
		return FIRST_NS;
	return last * 2 < LONGEST_NS ? last * 2 : LONGEST_NS;
}

static int on_timer(void *data);

static void set_timer(struct task *task, int64_t wait_ns)
{
	if (loop_add_time(task->shim->loop, clock_monotonic_ns() + wait_ns, on_timer, task,
			  &task->restart.timer, NULL) < 0)
		restart_forbid(task);
}

bool restart_take(struct task *task)
{
	struct err err = { 0 };

	if (!is_due(task))
		return false;
	task->restart.backoff_ns = task->restart.wanted ? 0 : next_backoff(task);
	task->restart.pending = true;
	task->paused = false;
	restart_save(task);
	process_publish_exit(&task->init);
	/* A terminal's last bytes are read meanwhile. */
	if (task_destroy_container(task, &err) < 0)
		log_error("%s", err.text);
	set_timer(task, task->restart.backoff_ns);
	return true;
}

void restart_resume(struct task *task)
{
	set_timer(task, task->restart.backoff_ns ? task->restart.backoff_ns : FIRST_NS);
}

void restart_forbid(struct task *task)
{
	bool was_pending = task->restart.pending;

	if (was_pending && task->restart.wanted) {
		struct err err = { 0 };

		err_say(&err, ECANCELED, "it was stopped meanwhile");
		answer(task, -ECANCELED, &err);
	}
	if (task->policy.restart == SHIM_RESTART_NO && !was_pending)
		return;
	task->restart.forbidden = true;
	task->restart.pending = false;
	task->restart.timer = loop_remove(task->restart.timer);
	restart_save(task);
	if (was_pending)
		process_is_over(&task->init);
}

static int run_again(struct task *task, struct err *err)
{
	int r = io_renew(task->init.io, err);

	if (r == 0)
		r = task_launch_container(task, err);
	if (r == 0)
		r = task_launch_note_pipes(task, err);
	if (r == 0)
		return task_launch_start(task, err);
	/* What was made of it has nobody else who tells of its end. */
	reaper_forget(task->shim->reaper, task->init.pid);
	task_destroy_container(task, NULL);
	task->init.pid = 0;
	process_end(&task->init, OUR_FAILURE);
	return r;
}

static int on_timer(void *data)
{
	struct task *task = data;
	struct process *init = &task->init;
	struct err err = { 0 };
	int r;

	task->restart.timer = NULL;
	task->restart.pending = false;
	task->restart.count++;
	init->status = PROCESS_CREATED;
	init->start_failure = 0;
	init->exit_unknown = false;
	init->pid = 0;
	r = run_again(task, &err);
	if (r < 0) {
		log_error("restart container %s: %s", task->id, err.text);
		if (task->log)
			shim_log_note(task->log, "restart failed: %s", err.text);
	}
	answer(task, r, &err);
	restart_save(task);
	return 0;
}

static int on_impatience(void *data)
{
	struct task *task = data;

	task->restart.patience = NULL;
	if (task->handle && task->init.status == PROCESS_RUNNING)
		task->shim->options->backend->kill(task->handle, SIGKILL, true, NULL);
	return 0;
}

static void end_process(struct task *task, int signal, int64_t timeout_ns)
{
	/* A frozen process hears nothing. */
	if (task->paused)
		task_freeze(task, false, NULL);
	if (task->init.status == PROCESS_RUNNING)
		task->shim->options->backend->kill(task->handle, signal, false, NULL);
	task->restart.patience = loop_remove(task->restart.patience);
	loop_add_time(task->shim->loop, clock_monotonic_ns() + timeout_ns, on_impatience, task,
		      &task->restart.patience, NULL);
}

void restart_now(struct task *task, int signal, int64_t timeout_ns, struct rpc_call *call)
{
	struct err err = { 0 };

	if (task->restart.asking && rpc_is_abandoned(task->restart.asking))
		answer(task, 0, NULL);
	if (task->restart.wanted) {
		ttrpc_fail(&err, TTRPC_FAILED_PRECONDITION, "it is being restarted");
		if (call)
			rpc_fail(call, TTRPC_FAILED_PRECONDITION, &err);
		return;
	}
	task->restart.wanted = true;
	task->restart.asking = call;
	task->restart.forbidden = false;
	if (task->restart.pending) {
		task->restart.timer = loop_remove(task->restart.timer);
		set_timer(task, 0);
		return;
	}
	end_process(task, signal, timeout_ns);
}

void restart_end(struct task *task, int signal, int64_t timeout_ns)
{
	restart_forbid(task);
	end_process(task, signal, timeout_ns);
}
