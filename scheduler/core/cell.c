/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/cell.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/alloc.h"
#include "scheduler/core/check.h"
#include "scheduler/core/claim.h"
#include "scheduler/core/class.h"
#include "scheduler/core/demand.h"
#include "scheduler/core/drain.h"
#include "scheduler/core/gang.h"
#include "scheduler/core/hold.h"
#include "scheduler/core/home.h"
#include "scheduler/core/index.h"
#include "scheduler/core/kind.h"
#include "scheduler/core/pause.h"
#include "scheduler/core/place.h"
#include "scheduler/core/preempt.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/strand.h"
#include "scheduler/core/task.h"
#include "scheduler/core/tidy.h"
#include "scheduler/core/timer.h"

int cell_new(const struct cell_options *options, struct outside *outside, struct cell **ret,
	     struct err *err)
{
	struct cell *cell = calloc(1, sizeof(*cell));

	if (!cell || symbols_init(&cell->symbols) < 0) {
		free(cell);
		return err_set(err, ENOMEM, "make a cell");
	}
	cell->options = *options;
	cell->options.name = NULL;
	cell->outside = outside;
	cell->free_tasks = cell->free_jobs = cell->free_waits = cell->free_rooms = NONE;
	cell->held_jobs = NONE;
	if (symbol_intern(&cell->symbols, options->name, &cell->name) < 0) {
		cell_free(cell);
		return err_set(err, ENOMEM, "make a cell");
	}
	cell->claim_next_ms = INT64_MAX;
	cell->tidy_at = TIDY_LEAST;
	queue_init(&cell->queue);
	*ret = cell;
	return 0;
}

struct cell *cell_free(struct cell *cell)
{
	if (!cell)
		return NULL;
	kinds_deinit(cell);
	classes_deinit(cell);
	queue_deinit(&cell->queue);
	demand_deinit(&cell->demand);
	symbols_deinit(&cell->symbols);
	map_deinit(&cell->machine_of);
	map_deinit(&cell->kind_of);
	map_deinit(&cell->class_of);
	map_deinit(&cell->shape_of);
	map_deinit(&cell->group_of);
	map_deinit(&cell->group_at);
	map_deinit(&cell->job_of);
	map_deinit(&cell->quota_of);
	map_deinit(&cell->port_taken);
	map_deinit(&cell->port_of);
	map_deinit(&cell->image_at);
	free(cell->quotas);
	free(cell->waits);
	free(cell->machines);
	free(cell->more);
	free(cell->tasks);
	free(cell->jobs);
	free(cell->timers);
	free(cell);
	return NULL;
}

/* ---- machines ---- */

/* Real machines alone are what the cell has. */
static void count_capacity(struct cell *cell, const struct kind *kind, int sign)
{
	if (kind->set)
		return;
	if (sign > 0)
		amounts_add(&cell->capacity, &kind->capacity);
	else
		amounts_subtract(&cell->capacity, &kind->capacity);
	cell->devices += (uint64_t)(int64_t)(sign * (int)kind->device_count);
}

void cell_set_machine(struct cell *cell, uint32_t machine, enum machine_state state)
{
	struct machine *m = &cell->machines[machine];
	struct kind *kind = cell->kinds[m->kind];
	enum machine_state was = m->state;

	if (was == state)
		return;
	m->state = (uint8_t)state;
	cell->more[machine].hurried = false;
	if (state != MACHINE_UP)
		claim_lost(cell, machine);
	cell->draining += (uint32_t)(state == MACHINE_DRAINING) - (was == MACHINE_DRAINING);
	if (was == MACHINE_UP) {
		index_remove(cell, machine);
		cell->up -= !kind->set;
		kind->up--;
	}
	if (was == MACHINE_DOWN)
		count_capacity(cell, kind, 1);
	if (state == MACHINE_DOWN)
		count_capacity(cell, kind, -1);
	if (state == MACHINE_UP) {
		index_insert(cell, machine);
		cell->up += !kind->set;
		kind->up++;
	}
	cell_tell(cell, &(struct event){ .kind = EVENT_MACHINE,
					 .job = NOBODY,
					 .task = NOBODY,
					 .machine = machine,
					 .other = NOBODY,
					 .detail = (int)state });
	while (state == MACHINE_DOWN && cell->more[machine].tasks != NONE)
		cell_end_task(cell, cell->more[machine].tasks, END_LOST);
	alloc_host_changed(cell, machine);
	if (state == MACHINE_UP)
		class_wake(cell, machine);
}

/* ---- decisions ---- */

/* Makes room for the task where lower ones have to go. */
static void preempt(struct cell *cell, uint32_t task, struct choice *choice)
{
	struct class *class = &cell->classes[cell->tasks[task].class];
	struct preemption way;

	if (cell->options.no_preemption)
		return;
	if (cell->tasks[task].preempted_in == cell->pass + 1) {
		cell->depth_held += !class->depth_held;
		class->depth_held = true;
		return;
	}
	preempt_find(cell, class, cell->tasks[task].avoid, WAY_PAUSE, &way);
	if (way.machine == NONE)
		return;
	choice->notice_ms = preempt_carry_out(cell, task, &way);
	choice->machine = way.machine;
	choice->grip = way.grip;
	choice->score = 0;
}

