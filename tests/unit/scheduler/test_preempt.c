/* SPDX-License-Identifier: Apache-2.0 */
/* Preemption against brute force: the lowest band, and in it at most 1.1 times the least lost work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/preempt.h"
#include "tests/unit/scheduler/random_cell.h"

#define CELLS 1500
#define JOBS 40
#define TASKS 64

struct world {
	struct draw draw;
	struct outside outside;
	struct cell *cell;
	uint32_t machines;
	struct request wants;
	unsigned priority;
	uint32_t tasks[TASKS]; /* what ran before */
	struct task_view views[TASKS];
	size_t task_count;
	bool watching;
	double lost; /* by preemptions seen */
	int band;
};

static double lost_work(const struct world *w, const struct task_view *view)
{
	return (double)view->request->amounts.of[RESOURCE_CPU] *
	       (double)(w->outside.now_ms - view->since_ms + 2);
}

static void on_event(void *data, const struct event *event)
{
	struct world *w = data;
	struct task_view view;

	if (!w->watching || event->kind != EVENT_PREEMPT)
		return;
	cell_task(w->cell, event->task, &view);
	w->lost += lost_work(w, &view);
	if ((int)band_of(view.priority) > w->band)
		w->band = (int)band_of(view.priority);
}

static void build(struct world *w, uint64_t seed)
{
	struct cell_options options = { 0 };
	struct random_job job;
	struct err err = { 0 };
	uint32_t j;

	memset(w, 0, sizeof(*w));
	w->band = -1;
	w->draw.state = seed;
	w->outside = (struct outside){ .random = seed, .event = on_event, .data = w };
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &err), 0);
	w->machines = (uint32_t)draw_from(&w->draw, 1, 4);
	for (unsigned i = 0; i < w->machines; i++)
		assert_int_equal(add_random_machine(&w->draw, w->cell, i, &err), 0);
	for (unsigned i = 0; i < JOBS && w->task_count < TASKS; i++) {
		draw_job(&w->draw, i, &job);
		job.job.count = 1;
		job.job.gang = false;
		job.job.constraint_count = 0;
		job.job.spread.kind = SPREAD_NONE;
		job.job.request.device_count = 0;
		job.job.request.device_milli = 0;
		job.job.disruption_budget = 0;
		job.job.host_port_count = 0;
		job.job.affinity.kind = SPREAD_NONE;
		job.job.on_preemption = PREEMPTION_KILL;
		job.job.latency_sensitive = false;
		job.job.request.amounts.of[RESOURCE_CPU] /= 4;
		w->outside.now_ms += draw_from(&w->draw, 0, 5000);
		assert_int_equal(cell_submit(w->cell, &job.job, &j, &err), 0);
		while (cell_decide(w->cell) > 0)
			;
		w->tasks[w->task_count++] = cell_job_task(w->cell, j, 0);
	}
	/* Passes until nobody has to wait for the next one. */
	do
		while (cell_decide(w->cell) > 0)
			;
	while (cell_next_ms(w->cell) <= w->outside.now_ms);
	w->wants = job.job.request;
	w->wants.amounts.of[RESOURCE_CPU] = draw_from(&w->draw, 10, 80) * 100;
	w->priority = draw(&w->draw) % 2 ? 200 : 400;
	for (size_t i = 0; i < w->task_count; i++)
		cell_task(w->cell, w->tasks[i], &w->views[i]);
}

/* The least lost work on one machine with victims of at most that band; -1: no way. */
static double best_on(const struct world *w, uint32_t machine, int band)
{
	struct machine_view m;
	size_t who[TASKS], count = 0;
	double best = -1;

	cell_machine(w->cell, machine, &m);
	for (size_t i = 0; i < w->task_count; i++)
		if (w->views[i].state == TASK_RUNNING && w->views[i].machine == machine &&
		    preempt_allowed(w->priority, w->views[i].priority) &&
		    (int)band_of(w->views[i].priority) <= band)
			who[count++] = i;
	if (count > 18)
		return -2; /* too many to try */
	for (uint32_t set = 0; set < 1u << count; set++) {
		struct amounts room = m.free;
		double lost = 0;

		for (size_t i = 0; i < count; i++)
			if (set & 1u << i) {
				amounts_add(&room, &w->views[who[i]].request->amounts);
				lost += lost_work(w, &w->views[who[i]]);
			}
		if (amounts_fit(&w->wants.amounts, &room) && (best < 0 || lost < best))
			best = lost;
	}
	return best;
}

