/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/task.h"

#include <assert.h>

#include "scheduler/core/after.h"
#include "scheduler/core/alloc.h"
#include "scheduler/core/class.h"
#include "scheduler/core/demand.h"
#include "scheduler/core/drain.h"
#include "scheduler/core/gang.h"
#include "scheduler/core/hold.h"
#include "scheduler/core/pause.h"
#include "scheduler/core/ports.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/quota.h"
#include "scheduler/core/room.h"
#include "scheduler/core/spread.h"
#include "scheduler/core/timer.h"

/* After a crash: 1 s, doubled each time, at most 5 minutes. */
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS 300000

/* Who runs at which priority: what preemption may hope for. */
static void count_running(struct cell *cell, unsigned priority, int sign)
{
	cell->running += (uint32_t)sign;
	cell->running_at[priority] += (uint32_t)sign;
	if (cell->running_at[priority])
		cell->running_at_filled[priority / 64] |= 1ull << priority % 64;
	else
		cell->running_at_filled[priority / 64] &= ~(1ull << priority % 64);
}

/* What a task in an alloc has is counted by the alloc. */
static void count_used(struct cell *cell, const struct class *class, int sign)
{
	const struct request *request = &class->request;

	if (class->set)
		return;
	cell->devices_used_milli +=
		(uint64_t)(int64_t)(sign * request->device_count * request->device_milli);
	if (sign > 0)
		amounts_add(&cell->used, &request->amounts);
	else
		amounts_subtract(&cell->used, &request->amounts);
}

/* It is no longer down by our doing: its job's budget allows one more, for whoever waits for that.
 */
static void count_up(struct cell *cell, struct task *t)
{
	struct cell_job *job = &cell->jobs[t->job];

	if (!t->down)
		return;
	t->down = 0;
	job->down--;
	if (job->budget)
		class_wake_all(cell);
}

static void move(struct cell *cell, struct task *t, enum task_state to)
{
	static const bool allowed[][3] = {
		[TASK_PENDING] = { [TASK_RUNNING] = true, [TASK_ENDED] = true },
		[TASK_RUNNING] = { [TASK_PENDING] = true, [TASK_ENDED] = true },
		[TASK_ENDED] = { 0 },
	};

	assert(allowed[t->state][to]);
	t->state = (uint8_t)to;
	t->since_ms = cell->outside->now_ms;
}

int task_start(struct cell *cell, uint32_t task, uint32_t machine, const struct grip *grip)
{
	struct task *t = &cell->tasks[task];
	const struct class *class = &cell->classes[t->class];
	int r = spread_came(cell, class, machine);

	if (r < 0)
		return r;
	t->machine = machine;
	r = ports_wanted(class) ? ports_take(cell, task) : 0;
	if (r < 0) {
		t->machine = NONE;
		spread_left(cell, class, machine);
		return r;
	}
	queue_remove(cell, task);
	move(cell, t, TASK_RUNNING);
	t->devices = grip->devices;
	t->nodes = grip->nodes;
	t->rather = NONE;
	room_take(cell, task);
	count_used(cell, class, 1);
	count_running(cell, class->priority, 1);
	count_up(cell, t);
	if (!cell->jobs[t->job].running++ && cell->jobs[t->job].joining)
		gang_wake_joining(cell, t->job);
	return 0;
}

static void leave_machine(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];
	const struct class *class = &cell->classes[t->class];
	uint32_t machine = t->machine;

	room_give(cell, task);
	if (ports_wanted(class)) {
		ports_give(cell, task);
		ports_forget(cell, task);
	}
	pause_over(cell, task);
	count_up(cell, t);
	count_used(cell, class, -1);
	count_running(cell, class->priority, -1);
	cell->jobs[t->job].running--;
	t->machine = NONE;
	t->next = t->previous = NONE;
	t->devices = 0;
	t->nodes = 0;
	t->slack = (struct node_room){ 0 };
	t->over_memory = 0;
	t->reported_ms = 0;
	spread_left(cell, class, machine);
	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++)
		class_wake_group(cell, class->groups[i]);
}

/* The tasks in the room of an alloc have their ports on its host. */
static void with_guests(struct cell *cell, uint32_t task, void (*change)(struct cell *, uint32_t))
{
	uint32_t room = cell->tasks[task].room;

	change(cell, task);
	for (uint32_t t = room == NONE ? NONE : cell->more[room].tasks; t != NONE;
	     t = cell->tasks[t].next)
		change(cell, t);
}

bool task_could_be_put_back(const struct cell *cell, uint32_t task)
{
	uint32_t room = cell->tasks[task].room;
	bool could = spread_allows(cell, &cell->classes[cell->tasks[task].class],
				   cell->tasks[task].machine) &&
		     ports_could_retake(cell, task);

	for (uint32_t t = room == NONE ? NONE : cell->more[room].tasks; could && t != NONE;
	     t = cell->tasks[t].next)
		could = ports_could_retake(cell, t);
	return could;
}

void task_lift(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];
	const struct class *class = &cell->classes[t->class];

	room_give(cell, task);
	with_guests(cell, task, ports_give);
	spread_left(cell, class, t->machine);
	cell->jobs[t->job].down++;
}

void task_put_back(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];

	/* The entry was there before: this never allocates. */
	spread_came(cell, &cell->classes[t->class], t->machine);
	with_guests(cell, task, ports_retake);
	room_take(cell, task);
	cell->jobs[t->job].down--;
}

void task_unstart(struct cell *cell, uint32_t task)
{
	leave_machine(cell, task);
	move(cell, &cell->tasks[task], TASK_PENDING);
	queue_push(cell, task);
}

