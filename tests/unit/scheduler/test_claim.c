/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nobody starves: behind a steady stream of small tasks of its own priority, which leaves no
 * machine empty by itself, a large task, or a gang of them, starts within a bounded time. Hundreds
 * of random cells; the same cells without claims show that the stream would keep it out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/checkpoint.h"
#include "scheduler/core/why.h"
#include "tests/unit/scheduler/random_cell.h"

#define CELLS 400
#define PATIENCE_MS 60000
#define LARGE_MAX 3
#define STREAM_MAX 4096 /* tasks of the stream at one time */

struct running {
	uint32_t task, job;
	int64_t end_ms;
};

struct world {
	struct draw draw;
	struct outside outside;
	struct cell *cell;
	unsigned machines, jobs, waiting; /* of the stream */
	unsigned priority;
	int64_t longest_ms; /* run of a task of the stream */
	struct running running[STREAM_MAX];
	size_t running_count;
	uint32_t large[LARGE_MAX]; /* jobs */
	unsigned larges;
	uint64_t digest;
	unsigned claims;
	bool reloads;
};

static void on_event(void *data, const struct event *event)
{
	struct world *w = data;
	char text[EVENT_TEXT_SIZE];

	w->digest = hash_bytes(text, (size_t)event_format(event, text), w->digest);
	w->claims += event->kind == EVENT_CLAIM;
	for (unsigned i = 0; i < w->larges; i++)
		if (event->job == w->large[i])
			return;
	if (event->kind == EVENT_PREEMPT)
		fail_msg("a claim pushes nobody out");
	if (event->kind != EVENT_PLACE)
		return;
	assert_true(w->running_count < STREAM_MAX);
	w->waiting--;
	w->running[w->running_count++] =
		(struct running){ event->task, event->job,
				  w->outside.now_ms +
					  draw_from(&w->draw, w->longest_ms / 10, w->longest_ms) };
}

static void build(struct world *w, uint64_t seed, int64_t patience_ms)
{
	struct cell_options options = { .patience_ms = patience_ms,
					.policy = (enum policy)(seed % POLICY_COUNT) };
	struct err err = { 0 };
	char name[16];

	memset(w, 0, sizeof(*w));
	w->draw.state = seed;
	w->outside = (struct outside){ .random = seed, .event = on_event, .data = w };
	w->machines = (unsigned)draw_from(&w->draw, 1, 6);
	w->priority = (unsigned)draw_from(&w->draw, 0, PRIORITY_MAX);
	w->longest_ms = draw_from(&w->draw, 5, 300) * 1000;
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &err), 0);
	for (unsigned m = 0; m < w->machines; m++) {
		struct machine_spec spec = { .name = name,
					     .rack = m % 2 ? "odd" : "even",
					     .capacity = { { 8000, 16384 * MIB } } };

		snprintf(name, sizeof(name), "m%u", m);
		assert_int_equal(cell_add_machine(w->cell, &spec, NULL, &err), 0);
	}
}

/* Always more small tasks than there is room for. */
static void keep_the_stream_up(struct world *w)
{
	struct err err = { 0 };
	char name[24], owner[16];

	while (w->waiting < 12 * w->machines) {
		struct job job = { .name = name, .owner = owner, .priority = w->priority };

		snprintf(name, sizeof(name), "s%u", w->jobs++);
		snprintf(owner, sizeof(owner), "o%d", (int)draw_from(&w->draw, 0, 3));
		job.count = (uint32_t)draw_from(&w->draw, 1, 4);
		job.request.amounts.of[RESOURCE_CPU] = draw_from(&w->draw, 5, 15) * 100;
		job.request.amounts.of[RESOURCE_MEMORY] = draw_from(&w->draw, 1, 10) * 256 * MIB;
		w->waiting += job.count;
		assert_int_equal(cell_submit(w->cell, &job, NULL, &err), 0);
	}
}

static void end_what_is_due(struct world *w)
{
	for (size_t i = w->running_count; i-- > 0;)
		if (w->running[i].end_ms <= w->outside.now_ms) {
			cell_end_task(w->cell, w->running[i].task, END_FINISHED);
			w->running[i] = w->running[--w->running_count];
		}
}

static void add_large(struct world *w, unsigned i)
{
	struct err err = { 0 };
	struct job job = { .name = i == 0   ? "large0"
				   : i == 1 ? "large1"
					    : "large2",
			   .owner = "big",
			   .priority = w->priority,
			   .count = 1 };

	job.request.amounts.of[RESOURCE_CPU] = draw_from(&w->draw, 60, 80) * 100;
	job.request.amounts.of[RESOURCE_MEMORY] = draw_from(&w->draw, 1, 16384) * MIB;
	if (draw(&w->draw) % 2 && w->machines > 1) {
		job.gang = true;
		job.count = (uint32_t)draw_from(&w->draw, 2, w->machines);
		if (draw(&w->draw) % 2)
			job.spread.kind = SPREAD_APART;
	}
	assert_int_equal(cell_submit(w->cell, &job, &w->large[w->larges], &err), 0);
	w->larges++;
}

static unsigned count_waiting(struct world *w)
{
	unsigned waiting = 0;

	for (unsigned i = 0; i < w->larges; i++) {
		struct task_view view;

		cell_task(w->cell, cell_job_task(w->cell, w->large[i], 0), &view);
		waiting += view.state == TASK_PENDING;
		/* It runs as long as the others, so that the next may have its turn. */
		if (view.state == TASK_RUNNING &&
		    w->outside.now_ms - view.since_ms >= w->longest_ms)
			for (uint32_t t = 0, task;
			     (task = cell_job_task(w->cell, w->large[i], t)) != NOBODY; t++)
				cell_end_task(w->cell, task, END_KILLED);
	}
	return waiting;
}

