/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/why_gang.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/checkpoint.h"
#include "scheduler/core/describe.h"
#include "scheduler/core/scale.h"
#include "scheduler/core/state.h"

#define STEPS 256 /* in which an amount is looked for */
#define DECISIONS_MAX 100000

struct look {
	struct arena *arena;
	uint8_t *bytes; /* the cell */
	size_t len;
	uint32_t job;
	uint32_t joining; /* of its tasks; 0: all of it waits */
	struct job is;	  /* as it waits */
	struct job as;	  /* as it is thought of */
	struct task_override *overrides;
	int error;
};

static bool all_run(const struct cell *cell, uint32_t job)
{
	return cell->jobs[job].running == cell->jobs[job].alive;
}

static bool runs_in(struct cell *cell, struct look *look)
{
	struct err err = { 0 };
	uint32_t job = look->job;
	int r;

	if (!look->joining)
		cell_remove_job(cell, look->job);
	r = look->joining ? cell_scale(cell, job, &look->as, &err)
			  : cell_submit(cell, &look->as, &job, &err);
	if (r < 0)
		return false;
	for (int i = 0; i < DECISIONS_MAX && !all_run(cell, job) && cell_decide(cell) > 0; i++)
		;
	return all_run(cell, job);
}

/* Would it start, as it is thought of now? */
static bool would_run(struct look *look)
{
	struct outside outside = { 0 };
	_cleanup_cell_ struct cell *cell = NULL;
	struct err err = { 0 };
	int r = look->error ? look->error
			    : cell_load(look->bytes, look->len, &outside, &cell, &err);

	if (r < 0) {
		look->error = r;
		return false;
	}
	return runs_in(cell, look);
}

static void keep_smaller(struct change *best, const struct change *other)
{
	if (best->kind == CHANGE_NONE || other->size < best->size)
		*best = *other;
}

/* No task asks for more than that; the rest is as it was. */
static void cap(struct look *look, enum resource r, int64_t most)
{
	look->as.request = look->is.request;
	if (look->as.request.amounts.of[r] > most)
		look->as.request.amounts.of[r] = most;
	for (size_t i = 0; i < look->is.override_count; i++) {
		look->overrides[i] = look->is.overrides[i];
		if (look->overrides[i].request.amounts.of[r] > most)
			look->overrides[i].request.amounts.of[r] = most;
	}
}

static int64_t most_asked(const struct look *look, enum resource r)
{
	int64_t most = look->is.request.amounts.of[r];

	for (size_t i = 0; i < look->is.override_count; i++)
		if (look->is.overrides[i].request.amounts.of[r] > most)
			most = look->is.overrides[i].request.amounts.of[r];
	return most;
}

static void try_amount(struct look *look, enum resource r, struct change *best)
{
	int64_t had = most_asked(look, r), grain = had / STEPS > 0 ? had / STEPS : 1;
	int64_t low = 0, high = had / grain;

	if (r == RESOURCE_MEMORY || r == RESOURCE_DISK)
		grain = (grain + (1 << 20) - 1) >> 20 << 20;
	high = (had + grain - 1) / grain;
	cap(look, r, 0);
	if (!had || !would_run(look))
		high = 0;
	while (low + 1 < high) {
		int64_t middle = low + (high - low) / 2;

		cap(look, r, middle * grain);
		if (would_run(look))
			low = middle;
		else
			high = middle;
	}
	cap(look, r, had);
	if (low)
		keep_smaller(best,
			     &(struct change){ .kind = CHANGE_AMOUNT,
					       .resource = r,
					       .amount = low * grain,
					       .size = 1 - (double)(low * grain) / (double)had });
}

/* As many as start; overrides of the others are left out. */
static void set_count(struct look *look, uint32_t count)
{
	look->as.count = count;
	look->as.override_count = 0;
	while (look->as.override_count < look->is.override_count &&
	       look->is.overrides[look->as.override_count].index < count)
		look->as.override_count++;
}

