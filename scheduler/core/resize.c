/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/resize.h"

#include <errno.h>
#include <stdlib.h>

#include "scheduler/core/admit.h"
#include "scheduler/core/alloc.h"
#include "scheduler/core/claim.h"
#include "scheduler/core/ports.h"
#include "scheduler/core/preempt.h"
#include "scheduler/core/quota.h"
#include "scheduler/core/spread.h"
#include "scheduler/core/trial.h"

struct planner {
	struct cell *cell;
	struct resize_plan *plan;
	struct trial trial;
	struct map gone;  /* victims so far */
	struct map taken; /* domains that moves of a spread group go to */
	struct map down;  /* job: victims of it so far */
};

struct resize_plan *resize_plan_free(struct resize_plan *plan)
{
	if (!plan)
		return NULL;
	free(plan->steps);
	free(plan->victims);
	free(plan);
	return NULL;
}

/* ---- victims ---- */

static uint32_t count_of(const struct map *map, uint32_t key)
{
	uint32_t count = map_get(map, key);

	return count == MAP_NONE ? 0 : count;
}

static bool may_go(const struct planner *p, const struct class *class, uint32_t task)
{
	const struct task *t = &p->cell->tasks[task];
	const struct cell_job *job = &p->cell->jobs[t->job];

	return map_get(&p->gone, task) == MAP_NONE &&
	       preempt_allowed(class->priority, p->cell->classes[t->class].priority) &&
	       (!job->budget || class->priority >= PRIORITY_MONITORING ||
		job->down + count_of(&p->down, t->job) < job->budget);
}

/* The lowest goes first, then who loses least. */
static uint32_t next_victim(const struct planner *p, const struct class *class, uint32_t machine)
{
	const struct cell *cell = p->cell;
	uint32_t best = NONE;
	unsigned low = 0;

	for (uint32_t t = cell->more[machine].tasks; t != NONE; t = cell->tasks[t].next) {
		unsigned priority = cell->classes[cell->tasks[t].class].priority;

		if (!may_go(p, class, t))
			continue;
		if (best == NONE || priority < low ||
		    (priority == low &&
		     preempt_lost_work(cell, t) < preempt_lost_work(cell, best))) {
			best = t;
			low = priority;
		}
	}
	return best;
}

static int add_victim(struct planner *p, struct resize_step *step, uint32_t victim)
{
	struct resize_plan *plan = p->plan;
	uint32_t job = p->cell->tasks[victim].job;

	if (state_grow(plan->victims, plan->victim_count, plan->victim_size) < 0 ||
	    map_put(&p->gone, victim, 1) < 0 ||
	    map_put(&p->down, job, count_of(&p->down, job) + 1) < 0)
		return -ENOMEM;
	plan->victims[plan->victim_count++] = victim;
	step->victims++;
	return 0;
}

static void drop_victim(struct planner *p, struct resize_step *step, size_t at)
{
	struct resize_plan *plan = p->plan;
	uint32_t victim = plan->victims[at], job = p->cell->tasks[victim].job;

	map_remove(&p->gone, victim);
	map_put(&p->down, job, count_of(&p->down, job) - 1); /* only lowered: never allocates */
	for (; at + 1 < plan->victim_count; at++)
		plan->victims[at] = plan->victims[at + 1];
	plan->victim_count--;
	step->victims--;
}

/* Whoever need not have gone stays, the dearest first. */
static void spare(struct planner *p, const struct class *class, struct trial_room *room,
		  struct resize_step *step)
{
	for (size_t i = p->plan->victim_count; i-- > step->first_victim;) {
		const struct task *t = &p->cell->tasks[p->plan->victims[i]];
		const struct grip grip = { .devices = t->devices, .nodes = t->nodes };
		struct trial_room without = *room;

		/* By its limit, which is no less than what it gave. */
		trial_take(&without, &p->cell->classes[t->class].request, &grip);
		if (!trial_fits(&p->trial, &without, class, &step->grip))
			continue;
		*room = without;
		drop_victim(p, step, i);
	}
}

