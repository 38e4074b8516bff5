/* SPDX-License-Identifier: Apache-2.0 */
/* What a task waits for that is not room: an earlier instance of it, or its next try. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/core/why.h"
#include "scheduler/master/inside.h"

#define MS_PER_S 1000

static int64_t seconds(int64_t ms)
{
	return ms > 0 ? (ms + MS_PER_S - 1) / MS_PER_S : 0;
}

static void tell_fence(const struct master *master, const struct held_task *task, char *text,
		       size_t size)
{
	int64_t left_ms;
	const char *machine = leave_holder(master, task, &left_ms);

	if (!machine)
		snprintf(text, size, "this master is short of memory: restart it");
	else if (left_ms < 0)
		snprintf(text, size, "its earlier instance on %s has to be gone first", machine);
	else
		snprintf(text, size,
			 "its earlier instance may run on %s, which is silent, for %" PRId64
			 " s at most",
			 machine, seconds(left_ms));
}

static bool tell_next_try(struct master *master, const struct held_task *task, char *text,
			  size_t size)
{
	uint32_t core = task_core(master, task);
	struct task_view view;
	struct why why = { 0 };
	size_t len;

	if (task->live || task->over || core == NOBODY)
		return false;
	cell_task(master->cell, core, &view);
	if (view.state != TASK_PENDING)
		return false;
	cell_waits(master->cell, core, &why);
	if (why.wait != WAIT_BACKOFF)
		return false;
	len = strlen(text);
	snprintf(text + len, size - len, "%sit is tried again in %" PRId64 " s", len ? "; " : "",
		 seconds(why.until_ms - master->outside.now_ms));
	return true;
}

bool waits_for_fence(const struct master *master, const struct held_task *task)
{
	return task->live && !task->reported && leave_holds(master, task);
}

bool waits_tell(struct master *master, const struct held_task *task, char *text, size_t size)
{
	if (!waits_for_fence(master, task))
		return tell_next_try(master, task, text, size);
	tell_fence(master, task, text, size);
	return true;
}
