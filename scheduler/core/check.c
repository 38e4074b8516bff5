/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * The invariants, by a full recount. What a test may cite:
 *
 *	1 capacity	free = capacity less what the tasks on a machine reserve; never below nothing
 *	2 tasks		every task is in exactly one place: a machine's list, a line, a timer, ended
 *	3 index		every machine that is up lies in the cell of what it has free, others in none
 *	4 queue		a line is runnable if it has tasks and its class is not blocked
 *	5 counters	running, pending, used, wanted agree with the tasks
 *	6 blocked	no machine could take a task of a blocked class
 *	7 priority	at the end of a pass nothing of lower priority holds what a blocked class
 *			waits for, but by a rule: no production for production, a disruption
 *			budget, depth 1, sampling (so it is checked in small cells)
 *	8 rooms		the room of an alloc is up only on a host that is, holds tasks of its set
 *			alone, and is empty when down; what follows an alloc pends with it
 *	9 ports		a port of a machine has one holder, which runs there and has no other count
 *			of them than it asked for
 *	10 claims	a claim has as many machines as it counts, each of them up
 *	11 names	what is in use was not swept away, see tidy.h
 *	12 joining	who is to join a gang pends, and its job counts it
 */
/* clang-format on */
#include "scheduler/core/check.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "scheduler/core/fit.h"
#include "scheduler/core/index.h"
#include "scheduler/core/ports.h"
#include "scheduler/core/preempt.h"

#define BROKEN(err, ...) err_say(err, EUCLEAN, __VA_ARGS__)

static const char *name_of(const struct cell *cell, uint32_t machine)
{
	return symbol_name(&cell->symbols, cell->more[machine].name);
}

static void take_from(const struct task *t, const struct request *request, struct room *room)
{
	amounts_subtract(&room->free, &request->amounts);
	room->free.of[RESOURCE_CPU] += t->slack.cpu;
	room->free.of[RESOURCE_MEMORY] += t->slack.memory;
	for (int d = 0; d < MACHINE_DEVICES_MAX; d++)
		if (t->devices & 1u << d)
			room->device_free[d] =
				(uint16_t)(room->device_free[d] - request->device_milli);
	for (int n = 0; n < MACHINE_NODES_MAX; n++)
		if (t->nodes & 1u << n) {
			room->node_free[n].cpu -=
				request->amounts.of[RESOURCE_CPU] / request->nodes;
			room->node_free[n].memory -=
				request->amounts.of[RESOURCE_MEMORY] / request->nodes;
		}
}

/* Invariant 9: each task holds what it asks for, and there is no entry besides. */
static int check_ports(const struct cell *cell, struct err *err)
{
	size_t held = 0;

	for (size_t t = 0; t < cell->task_count; t++) {
		const struct task *task = &cell->tasks[t];
		uint32_t count = task->state == TASK_RUNNING ? ports_count(cell, (uint32_t)t) : 0;

		if (count && !ports_are_held(cell, (uint32_t)t))
			return BROKEN(err, "task %zu runs without its ports", t);
		held += count;
	}
	if (held != cell->port_taken.count || held != cell->port_of.count)
		return BROKEN(err, "%zu ports are held, and %zu are taken", held,
			      cell->port_taken.count);
	return 0;
}

static bool below_nothing(const struct room *room)
{
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (room->free.of[r] < 0)
			return true;
	for (int d = 0; d < MACHINE_DEVICES_MAX; d++)
		if (room->device_free[d] > DEVICE_WHOLE)
			return true;
	for (int n = 0; n < MACHINE_NODES_MAX; n++)
		if (room->node_free[n].cpu < 0 || room->node_free[n].memory < 0)
			return true;
	return false;
}

/* Invariant 8, and more of 2. */
static int check_room(const struct cell *cell, uint32_t machine, uint8_t *seen, uint32_t *following,
		      struct err *err)
{
	const struct machine *m = &cell->machines[machine];
	const struct machine_more *more = &cell->more[machine];
	const struct task *alloc = more->alloc == NONE ? NULL : &cell->tasks[more->alloc];
	uint32_t set = cell->kinds[m->kind]->set;

