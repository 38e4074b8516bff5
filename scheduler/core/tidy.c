/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/tidy.h"

#include "base/arena.h"
#include "scheduler/core/class.h"
#include "scheduler/core/kind.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/spread.h"

/* And a part of the tasks, which all are looked at. */
#define TIDY_TASKS 4

/* A mark for each thing that is in use. */
struct marks {
	uint8_t *symbols, *classes, *shapes, *groups, *lines, *turns;
};

static bool make_marks(const struct cell *cell, struct arena *arena, struct marks *ret)
{
	ret->symbols = arena_calloc(arena, cell->symbols.count + 1, 1);
	ret->classes = arena_calloc(arena, cell->class_count + 1, 1);
	ret->shapes = arena_calloc(arena, cell->shape_count + 1, 1);
	ret->groups = arena_calloc(arena, cell->group_count + 1, 1);
	ret->lines = arena_calloc(arena, cell->queue.line_count + 1, 1);
	ret->turns = arena_calloc(arena, cell->queue.turn_count + 1, 1);
	return ret->symbols && ret->classes && ret->shapes && ret->groups && ret->lines &&
	       ret->turns;
}

/* ---- what is in use ---- */

static void mark_line(const struct cell *cell, uint32_t class, uint32_t owner, struct marks *marks)
{
	marks->classes[class] = 1;
	queue_mark(cell, class, owner, marks->lines);
}

static void mark_claimed(const struct cell *cell, uint32_t class, struct marks *marks)
{
	marks->classes[class] = 1;
	if (cell->classes[class].joins != NONE)
		marks->classes[cell->classes[class].joins] = 1;
}

/* By the tasks of jobs that are not forgotten, ended ones too. */
static void mark_tasks(const struct cell *cell, struct marks *marks)
{
	uint32_t class = NONE, owner = NONE;

	for (size_t t = 0; t < cell->task_count; t++) {
		const struct task *task = &cell->tasks[t];

		if (task->job == NONE ||
		    (task->class == class && cell->jobs[task->job].owner == owner))
			continue;
		class = task->class;
		owner = cell->jobs[task->job].owner;
		mark_line(cell, class, owner, marks);
		/* It is of that one next. */
		if (cell->classes[class].joins != NONE)
			mark_line(cell, cell->classes[class].joins, owner, marks);
	}
	for (int b = 0; b < BAND_COUNT; b++)
		if (cell->claims[b].machines)
			mark_claimed(cell, cell->claims[b].class, marks);
}

static void mark_class(const struct class *class, struct marks *marks)
{
	uint8_t *symbols = marks->symbols;

	symbols[class->request.device_model] = 1;
	symbols[class->image] = symbols[class->gang] = symbols[class->set] = 1;
	for (size_t i = 0; i < class->constraint_count; i++)
		symbols[class->constraints[i].key] = symbols[class->constraints[i].value] = 1;
	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++)
		marks->groups[class->groups[i]] = 1;
}

static void mark_machine(const struct machine_more *more, uint8_t *symbols)
{
	symbols[more->name] = 1;
	for (int d = 0; d < DOMAIN_COUNT; d++)
		symbols[more->domain[d]] = 1;
}

static void mark_kind(const struct kind *kind, uint8_t *symbols)
{
	symbols[kind->device_model] = symbols[kind->set] = 1;
	for (size_t a = 0; a < kind->attribute_count; a++)
		symbols[kind->attributes[a].key] = symbols[kind->attributes[a].value] = 1;
}

/* Names of what is left, when all else is swept. */
static void mark_symbols(struct cell *cell, uint8_t *symbols)
{
	symbols[cell->name] = 1;
	for (uint32_t m = 0; m < cell->machine_count; m++) {
		if (is_room(cell, m) && cell->more[m].alloc == NONE)
			cell->more[m].name = 0;
		else
			mark_machine(&cell->more[m], symbols);
	}
	for (size_t k = 0; k < cell->kind_count; k++)
		if (!cell->kinds[k]->free)
			mark_kind(cell->kinds[k], symbols);
	for (size_t g = 0; g < cell->group_count; g++)
		symbols[cell->groups[g].name] = 1;
	for (size_t j = 0; j < cell->job_count; j++) {
		const struct cell_job *job = &cell->jobs[j];

		symbols[job->name] = symbols[job->owner] = symbols[job->set] = 1;
	}
	for (size_t q = 0; q < cell->quota_count; q++)
		symbols[cell->quotas[q].owner] = 1;
	for (size_t t = 0; t < cell->queue.turn_count; t++)
		symbols[cell->queue.turns[t].owner] = 1;
	for (unsigned k = 0; k < cell->demand.device_count; k++)
		symbols[cell->demand.device[k].model] = 1;
	for (size_t i = 0; i < cell->image_at.size; i++)
		if (cell->image_at.slots[i].used)
			symbols[cell->image_at.slots[i].key >> 32] = 1;
}

/* ---- the sweep ---- */

static uint64_t count_marks(const uint8_t *marks, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += marks[i];
	return sum;
}

void cell_tidy(struct cell *cell)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct marks marks;
	uint64_t left;

	cell->made = 0;
	cell->tidy_at = TIDY_LEAST;
	/* Out of memory: another time. */
	if (!arena || !make_marks(cell, arena, &marks))
		return;
	mark_tasks(cell, &marks);
	queue_sweep(cell, marks.lines, marks.turns);
	classes_sweep(cell, marks.classes, marks.shapes);
	kinds_sweep(cell);
	for (size_t c = 0; c < cell->class_count; c++)
		if (cell->classes[c].shape != NONE)
			mark_class(&cell->classes[c], &marks);
	spread_sweep(cell, marks.groups);
	mark_symbols(cell, marks.symbols);
	symbols_sweep(&cell->symbols, marks.symbols);
	left = count_marks(marks.symbols, cell->symbols.count) +
	       count_marks(marks.classes, cell->class_count) +
	       count_marks(marks.lines, cell->queue.line_count);
	cell->tidy_at += left + cell->task_count / TIDY_TASKS;
}
