/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/claim.h"

#include "base/arena.h"
#include "scheduler/core/class.h"
#include "scheduler/core/gang.h"
#include "scheduler/core/preempt.h"

#define PATIENCE_MS 300000
#define DOUBLINGS_MAX 16

static int64_t patience(const struct cell *cell)
{
	return cell->options.patience_ms ? cell->options.patience_ms : PATIENCE_MS;
}

static void look_at(struct cell *cell, int64_t ms)
{
	if (ms < cell->claim_next_ms)
		cell->claim_next_ms = ms;
}

void claim_stuck(struct cell *cell, struct class *class)
{
	if (!class->stuck) {
		class->stuck = true;
		class->stuck_ms = cell->outside->now_ms;
	}
	look_at(cell, class->stuck_ms + patience(cell));
}

/* ---- the end of a claim ---- */

static void tell(struct cell *cell, enum event_kind kind, uint32_t task, uint32_t machine)
{
	const struct task *t = &cell->tasks[task];

	cell_tell(cell, &(struct event){ .kind = kind,
					 .job = t->job,
					 .task = task,
					 .index = t->index,
					 .machine = machine,
					 .other = NOBODY,
					 .priority = cell->classes[t->class].priority });
}

static void end(struct cell *cell, enum band band)
{
	struct claim *claim = &cell->claims[band];
	uint8_t mark = (uint8_t)(band + 1);

	if (!claim->machines)
		return;
	for (size_t c = 0; c < cell->class_count; c++)
		if (cell->classes[c].claim == mark)
			cell->classes[c].claim = 0;
	for (uint32_t m = 0; claim->machines && m < cell->machine_count; m++) {
		if (cell->machines[m].claimed != mark)
			continue;
		cell->machines[m].claimed = 0;
		claim->machines--;
		cell_tell(cell, &(struct event){ .kind = EVENT_UNCLAIM,
						 .job = NOBODY,
						 .task = NOBODY,
						 .index = NOBODY,
						 .machine = m,
						 .other = NOBODY,
						 .priority = claim->priority });
		class_wake(cell, m);
	}
	cell->claims_made--;
	cell->claim_next_ms = INT64_MIN;
}

void claim_moved_on(struct cell *cell, struct class *class)
{
	if (!class->stuck)
		return;
	class->stuck = false;
	class->doublings = 0;
	if (class->claim)
		end(cell, (enum band)(class->claim - 1));
}

void claim_lost(struct cell *cell, uint32_t machine)
{
	uint8_t claimed = cell->machines[machine].claimed;

	if (claimed)
		end(cell, (enum band)(claimed - 1));
}

/* ---- making one ---- */

static uint32_t oldest(const struct cell *cell, const struct class *class)
{
	uint32_t best = NONE;

	for (uint32_t l = class->lines; l != NONE; l = cell->queue.lines[l].next_of_class) {
		uint32_t head = cell->queue.lines[l].head;

		if (head != NONE &&
		    (best == NONE || cell->tasks[head].sequence < cell->tasks[best].sequence))
			best = head;
	}
	return best;
}

/* Who is to have the claim of a band. */
struct candidate {
	uint32_t class, task;
};

static bool comes_before(const struct cell *cell, const struct candidate *a,
			 const struct candidate *b)
{
	const struct class *x = &cell->classes[a->class], *y;

	if (b->class == NONE)
		return true;
	y = &cell->classes[b->class];
	if (x->priority != y->priority)
		return x->priority > y->priority;
	if (x->stuck_ms != y->stuck_ms)
		return x->stuck_ms < y->stuck_ms;
	return cell->tasks[a->task].sequence < cell->tasks[b->task].sequence;
}

/* Of the classes that are blocked and past their patience. */
static void find_candidates(struct cell *cell, struct candidate *ret)
{
	int64_t now_ms = cell->outside->now_ms, due_ms;

	for (int b = 0; b < BAND_COUNT; b++)
		ret[b].class = NONE;
	for (size_t i = 0; i < cell->blocked_count; i++) {
		struct candidate c = { .class = cell->blocked[i] };
		struct class *class = &cell->classes[c.class];
		enum band band = band_of(class->priority);

		c.task = class->stuck ? oldest(cell, class) : NONE;
		if (c.task == NONE) {
			class->stuck = false;
			continue;
		}
		due_ms = class->stuck_ms;
		if (cell->tasks[c.task].since_ms > due_ms)
			due_ms = cell->tasks[c.task].since_ms;
		due_ms += patience(cell);
		if (due_ms > now_ms)
			look_at(cell, due_ms);
		else if (comes_before(cell, &c, &ret[band]))
			ret[band] = c;
	}
}