	for (uint32_t t = more->tasks; t != NONE; t = cell->tasks[t].next)
		if (cell->classes[cell->tasks[t].class].set != set)
			return BROKEN(err, "task %u lies on %s, and is not of its set", t,
				      name_of(cell, machine));
	if (!set)
		return 0;
	if (m->state == MACHINE_DOWN
		    ? m->task_count
		    : !alloc || alloc->room != machine || alloc->state != TASK_RUNNING ||
			      (m->state == MACHINE_UP) !=
				      (cell->machines[alloc->machine].state == MACHINE_UP))
		return BROKEN(err, "alloc %s is up and should not be, or holds tasks and is down",
			      name_of(cell, machine));
	for (uint32_t t = alloc ? more->followers : NONE; t != NONE; t = cell->tasks[t].next) {
		if (seen[t]++ || cell->tasks[t].follows != machine ||
		    cell->tasks[t].state != TASK_PENDING || alloc->state != TASK_PENDING)
			return BROKEN(err, "task %u follows %s and should not", t,
				      name_of(cell, machine));
		++*following;
	}
	return 0;
}

/* Invariant 1, and half of 2. */
static int check_machine(const struct cell *cell, uint32_t machine, uint8_t *seen, struct err *err)
{
	const struct machine *m = &cell->machines[machine];
	const struct kind *kind = cell->kinds[m->kind];
	struct room want = { .free = kind->capacity }, is;
	uint32_t count = 0;

	/* A room that is free for another alloc. */
	if (kind->set && cell->more[machine].alloc == NONE && !m->task_count)
		return 0;
	memcpy(want.node_free, kind->node, sizeof(want.node_free));
	for (unsigned d = 0; d < kind->device_count; d++)
		want.device_free[d] = DEVICE_WHOLE;
	for (uint32_t t = cell->more[machine].tasks; t != NONE; t = cell->tasks[t].next) {
		const struct task *task = &cell->tasks[t];

		if (seen[t]++ || task->state != TASK_RUNNING || task->machine != machine)
			return BROKEN(err, "task %u is doubled, or does not belong on machine %s",
				      t, name_of(cell, machine));
		take_from(task, &cell->classes[task->class].request, &want);
		count++;
	}
	room_of(cell, machine, &is);
	if (!amounts_equal(&is.free, &want.free) ||
	    memcmp(is.device_free, want.device_free, sizeof(is.device_free)) != 0 ||
	    memcmp(is.node_free, want.node_free, sizeof(is.node_free)) != 0 ||
	    count != m->task_count)
		return BROKEN(err, "machine %s: what is free does not agree with its %u tasks",
			      name_of(cell, machine), count);
	if (below_nothing(&is))
		return BROKEN(err, "machine %s holds more than its capacity",
			      name_of(cell, machine));
	return 0;
}

/* Invariant 3. */
static int check_index(const struct cell *cell, uint32_t machine, struct err *err)
{
	const struct machine *m = &cell->machines[machine];
	const struct kind *kind = cell->kinds[m->kind];
	const struct index_cell *at = &kind->cells[m->cell_cpu][m->cell_other];
	uint8_t cpu, other;

	if (m->indexed != (m->state == MACHINE_UP))
		return BROKEN(err, "machine %s is in the index and not up, or up and not in it",
			      name_of(cell, machine));
	if (!m->indexed)
		return 0;
	index_place(cell, machine, &cpu, &other);
	if (cpu != m->cell_cpu || other != m->cell_other || m->position >= at->count ||
	    at->machines[m->position] != machine || !(kind->filled[cpu] & 1u << other))
		return BROKEN(err, "machine %s lies in the wrong cell of the index",
			      name_of(cell, machine));
	return 0;
}

static int check_above(const struct kind *kind, struct err *err)
{
	for (int i = INDEX_SIDE - 1; i >= 0; i--) {
		uint32_t row = 0;

		for (int j = INDEX_SIDE - 1; j >= 0; j--) {
			row += kind->cells[i][j].count;
			if (kind->above[i][j] != kind->above[i + 1][j] + row)
				return BROKEN(err, "cell %d, %d of the index is counted wrong", i,
					      j);
		}
	}
	return 0;
}

/* Invariant 4, and more of 2. */
static int check_line(const struct cell *cell, const struct line *line, uint8_t *seen,
		      uint32_t *pending, struct err *err)
{
	const struct class *class;

	if (line->class == NONE)
		return 0;
	class = &cell->classes[line->class];
	if (line->runnable != (line->head != NONE && !class->blocked))
		return BROKEN(err,
			      "a line of class %u is runnable and should not be, or the other "
			      "way round",
			      line->class);
	for (uint32_t t = line->head; t != NONE; t = cell->tasks[t].next) {
		const struct task *task = &cell->tasks[t];

		if (seen[t]++ || task->state != TASK_PENDING || task->class != line->class)
			return BROKEN(err, "task %u is doubled, or does not belong in its line", t);
		if (task->next != NONE && cell->tasks[task->next].sequence <= task->sequence)
			return BROKEN(err, "task %u stands behind one that came later", task->next);
		++*pending;
	}
	return 0;
}

