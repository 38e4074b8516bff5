/* SPDX-License-Identifier: Apache-2.0 */
/* How a box comes to its end: by the master's word, or since its machine has no memory left. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "runtime/engine/checkpoint.h"
#include "scheduler/agent/inside.h"
#include "scheduler/agent/kept.h"

#define KILL_WAIT_MS 10000
#define CHECKPOINT_LEAST_MS 30000 /* or the notice, if that is longer */
#define CPU_AS_OTHERS "{\"cpu\": {\"idle\": 0, \"shares\": 1024}}"

static int kill_work(void *data, struct err *err)
{
	struct box *box = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;

	err_try(engine_find(box->agent->engine, box->container, &c, err));
	return engine_kill(box->agent->engine, c, SIGKILL, true, err);
}

/* Its end is told by its shim, as any other. */
static void killed(void *data, const struct err *err)
{
	struct box *box = data;

	box->work = NULL;
	if (err->code)
		log_warn("task %s: %s", box->task, err->text);
	if (!box->wanted || box->state == BOX_ENDED)
		agent_changed(box->agent);
	if (!box->wanted)
		box_stop(box);
}

void box_evict(struct box *box, const char *reason)
{
	struct err err = { 0 };

	if (box->state != BOX_RUNNING || box->work)
		return;
	box->evicted = true;
	if (!box->reason)
		box->reason = strdup(reason);
	if (work_start(box->agent->loop, kill_work, killed, box, &box->work, &err) < 0)
		log_warn("task %s: %s", box->task, err.text);
}

/* Who is to end has the CPU for it, also where it had what nobody else wanted; and whoever is
 * frozen hears no signal. */
static int let_it_end(const struct box *box, const struct engine_container *c)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	/* Or its shim is about to freeze it. */
	bool paused = box->pausing || strcmp(c->status, "paused") == 0;

	if ((!paused && box->latency_sensitive) ||
	    engine_connect(box->agent->engine, c, &client, NULL) < 0)
		return 0;
	if (c->limits.cpu_idle)
		shim_update(client, c->id, CPU_AS_OTHERS, NULL);
	if (paused)
		shim_resume(client, c->id, NULL);
	return 0;
}