static void take(struct cell *cell, uint32_t machine, uint32_t task, uint8_t mark)
{
	if (cell->machines[machine].claimed == mark)
		return;
	/* A lower band's. */
	claim_lost(cell, machine);
	cell->machines[machine].claimed = mark;
	cell->claims[mark - 1].machines++;
	tell(cell, EVENT_CLAIM, task, machine);
}

static void mark_gang(struct cell *cell, uint32_t task, uint8_t mark)
{
	bool joining = is_joining(cell, task);
	uint32_t job = cell->tasks[task].job;

	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state == TASK_PENDING && is_joining(cell, t) == joining)
			cell->classes[cell->tasks[t].class].claim = mark;
}

/* The machines: one, or those of a gang. */
static void choose(struct cell *cell, const struct candidate *c, uint8_t mark)
{
	struct class *class = &cell->classes[c->class];
	uint32_t job = cell->tasks[c->task].job, count;
	_cleanup_arena_ struct arena *arena = NULL;
	uint32_t *machines;
	struct preemption way;

	if (gang_is_whole(cell, c->task)) {
		arena = arena_new();
		machines = arena ? arena_calloc(arena, cell->jobs[job].count, sizeof(*machines))
				 : NULL;
		mark_gang(cell, c->task, mark);
		count = machines ? gang_find_room(cell, c->task, machines) : 0;
		for (uint32_t i = 0; i < count; i++)
			take(cell, machines[i], c->task, mark);
		return;
	}
	class->claim = mark;
	preempt_find(cell, class, NONE, WAY_CLAIM, &way);
	if (way.machine != NONE)
		take(cell, way.machine, c->task, mark);
}

static void make(struct cell *cell, const struct candidate *c, enum band band)
{
	struct class *class = &cell->classes[c->class];
	struct claim *claim = &cell->claims[band];
	uint8_t mark = (uint8_t)(band + 1);

	*claim = (struct claim){ .class = c->class, .priority = class->priority };
	cell->claims_made++;
	choose(cell, c, mark);
	claim->until_ms = cell->outside->now_ms + (patience(cell) << class->doublings);
	class->doublings += class->doublings < DOUBLINGS_MAX;
	look_at(cell, claim->until_ms);
	if (claim->machines)
		return;
	/* No machine would ever do. Asked again when as much time has passed. */
	for (size_t k = 0; k < cell->class_count; k++)
		if (cell->classes[k].claim == mark)
			cell->classes[k].claim = 0;
	cell->claims_made--;
	class->stuck_ms = cell->outside->now_ms;
	look_at(cell, class->stuck_ms + patience(cell));
}

static bool stands(const struct cell *cell, const struct claim *claim)
{
	return claim->machines && cell->outside->now_ms < claim->until_ms &&
	       oldest(cell, &cell->classes[claim->class]) != NONE;
}

static void renew(struct cell *cell, enum band band, const struct candidate *c)
{
	const struct claim *claim = &cell->claims[band];

	if (claim->machines &&
	    (!stands(cell, claim) ||
	     (c->class != NONE && cell->classes[c->class].priority > claim->priority)))
		end(cell, band);
	if (claim->machines)
		look_at(cell, claim->until_ms);
	else if (c->class != NONE)
		make(cell, c, band);
}

bool claim_step(struct cell *cell)
{
	struct candidate candidates[BAND_COUNT];

	for (int b = 0; cell->claims_made && b < BAND_COUNT; b++)
		if (cell->claims[b].machines && !stands(cell, &cell->claims[b]))
			cell->claim_next_ms = INT64_MIN;
	if (cell->outside->now_ms < cell->claim_next_ms || cell->options.patience_ms < 0)
		return false;
	cell->claim_next_ms = INT64_MAX;
	find_candidates(cell, candidates);
	/* The highest first: it may take what a lower one has. */
	for (int b = BAND_COUNT - 1; b >= 0; b--)
		renew(cell, (enum band)b, &candidates[b]);
	return cell->claim_next_ms == INT64_MIN;
}