static void try_count(struct look *look, struct change *best)
{
	uint32_t runs = look->joining ? look->is.count - look->joining : 0;
	uint32_t low = runs, high = look->is.count;

	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		set_count(look, middle);
		if (would_run(look))
			low = middle;
		else
			high = middle;
	}
	set_count(look, look->is.count);
	if (low > runs)
		keep_smaller(best,
			     &(struct change){ .kind = CHANGE_COUNT,
					       .amount = low,
					       .size = 1 - (double)low / (double)look->is.count });
}

static void try_constraints(struct look *look, struct change *best)
{
	struct constraint *list =
		arena_calloc(look->arena, look->is.constraint_count + 1, sizeof(*list));

	if (!list) {
		look->error = -ENOMEM;
		return;
	}
	look->as.constraints = list;
	for (size_t i = 0; i < look->is.constraint_count; i++) {
		memcpy(list, look->is.constraints, look->is.constraint_count * sizeof(*list));
		list[i].soft = true;
		if (!look->is.constraints[i].soft && would_run(look))
			keep_smaller(best, &(struct change){ .kind = CHANGE_CONSTRAINT,
							     .key = look->is.constraints[i].key,
							     .size = 0.5 });
	}
	look->as.constraints = look->is.constraints;
}

static void try_rule(struct look *look, struct spread_rule *rule, struct change *best)
{
	static const char *const domains[DOMAIN_COUNT] = { "machine", "rack", "power" };
	struct spread_rule had = *rule;

	if (had.kind == SPREAD_NONE || had.soft)
		return;
	*rule = (struct spread_rule){ 0 };
	if (would_run(look))
		keep_smaller(best, &(struct change){ .kind = CHANGE_SPREAD,
						     .key = domains[had.domain],
						     .spread = had.kind,
						     .size = 0.5 });
	*rule = had;
}

/* The lowest that helps. */
static void try_priority(struct look *look, struct change *best)
{
	unsigned had = look->is.priority, low = had, high = PRIORITY_MAX;

	look->as.priority = high;
	if (had == high || !would_run(look))
		low = high;
	while (low + 1 < high) {
		look->as.priority = low + (high - low) / 2;
		if (would_run(look))
			high = look->as.priority;
		else
			low = look->as.priority;
	}
	if (low < high)
		keep_smaller(best,
			     &(struct change){ .kind = CHANGE_PRIORITY,
					       .amount = high,
					       .size = 0.25 + 0.75 * (high - had) / PRIORITY_MAX });
	look->as.priority = had;
}

/* What can be changed of a job that does not run. */
static void try_others(struct look *look, bool preemption, struct change *ret)
{
	for (int r = 0; r < RESOURCE_COUNT; r++)
		try_amount(look, (enum resource)r, ret);
	try_count(look, ret);
	try_constraints(look, ret);
	try_rule(look, &look->as.spread, ret);
	try_rule(look, &look->as.affinity, ret);
	if (preemption)
		try_priority(look, ret);
}

static void find_change(struct look *look, bool preemption, struct change *ret)
{
	*ret = (struct change){ .kind = CHANGE_NONE };
	if (would_run(look)) {
		ret->kind = CHANGE_NOT_NEEDED;
		return;
	}
	if (look->joining)
		try_count(look, ret);
	else
		try_others(look, preemption, ret);
	if (ret->kind == CHANGE_NONE)
		*ret = (struct change){ .kind = CHANGE_MACHINE, .size = 1 };
}

int why_gang(struct cell *cell, uint32_t task, struct change *ret)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	uint32_t job = cell->tasks[task].job;
	struct look look = { .arena = arena,
			     .job = job,
			     .joining = is_joining(cell, task) ? cell->jobs[job].joining : 0 };
	struct err err = { 0 };
	int r = arena ? describe_job(cell, job, arena, &look.is) : -ENOMEM;

	if (r < 0)
		return r;
	look.overrides = arena_calloc(arena, look.is.override_count + 1, sizeof(*look.overrides));
	if (!look.overrides)
		return -ENOMEM;
	if (look.is.override_count)
		memcpy(look.overrides, look.is.overrides,
		       look.is.override_count * sizeof(*look.overrides));
	look.as = look.is;
	look.as.overrides = look.overrides;
	r = cell_save(cell, &look.bytes, &look.len, &err);
	if (r < 0)
		return r;
	find_change(&look, !cell->options.no_preemption, ret);
	free(look.bytes);
	return look.error;
}
