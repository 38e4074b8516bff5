/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/fence.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/log.h"
#include "scheduler/agent/inside.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
/* A deadline is put off when that part of it is gone. */
#define PART 4
#define KILLED (128 + SIGKILL)

int64_t fence_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int fence_set(const struct box *box, const char *id, struct shim_client *client, struct err *err)
{
	int64_t left_ms = (box->fence_ns - fence_now_ns()) / NS_PER_MS;

	if (left_ms <= 0)
		return err_say(err, ETIME,
			       "task %s may not run any more: its master was not heard for too "
			       "long",
			       box->task);
	return shim_set_deadline(client, id, (uint64_t)left_ms, false, err);
}

/* In a child: a shim that hangs keeps nobody else waiting. */
static int put_off_work(void *data, struct err *err)
{
	const struct box *box = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;

	err_try(engine_find(box->agent->engine, box->container, &c, err));
	err_try(engine_connect(box->agent->engine, c, &client, err));
	return fence_set(box, c->id, client, err);
}

/* What failed is tried again with the next answer. */
static void put_off_done(void *data, const struct err *err)
{
	struct box *box = data;

	box->fence_work = NULL;
	if (!err->code)
		return;
	box->fence_told_ns = 0;
	if (box->state == BOX_RUNNING)
		log_warn("the fence of task %s: %s", box->task, err->text);
}

void fence_put_off(struct box *box, int64_t until_ns)
{
	int64_t now = fence_now_ns();
	struct err err = { 0 };

	if (until_ns <= box->fence_ns)
		return;
	box->fence_ns = until_ns;
	/* What goes on from a checkpoint has one before CRIU begins, which may take longer. */
	if (box->state != BOX_RUNNING && box->state != BOX_STOPPING &&
	    (box->state != BOX_STARTING || !box->from))
		return;
	if (box->fence_work || box->fence_told_ns - now > (until_ns - now) * (PART - 1) / PART)
		return;
	box->fence_told_ns = until_ns;
	if (work_start(box->agent->loop, put_off_work, put_off_done, box, &box->fence_work, &err) <
	    0) {
		box->fence_told_ns = 0;
		log_warn("the fence of task %s: %s", box->task, err.text);
	}
}

bool fence_has_ended(const struct box *box)
{
	if (box->oom || box->exit_code != KILLED)
		return false;
	/* Of one that was there before this agent nobody knows how long it had. */
	return box->fence_ns ? fence_now_ns() >= box->fence_told_ns : box->was_fenced;
}