/* 1, or 0 with nothing changed in the trial, or -ENOMEM. */
static int plan_preemption(struct planner *p, const struct class *class, struct trial_room *room,
			   struct resize_step *step)
{
	struct trial_room before = *room;
	uint32_t victim;

	step->first_victim = (uint32_t)p->plan->victim_count;
	while (!trial_fits(&p->trial, room, class, &step->grip)) {
		victim = p->cell->options.no_preemption ? NONE
							: next_victim(p, class, room->machine);
		if (victim == NONE) {
			while (step->victims)
				drop_victim(p, step, p->plan->victim_count - 1);
			*room = before;
			return 0;
		}
		if (add_victim(p, step, victim) < 0)
			return -ENOMEM;
		trial_leave(&p->trial, room, victim);
	}
	spare(p, class, room, step);
	trial_fits(&p->trial, room, class, &step->grip);
	step->how = step->victims ? RESIZE_PREEMPT : RESIZE_IN_PLACE;
	return 1;
}

/* ---- moves ---- */

/* The domain that a move to the machine takes for a spread group; 0: it takes none. */
static uint32_t domain_on(const struct cell *cell, const struct class *class, int i,
			  uint32_t machine)
{
	uint32_t group = class->groups[i];

	return group == NONE || cell->groups[group].kind == SPREAD_TOGETHER ||
			       cell->groups[group].soft
		       ? 0
		       : cell->more[machine].domain[cell->groups[group].domain];
}

static bool domains_taken(const struct planner *p, const struct class *class, uint32_t machine)
{
	for (int i = 0; i < CLASS_GROUPS; i++) {
		uint32_t domain = domain_on(p->cell, class, i, machine);

		if (domain && map_get(&p->taken, domain) != MAP_NONE)
			return true;
	}
	return false;
}

static int take_domains(struct planner *p, const struct class *class, uint32_t machine)
{
	int r = 0;

	for (int i = 0; r == 0 && i < CLASS_GROUPS; i++) {
		uint32_t domain = domain_on(p->cell, class, i, machine);

		r = domain ? map_put(&p->taken, domain, 1) : 0;
	}
	/* Ports of their own choice: one of them a machine. */
	if (r == 0 && class->port_count)
		r = map_put(&p->taken, p->cell->more[machine].name, 1);
	return r;
}

static bool may_come(struct planner *p, const struct class *class, uint32_t machine)
{
	struct cell *cell = p->cell;

	return cell->machines[machine].state == MACHINE_UP &&
	       fit_kind_reason(cell, class, cell->machines[machine].kind) == FIT_YES &&
	       fit_domains(cell, class, machine) && spread_allows(cell, class, machine) &&
	       !domains_taken(p, class, machine) && !claim_bars(cell, class, machine) &&
	       ports_are_free(cell, class, machine) &&
	       (!class->port_count || map_get(&p->taken, cell->more[machine].name) == MAP_NONE);
}

/* To the machine that is left with least CPU. 1, 0 or -ENOMEM. */
static int plan_move(struct planner *p, const struct class *class, struct resize_step *step)
{
	struct trial_room *room;
	uint32_t best = NONE, from = step->machine;
	struct grip grip;
	int64_t least = 0;

	for (uint32_t m = 0; m < p->cell->machine_count; m++) {
		if (m == from || !may_come(p, class, m))
			continue;
		/* Looked at only; copied when chosen. */
		struct trial_room look = { .machine = m, .held = p->cell->more[m].held_back };
		uint32_t at = map_get(&p->trial.at, m);

		room_of(p->cell, m, &look.room);
		if (at != MAP_NONE)
			look = p->trial.rooms[at];
		if (!trial_fits(&p->trial, &look, class, &grip) ||
		    (best != NONE && look.room.free.of[RESOURCE_CPU] >= least))
			continue;
		best = m;
		least = look.room.free.of[RESOURCE_CPU];
		step->grip = grip;
	}
	if (best == NONE)
		return 0;
	room = trial_room(&p->trial, best);
	if (!room || take_domains(p, class, best) < 0)
		return -ENOMEM;
	trial_take(room, &class->request, &step->grip);
	step->machine = best;
	step->how = RESIZE_MOVE;
	return 1;
}