static void leave_cell(struct cell *cell, struct task *t)
{
	struct class *class = &cell->classes[t->class];
	struct cell_job *job = &cell->jobs[t->job];

	demand_remove(cell, class);
	quota_return(cell, &cell->jobs[t->job], &class->request);
	if (cell->jobs[t->job].held)
		amounts_subtract(&cell->held_back, &class->request.amounts);
	/* What was found out about it goes with the last of it. */
	if (!--class->tasks) {
		class_unblock(cell, t->class);
		class->stuck = false;
	}
	job->joining -= class->joins != NONE;
	if (!--job->alive) {
		hold_forget(cell, t->job);
		after_release(cell, t->job);
	} else if (job->joining == job->alive) {
		gang_wake_joining(cell, t->job);
	}
}

static int64_t backoff(const struct cell_job *job, const struct task *t)
{
	int64_t ms = job->backoff_ms ? job->backoff_ms : BACKOFF_FIRST_MS;
	int64_t most = job->backoff_max_ms ? job->backoff_max_ms : BACKOFF_MOST_MS;

	for (uint32_t i = 1; i < t->failures && ms < most; i++)
		ms *= 2;
	return ms < most ? ms : most;
}

/* Does a task that has ended so pend again? */
static bool comes_again(const struct cell_job *job, const struct task *t, enum task_end end)
{
	bool failed = end == END_FAILED;

	if (end == END_KILLED)
		return false;
	if (!failed && end != END_FINISHED)
		return true;
	return (job->restart == RESTART_ALWAYS || (job->restart == RESTART_ON_FAILURE && failed)) &&
	       (!job->restart_most || t->failures < job->restart_most);
}

static void end_for_good(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];

	if (t->follows != NONE)
		alloc_unfollow(cell, task);
	else if (t->timer != NONE)
		timer_cancel(cell, task);
	else if (t->state == TASK_PENDING)
		queue_remove(cell, task);
	move(cell, t, TASK_ENDED);
	count_up(cell, t);
	leave_cell(cell, t);
}

static void pend_again(struct cell *cell, uint32_t task, enum task_end end, uint32_t machine)
{
	struct task *t = &cell->tasks[task];

	move(cell, t, TASK_PENDING);
	t->down = end != END_FAILED && end != END_FINISHED;
	cell->jobs[t->job].down += t->down;
	if (end == END_PREEMPTED)
		t->preempted_in = cell->pass + 1;
	if (alloc_keeps(cell, machine)) {
		alloc_follow(cell, task, machine);
		return;
	}
	if (end == END_LOST) {
		timer_set(cell, task, drain_lost_ms(cell));
		return;
	}
	if (end != END_FAILED && end != END_FINISHED) {
		queue_push(cell, task);
		return;
	}
	t->failures++;
	if (end == END_FAILED)
		t->avoid = machine;
	timer_set(cell, task, cell->outside->now_ms + backoff(&cell->jobs[t->job], t));
}

void cell_end_task(struct cell *cell, uint32_t task, enum task_end end)
{
	struct task *t = &cell->tasks[task];
	uint32_t machine = t->machine;
	bool for_good = !comes_again(&cell->jobs[t->job], t, end);

	assert(t->state == TASK_RUNNING || end == END_KILLED);
	alloc_leaves(cell, task, for_good);
	if (t->state == TASK_RUNNING)
		leave_machine(cell, task);
	if (for_good) {
		/* Pending it may still be; running it has left its machine. */
		end_for_good(cell, task);
	} else {
		pend_again(cell, task, end, machine);
	}
	cell_tell(cell, &(struct event){ .kind = EVENT_END,
					 .job = t->job,
					 .task = task,
					 .index = t->index,
					 .machine = machine,
					 .other = NOBODY,
					 .priority = cell->classes[t->class].priority,
					 .detail = (int)end });
	if (machine != NONE)
		class_wake(cell, machine);
	/* Its ports are those of a host, and of all rooms there. */
	if (machine != NONE && cell->classes[t->class].port_count)
		class_wake_all(cell);
}

void cell_set_down(struct cell *cell, uint32_t task, bool down)
{
	struct task *t = &cell->tasks[task];

	if (t->state != TASK_RUNNING || t->paused || t->down == down)
		return;
	if (!down) {
		count_up(cell, t);
		return;
	}
	t->down = 1;
	cell->jobs[t->job].down++;
}

static void change_class(struct cell *cell, struct task *t, uint32_t class)
{
	struct class *was = &cell->classes[t->class], *is = &cell->classes[class];

	demand_remove(cell, was);
	demand_add(cell, is);
	quota_return(cell, &cell->jobs[t->job], &was->request);
	quota_charge(cell, &cell->jobs[t->job], &is->request);
	if (cell->jobs[t->job].held) {
		amounts_subtract(&cell->held_back, &was->request.amounts);
		amounts_add(&cell->held_back, &is->request.amounts);
	}
	was->tasks--;
	is->tasks++;
	t->class = class;
}

void task_resize(struct cell *cell, uint32_t task, uint32_t class, const struct grip *grip)
{
	struct task *t = &cell->tasks[task];
	bool running = t->state == TASK_RUNNING;
	bool queued = !running && t->timer == NONE && t->follows == NONE;

	assert(t->state != TASK_ENDED);
	if (running) {
		room_give(cell, task);
		count_used(cell, &cell->classes[t->class], -1);
		t->slack = (struct node_room){ 0 };
		if (t->paused) {
			pause_over(cell, task);
			count_up(cell, t);
		}
		t->devices = grip->devices;
		t->nodes = grip->nodes;
	}
	if (queued)
		queue_remove(cell, task);
	change_class(cell, t, class);
	if (running) {
		room_take(cell, task);
		count_used(cell, &cell->classes[class], 1);
	}
	if (queued)
		queue_push(cell, task);
}
