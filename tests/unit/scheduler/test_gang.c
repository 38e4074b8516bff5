/* SPDX-License-Identifier: Apache-2.0 */
/* Gangs that preempt, against brute force on small cells: whether there is a way, and its cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/preempt.h"
#include "tests/unit/scheduler/random_cell.h"

#define CELLS 3000
#define MACHINES 2
#define TASKS 9
#define GANG 3

struct world {
	struct draw draw;
	struct outside outside;
	struct cell *cell;
	uint32_t tasks[TASKS];
	size_t task_count;
	bool watching;
	double lost;
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
}

static struct job draw_plain(struct draw *d, const char *name, unsigned priority, int64_t most)
{
	return (struct job){ .name = name,
			     .owner = "o",
			     .priority = priority,
			     .count = 1,
			     .request = { .amounts = { { draw_from(d, 2, most) * 500,
							 draw_from(d, 1, most) * 512 * MIB } } } };
}

static void build(struct world *w, uint64_t seed)
{
	struct cell_options options = { 0 };
	struct err err = { 0 };
	char name[16];
	uint32_t j;

	memset(w, 0, sizeof(*w));
	w->draw.state = seed;
	w->outside = (struct outside){ .random = seed, .event = on_event, .data = w };
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &err), 0);
	for (int m = 0; m < MACHINES; m++) {
		struct machine_spec spec = { .name = name,
					     .capacity = { { draw_from(&w->draw, 8, 16) * 1000,
							     draw_from(&w->draw, 8, 16) * 1024 *
								     MIB } } };

		snprintf(name, sizeof(name), "m%d", m);
		assert_int_equal(cell_add_machine(w->cell, &spec, NULL, &err), 0);
	}
	for (unsigned i = 0; i < TASKS; i++) {
		struct job job;

		snprintf(name, sizeof(name), "j%u", i);
		job = draw_plain(&w->draw, name, 110, 9);
		w->outside.now_ms += draw_from(&w->draw, 1, 5000);
		assert_int_equal(cell_submit(w->cell, &job, &j, &err), 0);
		while (cell_decide(w->cell) > 0)
			;
		w->tasks[w->task_count++] = cell_job_task(w->cell, j, 0);
	}
}

/* All three fit into what would be free, on one machine or the other. */
static bool seats(const struct amounts *room, const struct amounts *const *wants)
{
	for (unsigned where = 0; where < 1u << GANG; where++) {
		struct amounts left[MACHINES] = { room[0], room[1] };
		bool fit = true;

		for (unsigned i = 0; i < GANG && fit; i++) {
			struct amounts *on = &left[where >> i & 1u];

			fit = amounts_fit(wants[i], on);
			amounts_subtract(on, wants[i]);
		}
		if (fit)
			return true;
	}
	return false;
}

/* The least lost work; -1: no way. */
static double brute_force(struct world *w, const struct amounts *const *wants)
{
	double best = -1;

	for (uint32_t set = 0; set < 1u << w->task_count; set++) {
		struct amounts room[MACHINES];
		struct machine_view machine;
		double lost = 0;
		bool may = true;

		for (uint32_t m = 0; m < MACHINES; m++) {
			cell_machine(w->cell, m, &machine);
			room[m] = machine.free;
		}
		for (size_t i = 0; may && i < w->task_count; i++) {
			struct task_view view;

			if (!(set & 1u << i))
				continue;
			cell_task(w->cell, w->tasks[i], &view);
			may = view.state == TASK_RUNNING;
			if (!may)
				continue;
			amounts_add(&room[view.machine], &view.request->amounts);
			lost += lost_work(w, &view);
		}
		if (may && (best < 0 || lost < best) && seats(room, wants))
			best = lost;
	}
	return best;
}

static unsigned compared, preempting, dearer;
static double lost_all, least_all;

static void compare_one(uint64_t seed)
{
	struct world w;
	struct err err = { 0 };
	struct task_view view;
	struct job gang, other;
	struct task_override override = { .index = GANG - 1 };
	const struct amounts *wants[GANG];
	double least;
	uint32_t j;

	build(&w, seed);
	gang = draw_plain(&w.draw, "gang", 200, 12);
	gang.count = GANG;
	gang.gang = true;
	for (int i = 0; i < GANG; i++)
		wants[i] = &gang.request.amounts;
	/* In every other cell the last of it asks for something else. */
	if (seed % 2) {
		other = draw_plain(&w.draw, "other", 200, 12);
		override.request = other.request;
		gang.overrides = &override;
		gang.override_count = 1;
		wants[GANG - 1] = &override.request.amounts;
	}
	least = brute_force(&w, wants);
	assert_int_equal(cell_submit(w.cell, &gang, &j, &err), 0);
	w.watching = true;
	assert_int_equal(cell_decide(w.cell), 1);
	assert_int_equal(cell_check(w.cell, &err), 0);
	compared++;
	for (uint32_t i = 0; i < GANG; i++) {
		cell_task(w.cell, cell_job_task(w.cell, j, i), &view);
		if ((view.state == TASK_RUNNING) != (least >= 0))
			fail_msg("seed %lu: there is %s way", (unsigned long)seed,
				 least >= 0 ? "a" : "no");
	}
	if (least > 0) {
		preempting++;
		dearer += w.lost > 1.1 * least;
		lost_all += w.lost;
		least_all += least;
	} else {
		assert_true(w.lost == 0);
	}
	cell_free(w.cell);
}

static void a_gang_starts_where_it_can_and_loses_little(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= CELLS; seed++)
		compare_one(seed);
	print_message("%u cells, %u preempt, %u lose more than 1.1 times the least; in all %.3f "
		      "times\n",
		      compared, preempting, dearer, lost_all / least_all);
	assert_true(preempting > CELLS / 4);
	assert_int_equal(dearer, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gang_starts_where_it_can_and_loses_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
