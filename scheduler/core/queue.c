/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static uint64_t key_of(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

void queue_init(struct queue *queue)
{
	for (int p = 0; p <= PRIORITY_MAX; p++)
		queue->level[p] = NONE;
}

void queue_deinit(struct queue *queue)
{
	free(queue->lines);
	free(queue->turns);
	map_deinit(&queue->line_of);
	map_deinit(&queue->turn_of);
}

static int find_turn(struct queue *q, unsigned priority, uint32_t owner, uint32_t *ret)
{
	int r;

	*ret = map_get(&q->turn_of, key_of(priority, owner));
	if (*ret != MAP_NONE)
		return 0;
	while (q->turn_hole < q->turn_count && q->turns[q->turn_hole].owner)
		q->turn_hole++;
	*ret = (uint32_t)q->turn_hole;
	r = *ret < q->turn_count ? 0 : state_grow(q->turns, q->turn_count, q->turn_size);
	if (r < 0 || (r = map_put(&q->turn_of, key_of(priority, owner), *ret)) < 0)
		return r;
	q->turn_count += *ret == q->turn_count;
	q->turns[*ret] = (struct turn){
		.owner = owner, .priority = priority, .lines = NONE, .next = NONE, .previous = NONE
	};
	return 0;
}

int queue_reserve(struct cell *cell, uint32_t class, uint32_t owner)
{
	struct queue *q = &cell->queue;
	uint32_t line, turn;
	int r;

	if (map_get(&q->line_of, key_of(class, owner)) != MAP_NONE)
		return 0;
	r = find_turn(q, cell->classes[class].priority, owner, &turn);
	if (r < 0)
		return r;
	while (q->line_hole < q->line_count && q->lines[q->line_hole].class != NONE)
		q->line_hole++;
	line = (uint32_t)q->line_hole;
	r = line < q->line_count ? 0 : state_grow(q->lines, q->line_count, q->line_size);
	if (r < 0 || (r = map_put(&q->line_of, key_of(class, owner), line)) < 0)
		return r;
	cell->made++;
	q->line_count += line == q->line_count;
	q->lines[line] = (struct line){ .class = class,
					.turn = turn,
					.head = NONE,
					.tail = NONE,
					.next_of_class = cell->classes[class].lines,
					.next = NONE,
					.previous = NONE };
	cell->classes[class].lines = line;
	return 0;
}

/* ---- the ring of a level ---- */

static void join_ring(struct queue *q, uint32_t turn)
{
	struct turn *t = &q->turns[turn];
	uint32_t first = q->level[t->priority];

	if (first == NONE) {
		t->next = t->previous = turn;
		q->level[t->priority] = turn;
		q->filled[t->priority / 64] |= 1ull << t->priority % 64;
		return;
	}
	/* Last in the ring: just before the one whose turn it is. */
	t->next = first;
	t->previous = q->turns[first].previous;
	q->turns[t->previous].next = turn;
	q->turns[first].previous = turn;
}

static void leave_ring(struct queue *q, uint32_t turn)
{
	struct turn *t = &q->turns[turn];

	if (t->next == turn) {
		q->level[t->priority] = NONE;
		q->filled[t->priority / 64] &= ~(1ull << t->priority % 64);
	} else {
		q->turns[t->previous].next = t->next;
		q->turns[t->next].previous = t->previous;
		if (q->level[t->priority] == turn)
			q->level[t->priority] = t->next;
	}
	t->next = t->previous = NONE;
}

/* ---- runnable lines ---- */

static void set_runnable(struct cell *cell, uint32_t line)
{
	struct queue *q = &cell->queue;
	struct line *l = &q->lines[line];
	struct turn *turn = &q->turns[l->turn];
	bool first = turn->lines == NONE;

	if (l->runnable || l->head == NONE || cell->classes[l->class].blocked)
		return;
	l->runnable = true;
	l->previous = NONE;
	l->next = turn->lines;
	if (!first)
		q->lines[l->next].previous = line;
	turn->lines = line;
	if (first)
		join_ring(q, l->turn);
}

static void set_waiting(struct queue *q, uint32_t line)
{
	struct line *l = &q->lines[line];
	struct turn *turn = &q->turns[l->turn];

	if (!l->runnable)
		return;
	l->runnable = false;
	if (l->previous != NONE)
		q->lines[l->previous].next = l->next;
	else
		turn->lines = l->next;
	if (l->next != NONE)
		q->lines[l->next].previous = l->previous;
	if (turn->lines == NONE)
		leave_ring(q, l->turn);
}

void queue_class_blocked(struct cell *cell, uint32_t class)
{
	for (uint32_t l = cell->classes[class].lines; l != NONE;
	     l = cell->queue.lines[l].next_of_class)
		set_waiting(&cell->queue, l);
}

void queue_class_woken(struct cell *cell, uint32_t class)
{
	for (uint32_t l = cell->classes[class].lines; l != NONE;
	     l = cell->queue.lines[l].next_of_class)
		set_runnable(cell, l);
}

/* ---- tasks ---- */

static uint32_t line_of(const struct cell *cell, uint32_t task)
{
	const struct task *t = &cell->tasks[task];
	uint32_t line = map_get(&cell->queue.line_of, key_of(t->class, cell->jobs[t->job].owner));

	assert(line != MAP_NONE);
	return line;
}

static void put_between(struct cell *cell, struct line *l, uint32_t task, uint32_t previous,
			uint32_t next)
{
	struct task *t = &cell->tasks[task];

	t->previous = previous;
	t->next = next;
	if (previous == NONE)
		l->head = task;
	else
		cell->tasks[previous].next = task;
	if (next == NONE)
		l->tail = task;
	else
		cell->tasks[next].previous = task;
}

void queue_push(struct cell *cell, uint32_t task)
{
	uint32_t line = line_of(cell, task), after;
	struct line *l = &cell->queue.lines[line];
	uint64_t sequence = cell->tasks[task].sequence;

	/* What comes back (preempted, lost) came before: it goes in front, or near to it. */
	if (l->head == NONE || cell->tasks[l->tail].sequence < sequence) {
		put_between(cell, l, task, l->tail, NONE);
	} else if (cell->tasks[l->head].sequence > sequence) {
		put_between(cell, l, task, NONE, l->head);
	} else {
		after = l->head;
		while (cell->tasks[cell->tasks[after].next].sequence < sequence)
			after = cell->tasks[after].next;
		put_between(cell, l, task, after, cell->tasks[after].next);
	}
	cell->queue.pending++;
	set_runnable(cell, line);
}

void queue_remove(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];
	uint32_t line = line_of(cell, task);
	struct line *l = &cell->queue.lines[line];

	if (t->previous == NONE)
		l->head = t->next;
	else
		cell->tasks[t->previous].next = t->next;
	if (t->next == NONE)
		l->tail = t->previous;
	else
		cell->tasks[t->next].previous = t->previous;
	t->next = t->previous = NONE;
	cell->queue.pending--;
	if (l->head == NONE)
		set_waiting(&cell->queue, line);
}

