/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/reclaim.h"

#include "scheduler/core/class.h"
#include "scheduler/core/room.h"

/* The slack (limit less reservation) after a report. */
static int64_t next_slack(int64_t limit, int64_t slack, int64_t usage, int64_t elapsed_ms)
{
	int64_t target = usage < limit - limit / 5 ? usage + usage / 4 : limit;
	int64_t reserved = limit - slack;

	if (target >= reserved)
		return limit - target;
	if (elapsed_ms > RECLAIM_DECAY_MS)
		elapsed_ms = RECLAIM_DECAY_MS;
	/* Divided first: bytes times milliseconds would not fit. */
	return slack + (reserved - target) / RECLAIM_DECAY_MS * elapsed_ms +
	       (reserved - target) % RECLAIM_DECAY_MS * elapsed_ms / RECLAIM_DECAY_MS;
}

static bool overcommitted(const struct cell *cell, uint32_t machine)
{
	const struct amounts *free = &cell->machines[machine].free;

	return free->of[RESOURCE_CPU] < 0 || free->of[RESOURCE_MEMORY] < 0;
}

/* Who goes next: above its memory limit, then the lowest, of equal ones batch before what somebody
 * waits for; production only for the first reason. */
static uint32_t next_victim(const struct cell *cell, uint32_t machine)
{
	unsigned lowest = 2 * PRIORITY_PRODUCTION;
	uint32_t victim = NONE;

	for (uint32_t t = cell->more[machine].tasks; t != NONE; t = cell->tasks[t].next) {
		const struct task *task = &cell->tasks[t];
		unsigned rank = 2 * cell->classes[task->class].priority +
				cell->jobs[task->job].latency_sensitive;

		if (task->over_memory)
			return t;
		if (rank < lowest) {
			lowest = rank;
			victim = t;
		}
	}
	return victim;
}

void reclaim_evict(struct cell *cell, uint32_t victim)
{
	const struct task *t = &cell->tasks[victim];

	cell_tell(cell, &(struct event){ .kind = EVENT_PREEMPT,
					 .job = t->job,
					 .task = victim,
					 .index = t->index,
					 .machine = t->machine,
					 .other = NOBODY,
					 .count = cell->jobs[t->job].notice_ms,
					 .priority = cell->classes[t->class].priority });
	cell_end_task(cell, victim, END_PREEMPTED);
	cell->preempted++;
}

static void relieve(struct cell *cell, uint32_t machine)
{
	uint32_t victim;

	while (overcommitted(cell, machine) && (victim = next_victim(cell, machine)) != NONE)
		reclaim_evict(cell, victim);
}

void cell_report_usage(struct cell *cell, uint32_t task, int64_t cpu_milli, int64_t memory_bytes)
{
	struct task *t = &cell->tasks[task];
	int64_t now_ms = cell->outside->now_ms, from_ms = t->since_ms + RECLAIM_AFTER_MS;
	struct node_room slack = { 0 };
	const struct amounts *limit;
	uint32_t machine = t->machine;

	/* An alloc keeps all that it reserves. */
	if (t->state != TASK_RUNNING || t->room != NONE || t->paused)
		return;
	limit = &cell->classes[t->class].request.amounts;
	t->over_memory = memory_bytes > limit->of[RESOURCE_MEMORY];
	from_ms = t->reported_ms > from_ms ? t->reported_ms : from_ms;
	if (now_ms >= from_ms) {
		slack.cpu = next_slack(limit->of[RESOURCE_CPU], t->slack.cpu, cpu_milli,
				       now_ms - from_ms);
		slack.memory = next_slack(limit->of[RESOURCE_MEMORY], t->slack.memory, memory_bytes,
					  now_ms - from_ms);
		t->reported_ms = now_ms;
	}
	room_set_slack(cell, task, slack);
	relieve(cell, machine);
	class_wake(cell, machine);
}