static int check_timers(const struct cell *cell, uint8_t *seen, struct err *err)
{
	for (size_t i = 0; i < cell->timer_count; i++) {
		const struct task *task = &cell->tasks[cell->timers[i]];

		if (seen[cell->timers[i]]++ || task->state != TASK_PENDING || task->timer != i)
			return BROKEN(err, "task %u is doubled, or has no timer", cell->timers[i]);
		if (i && cell->tasks[cell->timers[(i - 1) / 2]].due_ms > task->due_ms)
			return BROKEN(err, "the timer of task %u is out of order", cell->timers[i]);
	}
	return 0;
}

/* The rest of 2, and 5. */
static int check_tasks(const struct cell *cell, const uint8_t *seen, struct err *err)
{
	struct amounts used = { 0 }, wanted = { 0 };
	uint32_t running = 0;

	for (size_t t = 0; t < cell->task_count; t++) {
		const struct task *task = &cell->tasks[t];

		if (seen[t] != (task->state != TASK_ENDED))
			return BROKEN(err, "task %zu is lost", t);
		/* What is in an alloc is counted with it. */
		running += task->state == TASK_RUNNING;
		if (task->state == TASK_ENDED || cell->classes[task->class].set)
			continue;
		amounts_add(&wanted, &cell->classes[task->class].request.amounts);
		if (task->state == TASK_RUNNING)
			amounts_add(&used, &cell->classes[task->class].request.amounts);
	}
	if (running != cell->running || !amounts_equal(&used, &cell->used) ||
	    !amounts_equal(&wanted, &cell->demand.wanted))
		return BROKEN(err, "the counters of the cell do not agree with its tasks");
	return 0;
}

/* Invariant 6. */
static int check_blocked(struct cell *cell, struct err *err)
{
	struct grip grip;

	for (size_t b = 0; b < cell->blocked_count; b++) {
		struct class *class = &cell->classes[cell->blocked[b]];

		/* One of a gang may fit where all do not. */
		for (uint32_t m = 0; !class->gang && m < cell->machine_count; m++)
			if (fit_kind(cell, class, cell->machines[m].kind) &&
			    fit_machine(cell, class, m, &grip) == FIT_YES)
				return BROKEN(err, "class %u waits, and fits on machine %s",
					      cell->blocked[b], name_of(cell, m));
	}
	return 0;
}

static bool anything_runnable(const struct queue *queue)
{
	for (size_t w = 0; w < sizeof(queue->filled) / sizeof(queue->filled[0]); w++)
		if (queue->filled[w])
			return true;
	return false;
}

static bool class_has_tasks(const struct cell *cell, uint32_t class)
{
	for (uint32_t l = cell->classes[class].lines; l != NONE;
	     l = cell->queue.lines[l].next_of_class)
		if (cell->queue.lines[l].head != NONE)
			return true;
	return false;
}

/* Invariant 7. */
static int check_priority(struct cell *cell, struct err *err)
{
	uint64_t random = cell->outside->random;
	struct preemption way = { .machine = NONE };
	uint32_t class = NONE;

	if (cell->in_pass || anything_runnable(&cell->queue) || cell->options.no_preemption ||
	    cell->machine_count > PREEMPT_CANDIDATES)
		return 0;
	for (size_t b = 0; b < cell->blocked_count && way.machine == NONE; b++) {
		class = cell->blocked[b];
		if (!cell->classes[class].gang && !cell->classes[class].depth_held &&
		    class_has_tasks(cell, class))
			preempt_find(cell, &cell->classes[class], NONE, WAY_PAUSE, &way);
	}
	cell->outside->random = random;
	if (way.machine == NONE)
		return 0;
	return BROKEN(err, "class %u waits, and lower ones could go from machine %s", class,
		      name_of(cell, way.machine));
}

static bool has_name(const struct cell *cell, uint32_t symbol)
{
	return symbol < cell->symbols.count && cell->symbols.names[symbol];
}

