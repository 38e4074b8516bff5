/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/oom.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "cgroups/cgroup_oom.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/task_news.h"

/* Between an early event and the count that follows: the kernel tells of that by nothing. */
#define FIRST_LOOK_NS INT64_C(10000000)
#define LOOKS 8 /* each twice as long after the last: 2.5 s in all */

struct oom_watch {
	struct task *task;
	struct cgroup_oom oom;
	struct loop_source *source, *timer;
	unsigned looks;
};

static void note(struct task *task, uint64_t kills)
{
	Event__TaskPlain event = EVENT__TASK_PLAIN__INIT;

	if (kills <= task->oom_kills)
		return;
	task->oom_kills = kills;
	task->oom_killed = true;
	event.container_id = task->id;
	events_publish(task->shim->events, "/tasks/oom", "TaskOOM", &event);
	task_tell(task, "oom", NULL, NULL);
}

void oom_check(struct task *task)
{
	struct backend_stats stats;

	if (task->handle && task->shim->options->backend->stats(task->handle, &stats, NULL) == 0)
		note(task, stats.oom_kills);
}

static int on_look(void *data);

static void look_again(struct oom_watch *watch)
{
	if (watch->looks >= LOOKS || watch->timer)
		return;
	if (loop_add_time(watch->task->shim->loop,
			  clock_monotonic_ns() + (FIRST_LOOK_NS << watch->looks), on_look, watch,
			  &watch->timer, NULL) == 0)
		watch->looks++;
}

static int look(struct oom_watch *watch)
{
	uint64_t before = watch->task->oom_kills, kills;

	/* A cgroup that is gone would be reported for ever. */
	if (cgroup_oom_count(&watch->oom, &kills) < 0) {
		watch->source = loop_remove(watch->source);
		return 0;
	}
	note(watch->task, kills);
	if (watch->oom.early && kills <= before)
		look_again(watch);
	return 0;
}

static int on_look(void *data)
{
	struct oom_watch *watch = data;

	watch->timer = NULL;
	return look(watch);
}

static int on_event(void *data, uint32_t events)
{
	struct oom_watch *watch = data;

	(void)events;
	watch->looks = 0;
	return look(watch);
}

void oom_watch(struct task *task, uint64_t told)
{
	const struct backend_ops *backend = task->shim->options->backend;
	struct oom_watch *watch;
	struct err err = { 0 };
	uint64_t kills;

	task->oom = oom_unwatch(task->oom);
	task->oom_kills = told;
	task->oom_killed = told > 0;
	watch = backend->watch_oom && task->handle ? calloc(1, sizeof(*watch)) : NULL;
	if (!watch)
		return;
	watch->task = task;
	watch->oom = (struct cgroup_oom){ .event_fd = -1, .count_fd = -1 };
	if (backend->watch_oom(task->handle, &watch->oom, &err) < 0 ||
	    loop_add_fd(task->shim->loop, watch->oom.event_fd, watch->oom.events, on_event, watch,
			&watch->source, &err) < 0) {
		log_debug("%s", err.text);
		oom_unwatch(watch);
		return;
	}
	task->oom = watch;
	/* What happened before is not news but to who adopts. */
	if (cgroup_oom_count(&watch->oom, &kills) == 0)
		note(task, kills);
}

struct oom_watch *oom_unwatch(struct oom_watch *watch)
{
	if (!watch)
		return NULL;
	loop_remove(watch->source);
	loop_remove(watch->timer);
	cgroup_oom_close(&watch->oom);
	free(watch);
	return NULL;
}