uint32_t queue_next(struct cell *cell)
{
	struct queue *q = &cell->queue;

	for (int w = PRIORITY_MAX / 64; w >= 0; w--) {
		uint32_t turn, best = NONE;
		int priority;

		if (!q->filled[w])
			continue;
		priority = w * 64 + 63 - __builtin_clzll(q->filled[w]);
		turn = q->level[priority];
		q->level[priority] = q->turns[turn].next;
		for (uint32_t l = q->turns[turn].lines; l != NONE; l = q->lines[l].next) {
			uint32_t head = q->lines[l].head;

			if (best == NONE || cell->tasks[head].sequence < cell->tasks[best].sequence)
				best = head;
		}
		return best;
	}
	return NONE;
}

/* ---- what nobody stands in any more ---- */

void queue_mark(const struct cell *cell, uint32_t class, uint32_t owner, uint8_t *used)
{
	uint32_t line = map_get(&cell->queue.line_of, key_of(class, owner));

	if (line != MAP_NONE)
		used[line] = 1;
}

static void free_line(struct cell *cell, uint32_t line)
{
	struct queue *q = &cell->queue;
	struct line *l = &q->lines[line];
	uint32_t *link = &cell->classes[l->class].lines;

	assert(l->head == NONE && !l->runnable);
	while (*link != line)
		link = &q->lines[*link].next_of_class;
	*link = l->next_of_class;
	map_remove(&q->line_of, key_of(l->class, q->turns[l->turn].owner));
	*l = (struct line){ .class = NONE,
			    .turn = NONE,
			    .head = NONE,
			    .tail = NONE,
			    .next_of_class = NONE,
			    .next = NONE,
			    .previous = NONE };
}

void queue_sweep(struct cell *cell, const uint8_t *used, uint8_t *turns)
{
	struct queue *q = &cell->queue;

	for (uint32_t l = 0; l < q->line_count; l++) {
		if (q->lines[l].class != NONE && !used[l])
			free_line(cell, l);
		if (q->lines[l].class != NONE)
			turns[q->lines[l].turn] = 1;
	}
	for (uint32_t t = 0; t < q->turn_count; t++) {
		if (turns[t] || !q->turns[t].owner)
			continue;
		map_remove(&q->turn_of, key_of(q->turns[t].priority, q->turns[t].owner));
		q->turns[t] = (struct turn){ .lines = NONE, .next = NONE, .previous = NONE };
	}
	q->line_hole = q->turn_hole = 0;
}