/* Invariant 11. */
static int check_names(const struct cell *cell, struct err *err)
{
	for (uint32_t m = 0; m < cell->machine_count; m++)
		if (!has_name(cell, cell->more[m].name))
			return BROKEN(err, "machine %u has lost its name", m);
	for (size_t t = 0; t < cell->task_count; t++) {
		const struct task *task = &cell->tasks[t];
		const struct cell_job *job;
		const struct class *class;

		if (task->job == NONE)
			continue;
		job = &cell->jobs[task->job];
		class = &cell->classes[task->class];
		if (!has_name(cell, job->name) || !has_name(cell, job->owner) ||
		    class->shape == NONE || cell->shapes[class->shape].free ||
		    !has_name(cell, class->set) || !has_name(cell, class->image) ||
		    (class->groups[0] != NONE && !cell->groups[class->groups[0]].name))
			return BROKEN(err, "task %zu has lost its name, class or group", t);
	}
	return 0;
}

/* Invariant 10. */
static int check_claims(const struct cell *cell, struct err *err)
{
	uint32_t machines[BAND_COUNT] = { 0 }, made = 0;

	for (uint32_t m = 0; m < cell->machine_count; m++) {
		uint8_t claimed = cell->machines[m].claimed;

		if (claimed && cell->machines[m].state != MACHINE_UP)
			return BROKEN(err, "machine %s is claimed, and not up", name_of(cell, m));
		if (claimed)
			machines[claimed - 1]++;
	}
	for (int b = 0; b < BAND_COUNT; b++) {
		made += machines[b] > 0;
		if (machines[b] != cell->claims[b].machines)
			return BROKEN(err, "%u machines are claimed in band %d, and %u counted",
				      machines[b], b, cell->claims[b].machines);
	}
	if (made != cell->claims_made)
		return BROKEN(err, "%u claims are made, and %u counted", made, cell->claims_made);
	return 0;
}

/* Invariant 12. */
static int check_joining(const struct cell *cell, struct err *err)
{
	for (size_t j = 0; j < cell->job_count; j++) {
		const struct cell_job *job = &cell->jobs[j];
		uint32_t joining = 0;

		for (uint32_t t = job->name ? job->tasks : NONE; t != NONE;
		     t = cell->tasks[t].next_in_job) {
			if (!is_joining(cell, t) || cell->tasks[t].state == TASK_ENDED)
				continue;
			if (cell->tasks[t].state != TASK_PENDING || !job->gang)
				return BROKEN(err, "task %u runs, and is to join its gang", t);
			joining++;
		}
		if (job->name && joining != job->joining)
			return BROKEN(err, "%u tasks are to join job %zu, and %u counted", joining,
				      j, job->joining);
	}
	return 0;
}

int cell_check(struct cell *cell, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	uint8_t *seen = arena ? arena_calloc(arena, cell->task_count + 1, 1) : NULL;
	uint32_t pending = 0, following = 0;

	if (!seen)
		return err_set(err, ENOMEM, "check the cell");
	for (uint32_t m = 0; m < cell->machine_count; m++) {
		err_try(check_machine(cell, m, seen, err));
		err_try(check_index(cell, m, err));
		err_try(check_room(cell, m, seen, &following, err));
	}
	for (size_t k = 0; k < cell->kind_count; k++)
		err_try(check_above(cell->kinds[k], err));
	for (size_t l = 0; l < cell->queue.line_count; l++)
		err_try(check_line(cell, &cell->queue.lines[l], seen, &pending, err));
	if (pending != cell->queue.pending || following != cell->following)
		return BROKEN(err, "the queue counts %u tasks and holds %u, and %u of %u follow",
			      cell->queue.pending, pending, following, cell->following);
	err_try(check_timers(cell, seen, err));
	err_try(check_tasks(cell, seen, err));
	err_try(check_ports(cell, err));
	err_try(check_claims(cell, err));
	err_try(check_joining(cell, err));
	err_try(check_names(cell, err));
	err_try(check_blocked(cell, err));
	return check_priority(cell, err);
}

/* Of a recount, how many tasks and machines looked at one step pays for. */
#define STEP_PAYS 16

void check_step(struct cell *cell)
{
	size_t cost = cell->task_count + cell->machine_count * (1 + cell->blocked_count);
	struct err err = { 0 };

	if (++cell->unchecked < cost / STEP_PAYS)
		return;
	cell->unchecked = 0;
	if (cell_check(cell, &err) < 0)
		__assert_fail(err.text, __FILE__, __LINE__, __func__);
}
