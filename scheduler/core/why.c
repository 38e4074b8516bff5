/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/gang.h"
#include "scheduler/core/kind.h"
#include "scheduler/core/preempt.h"
#include "scheduler/core/room.h"
#include "scheduler/core/spread.h"
#include "scheduler/core/why_gang.h"

#define MIB ((int64_t)1 << 20)

/* A look at the cell with a class that may have been changed. */
struct look {
	struct cell *cell;
	struct class class;
	uint16_t *eligible; /* by kind; owned */
};

static int look_init(struct look *look, struct cell *cell, const struct class *class)
{
	*look = (struct look){ .cell = cell, .class = *class };
	look->eligible = calloc(cell->kind_count + 1, sizeof(*look->eligible));
	look->class.eligible = look->eligible;
	look->class.eligible_count = cell->kind_count;
	return look->eligible ? 0 : -ENOMEM;
}

/* Would it run, as it is changed now? */
static bool would_run(struct look *look)
{
	struct cell *cell = look->cell;
	struct preemption way = { .machine = NONE };
	uint64_t random = cell->outside->random;
	struct grip grip;

	for (uint32_t k = 0; k < cell->kind_count; k++)
		look->eligible[k] = fit_kind_first(cell, &look->class, k);
	for (uint32_t m = 0; m < cell->machine_count; m++)
		if (look->eligible[cell->machines[m].kind] &&
		    fit_machine(cell, &look->class, m, &grip) == FIT_YES)
			return true;
	if (!cell->options.no_preemption)
		preempt_find(cell, &look->class, NONE, WAY_PAUSE, &way);
	cell->outside->random = random;
	return way.machine != NONE;
}

static void keep_smaller(struct change *best, const struct change *other)
{
	if (best->kind == CHANGE_NONE || other->size < best->size)
		*best = *other;
}

/* The most that it could ask for instead of what *value holds now; -1: not even nothing helps. */
static int64_t most_that_runs(struct look *look, int64_t *value, int64_t grain)
{
	int64_t had = *value, low = 0, high = had / grain;

	*value = 0;
	if (!would_run(look)) {
		*value = had;
		return -1;
	}
	while (low + 1 < high) {
		int64_t middle = low + (high - low) / 2;

		*value = middle * grain;
		if (would_run(look))
			low = middle;
		else
			high = middle;
	}
	*value = had;
	return low * grain;
}

static void try_amounts(struct look *look, struct change *best)
{
	for (int r = 0; r < RESOURCE_COUNT; r++) {
		int64_t *value = &look->class.request.amounts.of[r], most;
		bool bytes = r == RESOURCE_MEMORY || r == RESOURCE_DISK;

		if (!*value)
			continue;
		most = most_that_runs(look, value, bytes ? MIB : 1);
		if (most > 0)
			keep_smaller(best,
				     &(struct change){ .kind = CHANGE_AMOUNT,
						       .resource = (enum resource)r,
						       .amount = most,
						       .size = 1 - (double)most / (double)*value });
	}
}

static void try_devices(struct look *look, struct change *best)
{
	struct request *request = &look->class.request;
	bool shared = request->device_count == 1;
	int64_t had = shared ? request->device_milli : request->device_count;

	for (int64_t n = had - 1; request->device_count && n > 0; n -= shared ? 10 : 1) {
		bool runs;

		if (shared)
			request->device_milli = (uint16_t)n;
		else
			request->device_count = (uint16_t)n;
		runs = would_run(look);
		if (shared)
			request->device_milli = (uint16_t)had;
		else
			request->device_count = (uint16_t)had;
		if (runs) {
			keep_smaller(best, &(struct change){ .kind = CHANGE_DEVICES,
							     .amount = n,
							     .size = 1 - (double)n / (double)had });
			return;
		}
	}
}

static void try_constraints(struct look *look, struct change *best)
{
	for (size_t i = 0; i < look->class.constraint_count; i++) {
		struct class_constraint *c = &look->class.constraints[i];

		if (c->soft)
			continue;
		c->soft = 1;
		if (would_run(look))
			keep_smaller(best, &(struct change){
						   .kind = CHANGE_CONSTRAINT,
						   .key = symbol_name(&look->cell->symbols, c->key),
						   .size = 0.5 });
		c->soft = 0;
	}
}

static void try_spread(struct look *look, struct change *best)
{
	static const char *const domains[DOMAIN_COUNT] = { "machine", "rack", "power" };
	uint32_t had[CLASS_GROUPS];

	memcpy(had, look->class.groups, sizeof(had));
	for (int i = 0; i < CLASS_GROUPS && had[i] != NONE; i++) {
		const struct group *group = &look->cell->groups[had[i]];

		/* Filled from the front. */
		look->class.groups[0] = had[!i];
		look->class.groups[1] = NONE;
		if (!group->soft && would_run(look))
			keep_smaller(best, &(struct change){ .kind = CHANGE_SPREAD,
							     .key = domains[group->domain],
							     .spread = group->kind,
							     .size = 0.5 });
		memcpy(look->class.groups, had, sizeof(had));
	}
}

static void try_ports(struct look *look, struct change *best)
{
	struct class *class = &look->class;

	/* Each in turn to the end of the list, and left out. */
	for (uint32_t n = class->port_count; n-- > 0;) {
		uint16_t port = class->ports[0];

		memmove(class->ports, class->ports + 1,
			(class->port_count - 1) * sizeof(*class->ports));
		class->ports[--class->port_count] = port;
		if (would_run(look))
			keep_smaller(best, &(struct change){ .kind = CHANGE_PORT,
							     .amount = port,
							     .size = 0.5 });
		class->port_count++;
	}
}

