/* SPDX-License-Identifier: Apache-2.0 */
/* Resize: in place, by preemption, by a move, of all or of none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/resize.h"

#define GIB ((int64_t)1 << 30)

struct world {
	struct outside outside;
	struct cell *cell;
	struct err err;
};

static void build(struct world *w, int machines, bool quota)
{
	struct cell_options options = { .policy = POLICY_WORST_FIT, .quota = quota };
	char name[16];
	struct machine_spec spec = { .name = name, .capacity = { { 4000, 8 * GIB, GIB, 100 } } };

	memset(w, 0, sizeof(*w));
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &w->err), 0);
	for (int i = 0; i < machines; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		assert_int_equal(cell_add_machine(w->cell, &spec, NULL, &w->err), 0);
	}
}

static struct request ask(int64_t cpu)
{
	return (struct request){ .amounts = { { cpu, GIB / 4 } } };
}

static uint32_t submit(struct world *w, const char *name, unsigned priority, uint32_t count,
		       int64_t cpu)
{
	struct job job = { .name = name,
			   .owner = "o",
			   .priority = priority,
			   .count = count,
			   .request = ask(cpu) };
	uint32_t j;

	assert_int_equal(cell_submit(w->cell, &job, &j, &w->err), 0);
	while (cell_decide(w->cell) > 0)
		;
	return j;
}

static int resize(struct world *w, uint32_t job, uint32_t index, int64_t cpu)
{
	struct request request = ask(cpu);
	int r = cell_resize(w->cell, job, index, &request, &w->err);

	assert_int_equal(cell_check(w->cell, NULL), 0);
	return r;
}

static struct task_view view_of(const struct world *w, uint32_t job, uint32_t index)
{
	struct task_view view;

	cell_task(w->cell, cell_job_task(w->cell, job, index), &view);
	return view;
}

static void grows_and_shrinks_in_place(void **state)
{
	struct cell_totals totals;
	struct world w;
	uint32_t a;

	(void)state;
	build(&w, 1, false);
	a = submit(&w, "a", 200, 2, 1000);
	assert_int_equal(resize(&w, a, NOBODY, 2000), 0);
	cell_totals(w.cell, &totals);
	assert_int_equal(totals.used.of[RESOURCE_CPU], 4000);
	assert_int_equal(resize(&w, a, 1, 500), 0);
	cell_totals(w.cell, &totals);
	assert_int_equal(totals.used.of[RESOURCE_CPU], 2500);
	assert_int_equal(totals.running, 2);
	assert_int_equal(resize(&w, a, 7, 500), -ENOENT);
	assert_int_equal(resize(&w, a, 1, -1), -ERANGE);
	cell_free(w.cell);
}

static void lower_ones_go_and_no_more_than_needed(void **state)
{
	struct request request = ask(3000);
	struct resize_plan *plan;
	struct world w;
	uint32_t a, low;

	(void)state;
	build(&w, 1, false);
	a = submit(&w, "a", 200, 1, 1000);
	low = submit(&w, "low", 100, 3, 1000);
	assert_int_equal(cell_resize_plan(w.cell, a, NOBODY, &request, &plan, &w.err), 0);
	assert_int_equal(plan->count, 1);
	assert_int_equal(plan->steps[0].how, RESIZE_PREEMPT);
	assert_int_equal(plan->victim_count, 2);
	resize_plan_free(plan);
	assert_int_equal(view_of(&w, low, 0).state + view_of(&w, low, 1).state +
				 view_of(&w, low, 2).state,
			 3 * TASK_RUNNING);
	assert_int_equal(resize(&w, a, NOBODY, 3000), 0);
	assert_int_equal(view_of(&w, low, 0).state + view_of(&w, low, 1).state +
				 view_of(&w, low, 2).state,
			 TASK_RUNNING);
	cell_free(w.cell);
}

static void all_or_none(void **state)
{
	struct world w;
	uint32_t a, other, was;

	(void)state;
	build(&w, 2, false);
	a = submit(&w, "a", 200, 2, 2000);
	other = submit(&w, "other", 200, 1, 2000);
	was = view_of(&w, a, 0).machine;
	/* One of the two has nowhere to grow. */
	assert_int_equal(resize(&w, a, NOBODY, 3000), -ENOSPC);
	assert_true(strlen(w.err.text) > 10);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(view_of(&w, a, i).request->amounts.of[RESOURCE_CPU], 2000);
	assert_int_equal(view_of(&w, a, 0).machine, was);
	cell_remove_job(w.cell, other);
	assert_int_equal(resize(&w, a, NOBODY, 3000), 0);
	cell_free(w.cell);
}