static void reload(struct world *w)
{
	uint8_t *bytes;
	size_t len;
	struct err err = { 0 };

	assert_int_equal(cell_save(w->cell, &bytes, &len, &err), 0);
	cell_free(w->cell);
	assert_int_equal(cell_load(bytes, len, &w->outside, &w->cell, &err), 0);
	free(bytes);
}

/* Lives until all that is large has started, or for so long. Returns how many have not. */
static unsigned live(struct world *w, int64_t most_ms, uint64_t seed)
{
	struct err err = { 0 };
	unsigned larges = (unsigned)draw_from(&w->draw, 1, LARGE_MAX), waiting;

	for (unsigned steps = 0;; steps++) {
		w->outside.now_ms += 1000;
		end_what_is_due(w);
		keep_the_stream_up(w);
		while (steps > 20 && w->larges < larges)
			add_large(w, w->larges);
		while (cell_decide(w->cell) > 0)
			;
		waiting = count_waiting(w);
		if (w->larges == larges && (!waiting || w->outside.now_ms > most_ms))
			return waiting;
		if (w->reloads && steps % 50 == 0)
			reload(w);
		if (steps % 20 == 0 && cell_check(w->cell, &err) < 0)
			fail_msg("seed %lu: %s", (unsigned long)seed, err.text);
	}
}

static int64_t bound_ms(const struct world *w)
{
	int64_t longest = w->longest_ms > PATIENCE_MS ? w->longest_ms : PATIENCE_MS;

	/* One after the other, each after its patience and four times the longest run. */
	return LARGE_MAX * (PATIENCE_MS + 4 * longest + w->longest_ms) + 21000;
}

static void large_ones_start_within_a_bounded_time(void **state)
{
	unsigned starved = 0, kept_out = 0;
	int64_t worst_ms = 0;
	struct world w;

	(void)state;
	for (uint64_t seed = 1; seed <= CELLS; seed++) {
		build(&w, seed, PATIENCE_MS);
		starved += live(&w, bound_ms(&w), seed) > 0;
		worst_ms = w.outside.now_ms > worst_ms ? w.outside.now_ms : worst_ms;
		cell_free(w.cell);
	}
	for (uint64_t seed = 1; seed <= CELLS / 8; seed++) {
		build(&w, seed, -1);
		kept_out += live(&w, bound_ms(&w), seed) > 0;
		assert_int_equal(w.claims, 0);
		cell_free(w.cell);
	}
	print_message("%d cells: in %u something starves, at worst %ld s; without claims in %u of "
		      "%d\n",
		      CELLS, starved, (long)(worst_ms / 1000), kept_out, CELLS / 8);
	assert_int_equal(starved, 0);
	assert_true(kept_out > CELLS / 8 / 2);
}

static void a_checkpoint_keeps_claims(void **state)
{
	struct world one, two;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		build(&one, seed, PATIENCE_MS);
		live(&one, bound_ms(&one), seed);
		build(&two, seed, PATIENCE_MS);
		two.reloads = true;
		live(&two, bound_ms(&two), seed);
		assert_true(one.claims > 0 && one.digest == two.digest);
		cell_free(one.cell);
		cell_free(two.cell);
	}
}

/* Who is turned away, and who it is for, is told. */
static void a_claim_is_told(void **state)
{
	struct err err = { 0 };
	char text[WHY_TEXT_SIZE];
	struct world w;
	struct job job = { .name = "large", .owner = "big", .count = 1 };
	struct job small = { .name = "first", .owner = "o", .count = 1 };
	uint32_t large, late;
	struct why why;

	(void)state;
	build(&w, 8, PATIENCE_MS);
	while (w.machines > 1)
		cell_set_machine(w.cell, --w.machines, MACHINE_DOWN);
	job.priority = small.priority = w.priority;
	job.request.amounts.of[RESOURCE_CPU] = 8000;
	small.request.amounts.of[RESOURCE_CPU] = 100;
	w.waiting = 1;
	assert_int_equal(cell_submit(w.cell, &small, NULL, &err), 0);
	while (cell_decide(w.cell) > 0)
		;
	assert_int_equal(cell_submit(w.cell, &job, &large, &err), 0);
	w.large[w.larges++] = large;
	while (cell_decide(w.cell) > 0)
		;
	assert_int_equal(w.claims, 0);
	w.outside.now_ms += PATIENCE_MS;
	while (cell_decide(w.cell) > 0)
		;
	assert_int_equal(w.claims, 1);
	assert_int_equal(cell_why(w.cell, cell_job_task(w.cell, large, 0), &why, &err), 0);
	assert_int_equal(why.kept, 1);
	why_format(w.cell, cell_job_task(w.cell, large, 0), &why, text);
	assert_non_null(strstr(text, "1 kept for it, as it has waited so long"));
	w.waiting = 1;
	small.name = "late";
	assert_int_equal(cell_submit(w.cell, &small, &late, &err), 0);
	while (cell_decide(w.cell) > 0)
		;
	assert_int_equal(cell_why(w.cell, cell_job_task(w.cell, late, 0), &why, &err), 0);
	assert_int_equal(why.by_reason[FIT_CLAIMED], 1);
	/* When the large one goes, so does its claim. */
	cell_remove_job(w.cell, large);
	while (cell_decide(w.cell) > 0)
		;
	assert_int_equal(w.waiting, 0);
	assert_int_equal(cell_check(w.cell, &err), 0);
	assert_int_equal(w.claims, 1);
	cell_free(w.cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_ones_start_within_a_bounded_time),
		cmocka_unit_test(a_checkpoint_keeps_claims),
		cmocka_unit_test(a_claim_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