/* Where it has its checkpoint, else wherever there is room, else where some is made. */
static void choose(struct cell *cell, uint32_t task, struct choice *ret)
{
	const struct task *t = &cell->tasks[task];
	struct class *class = &cell->classes[t->class];
	bool guessed = home_choose(cell, task);

	if (t->rather != NONE && place_choose_at(cell, class, t->rather, ret))
		return;
	place_choose(cell, class, t->avoid, ret);
	if (ret->machine == NONE && guessed) {
		home_forget(cell, task);
		place_choose(cell, class, t->avoid, ret);
	}
	if (ret->machine == NONE)
		preempt(cell, task, ret);
}

static int decide_task(struct cell *cell, uint32_t task)
{
	uint32_t class = cell->tasks[task].class;
	struct choice choice;

	choose(cell, task, &choice);
	if (choice.machine != NONE && task_start(cell, task, choice.machine, &choice.grip) < 0)
		return -ENOMEM;
	place_tell(cell, task, &choice);
	if (choice.machine != NONE)
		alloc_offer(cell, task);
	if (choice.machine == NONE) {
		home_forget(cell, task);
		class_block(cell, class);
		claim_stuck(cell, &cell->classes[class]);
		cell->infeasible++;
	} else {
		claim_moved_on(cell, &cell->classes[class]);
		cell->placed++;
	}
	return 1;
}

static int decide(struct cell *cell)
{
	uint32_t task;

	while ((task = timer_due(cell)) != NONE)
		queue_push(cell, task);
	if (!cell->in_pass) {
		class_wake_held(cell);
		hold_release(cell);
		drain_step(cell);
	}
	task = queue_next(cell);
	cell->in_pass = true;
	if (task == NONE && (claim_step(cell) || pause_resume(cell)))
		task = queue_next(cell);
	if (task == NONE) {
		cell->in_pass = false;
		cell->pass++;
		return 0;
	}
	demand_refresh(cell);
	return gang_is_whole(cell, task) ? gang_decide(cell, task) : decide_task(cell, task);
}

int cell_decide(struct cell *cell)
{
	int r = decide(cell);

	if (CELL_CHECKS_ITSELF && r >= 0)
		check_step(cell);
	return r;
}

int64_t cell_next_ms(const struct cell *cell)
{
	int64_t next, timer;

	if (cell->depth_held || hold_is_idle(cell))
		return cell->outside->now_ms;
	next = drain_next_ms(cell);
	timer = cell->timer_count ? cell->tasks[cell->timers[0]].due_ms : INT64_MAX;
	return timer < next ? timer : next;
}

/* ---- reading ---- */

void cell_totals(struct cell *cell, struct cell_totals *ret)
{
	*ret = (struct cell_totals){
		.machines = cell->up,
		.jobs = (uint32_t)cell->job_of.count,
		.pending = cell->queue.pending + (uint32_t)cell->timer_count + cell->following,
		.running = cell->running,
		.capacity = cell->capacity,
		.used = cell->used,
		.devices = (uint32_t)cell->devices,
		.devices_used_milli = cell->devices_used_milli,
		.placed = cell->placed,
		.infeasible = cell->infeasible,
		.preempted = cell->preempted,
	};
	strand_totals(cell, &ret->stranded_cpu_milli, &ret->stranded_memory_bytes);
}

void cell_use(const struct cell *cell, struct amounts *ret_used, struct amounts *ret_capacity)
{
	*ret_used = cell->used;
	*ret_capacity = cell->capacity;
}

void cell_task(const struct cell *cell, uint32_t task, struct task_view *ret)
{
	const struct task *t = &cell->tasks[task];

	*ret = (struct task_view){
		.state = t->state,
		.job = t->job,
		.index = t->index,
		.machine = t->machine,
		.since_ms = t->since_ms,
		.priority = cell->classes[t->class].priority,
		.request = &cell->classes[t->class].request,
		.room = t->room,
		.paused = t->paused,
		.joining = t->state == TASK_PENDING && is_joining(cell, task),
	};
}

uint32_t cell_find_job(const struct cell *cell, const char *name)
{
	uint32_t symbol = symbol_find(&cell->symbols, name);

	return symbol ? map_get(&cell->job_of, symbol) : NOBODY;
}

const char *cell_job_name(const struct cell *cell, uint32_t job)
{
	return symbol_name(&cell->symbols, cell->jobs[job].name);
}

uint32_t cell_job_task(const struct cell *cell, uint32_t job, uint32_t index)
{
	uint32_t t = cell->jobs[job].tasks;

	while (t != NONE && index--)
		t = cell->tasks[t].next_in_job;
	return t;
}

uint32_t cell_next_task(const struct cell *cell, uint32_t task)
{
	return cell->tasks[task].next_in_job;
}

int cell_machine(const struct cell *cell, uint32_t machine, struct machine_view *ret)
{
	const struct machine_more *more = &cell->more[machine];
	const struct machine *m = &cell->machines[machine];
	const struct kind *kind;

	if (machine >= cell->machine_count || (is_room(cell, machine) && more->alloc == NONE))
		return -ENOENT;
	kind = cell->kinds[m->kind];
	*ret = (struct machine_view){
		.name = symbol_name(&cell->symbols, more->name),
		.rack = symbol_name(&cell->symbols, more->domain[DOMAIN_RACK]),
		.capacity = kind->capacity,
		.free = m->free,
		.device_count = kind->device_count,
		.state = m->state,
		.tasks = m->task_count,
		.alloc = more->alloc,
	};
	memcpy(ret->device_free, more->device_free, sizeof(ret->device_free));
	return 0;
}