static int grace_of(const struct box *box)
{
	int64_t ms = box->notice_ms >= 0 ? box->notice_ms : box->grace_ms;

	return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void end_container(const struct box *box, const struct engine_container *c)
{
	struct engine *engine = box->agent->engine;
	struct engine_exit end;

	if (c->pid && engine_kill(engine, c, SIGTERM, true, NULL) == 0 && let_it_end(box, c) == 0 &&
	    engine_wait(engine, c, grace_of(box), &end, NULL) == 0 &&
	    engine_kill(engine, c, SIGKILL, true, NULL) == 0)
		engine_wait(engine, c, KILL_WAIT_MS, &end, NULL);
}

static int end_work(void *data, struct err *err)
{
	struct box *box = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = engine_find(box->agent->engine, box->container, &c, err);

	if (r == 0)
		end_container(box, c);
	return r == -ENOENT ? 0 : r;
}

/* The end itself is told by the shim. */
static void end_done(void *data, const struct err *err)
{
	struct box *box = data;

	box->work = NULL;
	/* It is tried again by the next answer of the master. */
	if (err->code) {
		log_warn("task %s: %s", box->task, err->text);
		box->to_end = false;
	}
	if (!box->wanted)
		box_stop(box);
}

void box_end(struct box *box)
{
	struct err err = { 0 };

	if (box->state != BOX_RUNNING || box->work || box->to_end)
		return;
	box->to_end = true;
	box->pause_work = work_cancel(box->pause_work);
	if (work_start(box->agent->loop, end_work, end_done, box, &box->work, &err) == 0)
		return;
	log_warn("task %s: %s", box->task, err.text);
	box->to_end = false;
}

static int discard(const struct box *box, const char *container, bool end, struct err *err)
{
	struct engine *engine = box->agent->engine;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = engine_find(engine, container, &c, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return engine_find(engine, container, &c, err);
	if (end)
		end_container(box, c);
	return engine_destroy(engine, c, ENGINE_REMOVE_FORCE | ENGINE_REMOVE_VOLUMES, err);
}

int box_discard(const struct box *box, struct err *err)
{
	if (!box->from)
		return 0;
	/* It has the name of the one or the other. */
	err_try(discard(box, box->from, false, err));
	return discard(box, box->container, false, err);
}

static int stop_work(void *data, struct err *err)
{
	const struct box *box = data;

	if (box->from)
		err_try(discard(box, box->from, false, err));
	return discard(box, box->container, true, err);
}

/* What cannot be removed is tried again by the next answer of the master. */
static void stopped(void *data, const struct err *err)
{
	struct box *box = data;

	box->work = NULL;
	if (!err->code) {
		agent_forget(box->agent, box);
		return;
	}
	log_warn("task %s: %s", box->task, err->text);
	box->state = BOX_ENDED;
}

/* ---- with a checkpoint ---- */

/* What is in memory alone is not for the disk: secrets, the token of the cell's socket. */
static const char *cannot_be_kept(const struct box *box)
{
	if (box->has_pocket)
		return "it has secrets, or a socket to the cell, which are not for the disk";
	return box->has_cores ? "it has processors to itself" : NULL;
}

static int checkpoint_work(void *data, struct err *err)
{
	const struct box *box = data;
	struct engine *engine = box->agent->engine;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;
	int64_t patience_ms =
		box->notice_ms > CHECKPOINT_LEAST_MS ? box->notice_ms : CHECKPOINT_LEAST_MS;

	if (cannot_be_kept(box))
		return err_say(err, EOPNOTSUPP, "%s", cannot_be_kept(box));
	err_try(engine_find(engine, box->container, &c, err));
	/* It helps CRIU to read its memory, with its own time. */
	if (c->limits.cpu_idle && engine_connect(engine, c, &client, NULL) == 0)
		shim_update(client, c->id, CPU_AS_OTHERS, NULL);
	return engine_checkpoint(engine, c, (int)(patience_ms / 1000), err);
}

static void begin_stop(struct box *box);

/* Without a checkpoint it goes with its notice, as the others do. */
static void checkpointed(void *data, const struct err *err)
{
	struct box *box = data;

	box->work = NULL;
	if (!err->code && kept_add(box)) {
		agent_forget(box->agent, box);
		return;
	}
	log_warn("task %s is not checkpointed: %s", box->task, err->text);
	box->no_checkpoint = strdup(err->code ? err->text : "memory is short");
	agent_changed(box->agent);
	begin_stop(box);
}

static void begin_stop(struct box *box)
{
	bool keep = box->checkpoint && box->to_keep && !box->no_checkpoint;
	struct err err = { 0 };

	if (work_start(box->agent->loop, keep ? checkpoint_work : stop_work,
		       keep ? checkpointed : stopped, box, &box->work, &err) == 0)
		return;
	log_warn("task %s: %s", box->task, err.text);
	box->state = BOX_ENDED;
}

void box_stop(struct box *box)
{

	/* It is stopped when its start is over. */
	if (box->work)
		return;
	if (box->state == BOX_WAITING) {
		agent_forget(box->agent, box);
		return;
	}
	box_health_stop(box);
	box->source = loop_remove(box->source);
	box->waiter = shim_close(box->waiter);
	box->to_keep = box->state == BOX_RUNNING && !box->to_end;
	/* That it did not go on from an earlier one is another matter. */
	if (box->to_keep)
		free(take_ptr(box->no_checkpoint));
	box->state = BOX_STOPPING;
	box->pause_work = work_cancel(box->pause_work);
	agent_changed(box->agent);
	begin_stop(box);
}
