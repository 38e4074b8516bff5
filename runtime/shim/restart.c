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
#include "runtime/shim/settle.h"
#include "runtime/shim/task_launch.h"
#include "runtime/shim/task_work.h"
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

/* What it left is gone: the next run follows, unless a person has ended it meanwhile. */
static void go_on(struct task *task)
{
	if (task->restart.pending)
		set_timer(task, task->restart.backoff_ns);
	else
		process_is_over(&task->init);
}

static void on_gone(struct task *task, struct work_result *result)
{
	struct err err = { 0 };

	if (task_container_destroyed(task, result, &err) < 0)
		log_error("%s", err.text);
	go_on(task);
}

static void clear_away(struct task *task)
{
	struct err err = { 0 };

	if (task_destroy_elsewhere(task, on_gone))
		return;
	if (task_destroy_container(task, &err) < 0)
		log_error("%s", err.text);
	go_on(task);
}

bool restart_take(struct task *task)
{
	if (!is_due(task))
		return false;
	task->restart.backoff_ns = task->restart.wanted ? 0 : next_backoff(task);
	task->restart.pending = true;
	task->paused = false;
	restart_save(task);
	process_publish_exit(&task->init);
	/* A terminal's last bytes are read meanwhile. */
	clear_away(task);
	return true;
}

void restart_resume(struct task *task)
{
	if (!task->restart.backoff_ns)
		task->restart.backoff_ns = FIRST_NS;
	/* Its shim may have died while it made the next one. */
	clear_away(task);
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

/* ---- the next run ---- */

static void prepare(struct task *task)
{
	struct process *init = &task->init;

	task->restart.pending = false;
	task->restart.count++;
	init->status = PROCESS_CREATED;
	init->start_failure = 0;
	init->exit_unknown = false;
	init->ended_early = false;
	init->pid = 0;
}

/* Tells how it went; with a failure of ours nothing runs. */
static void conclude(struct task *task, int r, const struct err *err)
{
	if (r < 0) {
		log_error("restart container %s: %s", task->id, err->text);
		if (task->log)
			shim_log_note(task->log, "restart failed: %s", err->text);
	}
	answer(task, r, err);
	restart_save(task);
}

/* What was made of it has nobody else who tells of its end. */
static void give_up(struct task *task)
{
	reaper_forget(task->shim->reaper, task->init.pid);
	task->init.pid = 0;
	process_end(&task->init, OUR_FAILURE);
}

static int make_again(struct task *task, struct err *err)
{
	int r = io_renew(task->init.io, err);

	if (r == 0)
		r = task_launch_container(task, err);
	return r < 0 ? r : task_launch_note_pipes(task, err);
}

static void run_again(struct task *task)
{
	struct err err = { 0 };
	int r;

	prepare(task);
	r = make_again(task, &err);
	if (r < 0)
		give_up(task);
	else
		r = task_launch_start(task, &err);
	conclude(task, r, &err);
}

/* ---- the same for one with hooks: a child of ours makes it, and another one starts it ---- */

static void on_started(struct task *task, struct work_result *result)
{
	if (result->r < 0)
		task_launch_failed(task, &result->err);
	else
		task_launch_started(task);
	conclude(task, result->r, &result->err);
	process_catch_up(&task->init);
}

static void on_made(struct task *task, struct work_result *result)
{
	int r = result->r;

	task->lost = result->died || r == 0;
	/* A person has ended it meanwhile. */
	if (!task->restart.pending) {
		clear_away(task);
		return;
	}
	prepare(task);
	if (r == 0)
		r = task_launch_take(task, result->pid, &result->fd, &result->err);
	if (r == 0)
		r = task_launch_note_pipes(task, &result->err);
	if (r == 0)
		r = task_work_start(task, on_started, &result->err);
	if (r == 0)
		return;
	give_up(task);
	conclude(task, r, &result->err);
}

static void make_elsewhere(struct task *task)
{
	struct err err = { 0 };
	int r = io_renew(task->init.io, &err);

	if (r == 0)
		r = task_work_create(task, on_made, &err);
	if (r == 0)
		return;
	prepare(task);
	give_up(task);
	conclude(task, r, &err);
}

static int on_timer(void *data)
{
	struct task *task = data;

	task->restart.timer = NULL;
	/* Nobody has asked for anything for a while. */
	shim_trim_soon(task->shim);
	if (task->slow)
		make_elsewhere(task);
	else
		run_again(task);
	return 0;
}

/* ---- on request ---- */

static int on_impatience(void *data)
{
	struct task *task = data;

	task->restart.patience = NULL;
	if (task->init.status == PROCESS_RUNNING)
		task_kill(task, SIGKILL, true, NULL);
	return 0;
}

static void end_process(struct task *task, int signal, int64_t timeout_ns)
{
	/* A frozen process hears nothing. */
	if (task->paused)
		task_freeze(task, false, NULL);
	if (task->init.status == PROCESS_RUNNING)
		task_kill(task, signal, false, NULL);
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
		task->restart.backoff_ns = 0;
		if (!task->work)
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
