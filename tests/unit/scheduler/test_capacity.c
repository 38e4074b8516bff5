/* SPDX-License-Identifier: Apache-2.0 */
/* Machines that change their size, and cells that are put together again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/capacity.h"
#include "scheduler/core/restore.h"
#include "tests/unit/scheduler/random_cell.h"

#define GIB ((int64_t)1 << 30)

struct world {
	struct outside outside;
	struct cell *cell;
	uint32_t machine;
};

static void build(struct world *w, int64_t cpu)
{
	struct machine_spec spec = { .name = "m0", .capacity = { { cpu, 8 * GIB, GIB, 10 } } };
	struct cell_options options = { 0 };
	struct err err = { 0 };

	*w = (struct world){ .outside = { .random = 7 } };
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &err), 0);
	assert_int_equal(cell_add_machine(w->cell, &spec, &w->machine, &err), 0);
}

static void settle(struct world *w)
{
	struct err err = { 0 };

	do
		while (cell_decide(w->cell) > 0)
			;
	while (cell_next_ms(w->cell) <= w->outside.now_ms);
	if (cell_check(w->cell, &err) < 0)
		fail_msg("%s", err.text);
}

static uint32_t submit(struct world *w, const char *name, unsigned priority, uint32_t count,
		       int64_t cpu, enum on_preemption how)
{
	struct job job = { .name = name,
			   .owner = "o",
			   .priority = priority,
			   .count = count,
			   .on_preemption = how,
			   .request = { .amounts = { { cpu, GIB } } } };
	struct err err = { 0 };
	uint32_t j;

	assert_int_equal(cell_submit(w->cell, &job, &j, &err), 0);
	return j;
}

static struct task_view view_of(struct world *w, uint32_t job, uint32_t index)
{
	struct task_view view;

	cell_task(w->cell, cell_job_task(w->cell, job, index), &view);
	return view;
}

static void set_cpu(struct world *w, int64_t cpu)
{
	struct amounts capacity = { { cpu, 8 * GIB, GIB, 10 } };
	struct err err = { 0 };

	assert_int_equal(cell_set_capacity(w->cell, w->machine, &capacity, &err), 0);
	settle(w);
}

static void a_machine_that_grows_takes_more(void **state)
{
	struct world w;
	uint32_t job;

	(void)state;
	build(&w, 1000);
	job = submit(&w, "j", 100, 2, 1000, PREEMPTION_KILL);
	settle(&w);
	assert_int_equal(view_of(&w, job, 1).state, TASK_PENDING);
	set_cpu(&w, 2000);
	assert_int_equal(view_of(&w, job, 1).state, TASK_RUNNING);
	cell_free(w.cell);
}

static void of_a_machine_that_shrinks_the_lowest_go(void **state)
{
	struct world w;
	uint32_t low, high;

	(void)state;
	build(&w, 3000);
	high = submit(&w, "high", 200, 1, 1000, PREEMPTION_KILL);
	low = submit(&w, "low", 100, 2, 1000, PREEMPTION_KILL);
	settle(&w);
	set_cpu(&w, 2000);
	assert_int_equal(view_of(&w, high, 0).state, TASK_RUNNING);
	assert_int_equal(view_of(&w, low, 0).state + view_of(&w, low, 1).state,
			 TASK_RUNNING + TASK_PENDING);
	set_cpu(&w, 500);
	assert_int_equal(view_of(&w, high, 0).state, TASK_PENDING);
	set_cpu(&w, 3000);
	assert_int_equal(view_of(&w, low, 0).state + view_of(&w, low, 1).state, 2 * TASK_RUNNING);
	cell_free(w.cell);
}

static void what_was_paused_is_restored_paused(void **state)
{
	struct world w;
	uint32_t low, high;

	(void)state;
	build(&w, 1000);
	high = submit(&w, "high", 200, 1, 1000, PREEMPTION_KILL);
	low = submit(&w, "low", 100, 1, 1000, PREEMPTION_PAUSE);
	assert_int_equal(cell_restore_task(w.cell, cell_job_task(w.cell, high, 0), w.machine, NULL,
					   0, false),
			 0);
	assert_int_equal(
		cell_restore_task(w.cell, cell_job_task(w.cell, low, 0), w.machine, NULL, 0, true),
		0);
	settle(&w);
	assert_true(view_of(&w, low, 0).paused);
	cell_remove_job(w.cell, high);
	settle(&w);
	assert_int_equal(view_of(&w, low, 0).state, TASK_RUNNING);
	assert_false(view_of(&w, low, 0).paused);
	cell_free(w.cell);
}

static void what_ran_on_what_was_lent_is_restored(void **state)
{
	struct world w;
	uint32_t low;

	(void)state;
	build(&w, 1500);
	low = submit(&w, "low", 100, 2, 1000, PREEMPTION_KILL);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(cell_restore_task(w.cell, cell_job_task(w.cell, low, i), w.machine,
						   NULL, 0, false),
				 0);
	settle(&w);
	/* Production is promised what it asks for. */
	low = submit(&w, "high", 200, 1, 1000, PREEMPTION_KILL);
	assert_int_equal(
		cell_restore_task(w.cell, cell_job_task(w.cell, low, 0), w.machine, NULL, 0, false),
		-EAGAIN);
	cell_free(w.cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_that_grows_takes_more),
		cmocka_unit_test(of_a_machine_that_shrinks_the_lowest_go),
		cmocka_unit_test(what_was_paused_is_restored_paused),
		cmocka_unit_test(what_ran_on_what_was_lent_is_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
