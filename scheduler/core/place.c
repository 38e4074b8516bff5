/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machines that may hold a class stand in some cells of the index. Thought of as one long list,
 * it is swept in strides: the first sweep sees every s-th machine from a random start, the next one
 * the neighbours of those, and so on, until enough feasible ones were scored. So a sample has all
 * cells in it by their size, no machine is seen twice, and after s sweeps all were: then "fits
 * nowhere" is proven.
 */
#include "scheduler/core/place.h"

#include <string.h>

#include "scheduler/core/index.h"
#include "scheduler/core/score.h"
#include "scheduler/core/strand.h"

struct search {
	struct cell *cell;
	struct class *class;
	uint32_t avoid;
	uint32_t wanted; /* feasible ones to score */
	uint32_t scored;
	bool plain;    /* amounts alone decide whether it fits */
	bool stranded; /* see score_is_strand */
	struct choice best;
	struct choice avoided; /* of the machine to avoid */
};

static bool is_plain(const struct class *class)
{
	return !class->request.device_count && !class->request.nodes && !class->per_machine &&
	       !class->port_count && class->groups[0] == NONE;
}

/* What fit_machine says, said sooner of most. All that the index holds is up. */
static inline bool fits(const struct search *s, uint32_t machine, struct grip *ret)
{
	const struct machine *m = &s->cell->machines[machine];

	if (!amounts_fit(&s->class->request.amounts, &m->free))
		return false;
	if (s->plain && !m->claimed && !m->reclaimed)
		return true;
	return fit_machine(s->cell, s->class, machine, ret) == FIT_YES;
}

static void look_at(struct search *s, uint32_t machine)
{
	bool first = s->best.machine == NONE;
	struct grip grip = { 0 };
	float score;

	s->best.examined++;
	if (!fits(s, machine, &grip))
		return;
	s->scored++;
	if (machine == s->avoid) {
		score = score_of(s->cell, s->class, machine, &grip);
		s->avoided = (struct choice){ .machine = machine, .grip = grip, .score = score };
		return;
	}
	if (!first && score_at_least(s->cell, machine) > s->best.score)
		return;
	score = s->stranded ? strand_after(s->cell, machine, &s->class->request, &grip) -
				      strand_of(s->cell, machine)
			    : score_of(s->cell, s->class, machine, &grip);
	if (!first && !(score < s->best.score))
		return;
	s->best.machine = machine;
	s->best.grip = grip;
	s->best.score = score;
}

/* Machines whose lines of cache are under way: the first half of them is looked at when it is full,
 * while those of the second come. */
#define BATCH 32
struct batch {
	uint32_t machines[BATCH];
	uint32_t count;
};

static void look_at_batch(struct search *s, struct batch *batch, uint32_t count)
{
	for (uint32_t i = 0; i < count && s->scored < s->wanted; i++)
		look_at(s, batch->machines[i]);
	batch->count -= count;
}

/* Seldom: kept out of the loop of sweep_row. */
static __attribute__((noinline)) void look_at_half(struct search *s, struct batch *batch)
{
	look_at_batch(s, batch, BATCH / 2);
	memcpy(batch->machines, batch->machines + BATCH / 2, sizeof(batch->machines) / 2);
}

/* Every stride-th machine of a row of cells from `at` on; returns where the next row goes on. */
static uint32_t sweep_row(struct search *s, const struct index_part *part, unsigned cpu,
			  uint32_t at, uint32_t stride, struct batch *batch)
{
	const struct index_cell *row = part->kind->cells[cpu];
	const struct machine *machines = s->cell->machines;
	unsigned filled = part->kind->filled[cpu] >> part->other << part->other;

	for (; filled; filled &= filled - 1) {
		const struct index_cell *here = &row[__builtin_ctz(filled)];
		uint32_t count = here->count, machine;

		for (; at < count; at += stride) {
			machine = here->machines[at];
			__builtin_prefetch(&machines[machine]);
			batch->machines[batch->count++] = machine;
			if (batch->count == BATCH)
				look_at_half(s, batch);
		}
		at -= count;
	}
	return at;
}

/* The same of the whole list: kinds and rows in which none is due are passed over. */
static void sweep(struct search *s, size_t parts, uint32_t at, uint32_t stride)
{
	struct batch batch;

	batch.count = 0;
	for (size_t p = 0; p < parts && s->scored < s->wanted; p++) {
		const struct index_part *part = &s->cell->search[p];
		uint32_t left = part->count;

		if (at >= left) {
			at -= left;
			continue;
		}
		for (unsigned cpu = part->cpu; left; cpu++) {
			uint32_t below = part->kind->above[cpu + 1][part->other];
			uint32_t row = left - below;

			at = at < row ? sweep_row(s, part, cpu, at, stride, &batch) : at - row;
			left = below;
		}
	}
	look_at_batch(s, &batch, batch.count);
}

static uint32_t collect(struct cell *cell, const struct class *class, size_t *ret_parts)
{
	uint32_t machines = 0;

	*ret_parts = 0;
	for (uint32_t k = 0; k < cell->kind_count; k++) {
		/* A kind that came after the class: worked out here. */
		uint16_t first = k < class->eligible_count ? class->eligible[k]
							   : fit_kind_first(cell, class, k);

		if (first && cell->kinds[k]->up)
			machines +=
				index_part(cell->kinds[k], first, &cell->search[(*ret_parts)++]);
	}
	return machines;
}

void place_choose(struct cell *cell, struct class *class, uint32_t avoid, struct choice *ret)
{
	struct search s = {
		.cell = cell,
		.class = class,
		.avoid = avoid,
		.wanted = policy_sample(cell->options.policy, cell->up),
		.plain = is_plain(class),
		.stranded = score_is_strand(cell, class),
		.best = { .machine = NONE },
		.avoided = { .machine = NONE },
	};
	size_t parts;
	uint32_t machines = collect(cell, class, &parts);
	uint32_t stride = machines / s.wanted + 1, start;

	start = (uint32_t)(cell_random(cell) % stride);
	for (uint32_t i = 0; i < stride && s.scored < s.wanted; i++)
		sweep(&s, parts, (start + i) % stride, stride);
	if (s.best.machine == NONE && s.avoided.machine != NONE) {
		s.avoided.examined = s.best.examined;
		s.best = s.avoided;
	}
	*ret = s.best;
}

bool place_choose_at(struct cell *cell, struct class *class, uint32_t machine, struct choice *ret)
{
	struct grip grip = { 0 };

	if (machine >= cell->machine_count || cell->machines[machine].state != MACHINE_UP ||
	    !fit_kind(cell, class, cell->machines[machine].kind) ||
	    fit_machine(cell, class, machine, &grip) != FIT_YES)
		return false;
	*ret = (struct choice){ .machine = machine, .grip = grip, .examined = 1 };
	ret->score = score_of(cell, class, machine, &grip);
	return true;
}

void place_tell(struct cell *cell, uint32_t task, const struct choice *choice)
{
	const struct task *t = &cell->tasks[task];

	cell_tell(cell,
		  &(struct event){ .kind = choice->machine == NONE ? EVENT_INFEASIBLE : EVENT_PLACE,
				   .job = t->job,
				   .task = task,
				   .index = t->index,
				   .machine = choice->machine,
				   .other = NOBODY,
				   .count = choice->notice_ms,
				   .examined = choice->examined,
				   .priority = cell->classes[t->class].priority,
				   .score = choice->score });
}