static void moves_where_it_cannot_stay(void **state)
{
	struct world w;
	uint32_t a, b, was;

	(void)state;
	build(&w, 1, false);
	a = submit(&w, "a", 200, 1, 2000);
	b = submit(&w, "b", 200, 1, 2000);
	was = view_of(&w, a, 0).machine;
	assert_int_equal(cell_add_machine(w.cell,
					  &(struct machine_spec){
						  .name = "new",
						  .capacity = { { 4000, 8 * GIB, GIB, 100 } } },
					  NULL, &w.err),
			 0);
	assert_int_equal(resize(&w, a, NOBODY, 3000), 0);
	assert_int_equal(view_of(&w, a, 0).state, TASK_RUNNING);
	assert_int_not_equal(view_of(&w, a, 0).machine, was);
	assert_int_equal(view_of(&w, b, 0).machine, was);
	cell_free(w.cell);
}

static void growth_is_charged(void **state)
{
	const struct amounts limit = { { 3000, 4 * GIB, 0, 0 } };
	struct world w;
	uint32_t a;

	(void)state;
	build(&w, 1, true);
	assert_int_equal(cell_set_quota(w.cell, "o", BAND_PRODUCTION, &limit, &w.err), 0);
	a = submit(&w, "a", 200, 1, 2000);
	assert_int_equal(resize(&w, a, NOBODY, 3500), -EDQUOT);
	assert_int_equal(resize(&w, a, NOBODY, 3000), 0);
	assert_int_equal(resize(&w, a, NOBODY, 1000), 0);
	submit(&w, "b", 200, 1, 2000);
	cell_free(w.cell);
}

static void an_alloc_grows_moves_and_is_not_cut(void **state)
{
	struct job set = { .name = "set", .owner = "o", .priority = 200, .count = 1 };
	struct job in = { .name = "in", .owner = "o", .priority = 200, .count = 3 };
	struct request more = ask(3000);
	struct world w;
	uint32_t s, t, was;

	(void)state;
	build(&w, 1, false);
	set.reserves = true;
	set.request = more;
	set.request.amounts = (struct amounts){ { 1000, 2 * GIB } };
	in.alloc_set = "set";
	in.request = ask(500);
	assert_int_equal(cell_submit(w.cell, &set, &s, &w.err), 0);
	assert_int_equal(cell_submit(w.cell, &in, &t, &w.err), 0);
	while (cell_decide(w.cell) > 0)
		;
	assert_int_equal(view_of(&w, t, 2).state, TASK_PENDING);
	more.amounts = (struct amounts){ { 2000, 2 * GIB } };
	assert_int_equal(cell_resize(w.cell, s, NOBODY, &more, &w.err), 0);
	while (cell_decide(w.cell) > 0)
		;
	assert_int_equal(view_of(&w, t, 2).state, TASK_RUNNING);
	assert_int_equal(resize(&w, s, NOBODY, 1400), -ENOSPC);
	/* No room on this machine: it moves to the new one, and its tasks with it. */
	was = view_of(&w, s, 0).machine;
	submit(&w, "fill", 200, 1, 2000);
	assert_int_equal(cell_add_machine(w.cell,
					  &(struct machine_spec){
						  .name = "new",
						  .capacity = { { 4000, 8 * GIB, GIB, 100 } } },
					  NULL, &w.err),
			 0);
	more.amounts.of[RESOURCE_CPU] = 2500;
	assert_int_equal(cell_resize(w.cell, s, NOBODY, &more, &w.err), 0);
	assert_int_not_equal(view_of(&w, s, 0).machine, was);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(view_of(&w, t, i).state, TASK_RUNNING);
	assert_int_equal(cell_check(w.cell, &w.err), 0);
	cell_free(w.cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_shrinks_in_place),
		cmocka_unit_test(lower_ones_go_and_no_more_than_needed),
		cmocka_unit_test(all_or_none),
		cmocka_unit_test(moves_where_it_cannot_stay),
		cmocka_unit_test(growth_is_charged),
		cmocka_unit_test(an_alloc_grows_moves_and_is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