/* The lowest priority with which it could preempt; band by band, then within the band. */
static void try_priority(struct look *look, struct change *best)
{
	unsigned had = look->class.priority, low = had, high = PRIORITY_MAX;

	look->class.priority = high;
	if (had < high && would_run(look)) {
		while (low + 1 < high) {
			look->class.priority = low + (high - low) / 2;
			if (would_run(look))
				high = look->class.priority;
			else
				low = look->class.priority;
		}
		keep_smaller(best,
			     &(struct change){ .kind = CHANGE_PRIORITY,
					       .amount = high,
					       .size = 0.25 + 0.75 * (high - had) / PRIORITY_MAX });
	}
	look->class.priority = had;
}

static void find_change(struct look *look, struct change *ret)
{
	*ret = (struct change){ .kind = CHANGE_NONE };
	if (would_run(look)) {
		ret->kind = CHANGE_NOT_NEEDED;
		return;
	}
	try_amounts(look, ret);
	try_devices(look, ret);
	try_constraints(look, ret);
	try_spread(look, ret);
	try_ports(look, ret);
	if (!look->cell->options.no_preemption)
		try_priority(look, ret);
	if (ret->kind == CHANGE_NONE)
		*ret = (struct change){ .kind = CHANGE_MACHINE, .size = 1 };
}

/* ---- machine by machine ---- */

static bool fits_without(struct cell *cell, const struct class *class, uint32_t machine, bool all)
{
	struct grip grip;
	struct room room;

	room_of(cell, machine, &room);
	for (uint32_t t = cell->more[machine].tasks; t != NONE; t = cell->tasks[t].next)
		if (all ||
		    preempt_allowed(class->priority, cell->classes[cell->tasks[t].class].priority))
			room_add_task(cell, &cell->tasks[t], &room);
	return fit_room(cell->kinds[cell->machines[machine].kind], &class->request, &room, &grip) ==
	       FIT_YES;
}

static void count_constraints(const struct cell *cell, const struct class *class, uint32_t machine,
			      struct why *ret)
{
	struct class one = *class;

	one.constraint_count = 1;
	for (size_t i = 0; i < class->constraint_count && i < WHY_CONSTRAINTS_MAX; i++) {
		one.constraints = &class->constraints[i];
		ret->by_constraint[i] +=
			fit_kind_reason(cell, &one, cell->machines[machine].kind) ==
				FIT_CONSTRAINT ||
			!fit_domains(cell, &one, machine);
	}
}

static void count_machine(struct cell *cell, const struct class *class, uint32_t machine,
			  struct why *ret)
{
	enum fit reason = cell->machines[machine].state == MACHINE_UP
				  ? fit_kind_reason(cell, class, cell->machines[machine].kind)
				  : FIT_STATE;
	struct grip grip;

	/* The attributes of an alloc are its host's, not its kind's. */
	if (reason == FIT_YES && class->set && !fit_domains(cell, class, machine))
		reason = FIT_CONSTRAINT;
	if (reason == FIT_YES)
		reason = fit_machine(cell, class, machine, &grip);
	ret->by_reason[reason]++;
	ret->kept += class->claim && cell->machines[machine].claimed == class->claim;
	count_constraints(cell, class, machine, ret);
	if (reason < FIT_CPU || reason == FIT_CLAIMED || !fits_without(cell, class, machine, true))
		return;
	if (!fits_without(cell, class, machine, false))
		ret->held++;
	else
		ret->budget++;
}

static uint32_t count_ahead(const struct cell *cell, uint32_t task)
{
	unsigned priority = cell->classes[cell->tasks[task].class].priority;
	uint32_t ahead = 0;

	for (size_t l = 0; l < cell->queue.line_count; l++)
		for (uint32_t t = cell->queue.lines[l].head; t != NONE; t = cell->tasks[t].next) {
			unsigned other = cell->classes[cell->tasks[t].class].priority;

			ahead += other > priority ||
				 (other == priority &&
				  cell->tasks[t].sequence < cell->tasks[task].sequence);
		}
	return ahead;
}

void cell_waits(const struct cell *cell, uint32_t task, struct why *ret)
{
	const struct task *t = &cell->tasks[task];
	const struct cell_job *job = &cell->jobs[t->job];

	if (t->follows != NONE) {
		ret->wait = WAIT_ALLOC;
	} else if (job->waiting) {
		ret->wait = WAIT_AFTER;
		ret->jobs = job->waiting;
	} else if (job->held) {
		ret->wait = WAIT_HELD;
	} else if (t->timer != NONE) {
		ret->wait = WAIT_BACKOFF;
		ret->until_ms = t->due_ms;
	}
}

int cell_why(struct cell *cell, uint32_t task, struct why *ret, struct err *err)
{
	const struct class *class = &cell->classes[cell->tasks[task].class];
	struct look look;
	int r = 0;

	*ret = (struct why){ .gang = gang_is_whole(cell, task) };
	if (look_init(&look, cell, class) < 0)
		return err_set(err, ENOMEM, "explain a task");
	for (uint32_t m = 0; m < cell->machine_count; m++) {
		/* Allocs of its set, or real machines. */
		if (cell->kinds[cell->machines[m].kind]->set != class->set ||
		    (class->set && cell->more[m].alloc == NONE))
			continue;
		count_machine(cell, class, m, ret);
		ret->machines++;
	}
	ret->ahead = count_ahead(cell, task);
	cell_waits(cell, task, ret);
	if (ret->gang)
		r = why_gang(cell, task, &ret->change);
	else
		find_change(&look, &ret->change);
	free(look.eligible);
	return r < 0 ? err_set(err, -r, "explain a gang") : 0;
}