/* The lowest band with a way, and its cost; band -1: there is none. False: not tried. */
static bool brute_force(const struct world *w, int *ret_band, double *ret_lost)
{
	for (*ret_band = 0; *ret_band < BAND_COUNT; ++*ret_band) {
		*ret_lost = -1;
		for (uint32_t m = 0; m < w->machines; m++) {
			double lost = best_on(w, m, *ret_band);

			if (lost < -1)
				return false;
			if (lost >= 0 && (*ret_lost < 0 || lost < *ret_lost))
				*ret_lost = lost;
		}
		if (*ret_lost >= 0)
			return true;
	}
	*ret_band = -1;
	return true;
}

static unsigned compared, preempting;

static void compare_one(uint64_t seed)
{
	struct world w;
	struct job job = { .name = "last", .owner = "o", .count = 1 };
	struct err err = { 0 };
	struct task_view view;
	uint32_t j;
	double lost;
	int band;

	build(&w, seed);
	if (brute_force(&w, &band, &lost)) {
		job.request = w.wants;
		job.priority = w.priority;
		assert_int_equal(cell_submit(w.cell, &job, &j, &err), 0);
		w.watching = true;
		do
			cell_task(w.cell, cell_job_task(w.cell, j, 0), &view);
		while (view.state != TASK_RUNNING && cell_decide(w.cell) > 0);
		compared++;
		assert_int_equal(view.state == TASK_RUNNING, band >= 0);
		if (band >= 0 && lost > 0) {
			preempting++;
			assert_int_equal(w.band, band);
			if (w.lost > 1.1 * lost)
				fail_msg("seed %lu: lost %.0f, %.0f would have done",
					 (unsigned long)seed, w.lost, lost);
		} else {
			assert_int_equal(w.band, -1);
		}
	}
	cell_free(w.cell);
}

static void loses_little_more_than_the_least(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= CELLS; seed++)
		compare_one(seed);
	assert_true(compared > CELLS / 2 && preempting > 50);
}

/* A machine full of crumbs makes room as one with a few loaves does. */
static void any_number_of_small_ones_makes_way(void **state)
{
	struct cell_options options = { 0 };
	struct outside outside = { .random = 1 };
	struct machine_spec machine = { .name = "m", .capacity = { { 32000, 1024 * MIB } } };
	struct job small = { .name = "small", .owner = "o", .priority = 100, .count = 320 };
	struct job large = { .name = "large", .owner = "o", .priority = 200, .count = 1 };
	struct cell_totals totals;
	struct cell *cell;
	struct err err = { 0 };

	(void)state;
	small.request.amounts.of[RESOURCE_CPU] = 100;
	large.request.amounts.of[RESOURCE_CPU] = 31000;
	assert_int_equal(cell_new(&options, &outside, &cell, &err), 0);
	assert_int_equal(cell_add_machine(cell, &machine, NULL, &err), 0);
	assert_int_equal(cell_submit(cell, &small, NULL, &err), 0);
	while (cell_decide(cell) > 0)
		;
	assert_int_equal(cell_submit(cell, &large, NULL, &err), 0);
	while (cell_decide(cell) > 0)
		;
	cell_totals(cell, &totals);
	assert_int_equal(totals.preempted, 310);
	assert_int_equal(totals.running, 11);
	assert_int_equal(cell_check(cell, &err), 0);
	cell_free(cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loses_little_more_than_the_least),
		cmocka_unit_test(any_number_of_small_ones_makes_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