/* ---- the plan ---- */

static int plan_task(struct planner *p, const struct request *request, struct resize_step *step,
		     struct err *err)
{
	struct cell *cell = p->cell;
	const struct task *t = &cell->tasks[step->task];
	struct class class = cell->classes[t->class];
	const char *name = symbol_name(&cell->symbols, cell->jobs[t->job].name);
	struct trial_room *room;
	int r;

	class.request = *request;
	class.eligible_count = 0;
	step->machine = t->machine;
	if (t->room != NONE)
		err_try(alloc_check_resize(cell, step->task, request, err));
	if (t->state != TASK_RUNNING)
		return 0;
	if (t->room == NONE && request->amounts.of[RESOURCE_PORTS] !=
				       cell->classes[t->class].request.amounts.of[RESOURCE_PORTS])
		return err_say(err, EINVAL, "task %u of job %s keeps its ports while it runs",
			       t->index, name);
	room = trial_room(&p->trial, t->machine);
	if (!room)
		return err_set(err, ENOMEM, "plan a resize");
	trial_leave(&p->trial, room, step->task);
	/* What is kept for another does not come to it, either. */
	r = 0;
	if (!claim_bars(cell, &class, t->machine) ||
	    amounts_fit(&request->amounts, &cell->classes[t->class].request.amounts))
		r = plan_preemption(p, &class, room, step);
	if (r > 0)
		trial_take(room, request, &step->grip);
	else if (r == 0)
		r = plan_move(p, &class, step);
	if (r < 0)
		return err_set(err, ENOMEM, "plan a resize");
	if (r == 0)
		return err_say(err, ENOSPC, "task %u of job %s fits nowhere with what it asks for",
			       t->index, name);
	return 0;
}

static int check_quota(struct cell *cell, const struct resize_plan *plan, uint32_t job,
		       const struct request *request, struct err *err)
{
	struct amounts more = { 0 };

	for (size_t i = 0; i < plan->count; i++) {
		amounts_add(&more, &request->amounts);
		amounts_subtract(
			&more,
			&cell->classes[cell->tasks[plan->steps[i].task].class].request.amounts);
	}
	return quota_check_more(cell, &cell->jobs[job], &more, err);
}

static int list_tasks(struct cell *cell, uint32_t job, uint32_t index, struct resize_plan *plan,
		      struct err *err)
{
	plan->steps = calloc(cell->jobs[job].count, sizeof(*plan->steps));
	if (!plan->steps)
		return err_set(err, ENOMEM, "plan a resize");
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state != TASK_ENDED &&
		    (index == NOBODY || cell->tasks[t].index == index))
			plan->steps[plan->count++] = (struct resize_step){ .task = t };
	if (!plan->count)
		return err_say(err, ENOENT, "job %s has no task to resize",
			       symbol_name(&cell->symbols, cell->jobs[job].name));
	return 0;
}

int cell_resize_plan(struct cell *cell, uint32_t job, uint32_t index, const struct request *request,
		     struct resize_plan **ret, struct err *err)
{
	_cleanup_resize_plan_ struct resize_plan *plan = calloc(1, sizeof(*plan));
	struct planner p = { .cell = cell, .plan = plan, .trial = { .cell = cell } };
	int r;

	if (!plan)
		return err_set(err, ENOMEM, "plan a resize");
	err_try(admit_check_request(symbol_name(&cell->symbols, cell->jobs[job].name), request,
				    err));
	err_try(list_tasks(cell, job, index, plan, err));
	r = check_quota(cell, plan, job, request, err);
	for (size_t i = 0; r == 0 && i < plan->count; i++)
		r = plan_task(&p, request, &plan->steps[i], err);
	trial_deinit(&p.trial);
	map_deinit(&p.gone);
	map_deinit(&p.taken);
	map_deinit(&p.down);
	if (r == 0)
		*ret = take_ptr(plan);
	return r;
}
