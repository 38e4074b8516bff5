/* SPDX-License-Identifier: Apache-2.0 */
/* Admission, quota, gangs, turns between owners: small cells by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/reclaim.h"

#define GIB ((int64_t)1 << 30)

struct world {
	struct outside outside;
	struct cell *cell;
	struct err err;
};

static void build(struct world *w, bool quota, int machines)
{
	struct cell_options options = { .quota = quota };
	char name[16];
	struct machine_spec spec = { .name = name, .capacity = { { 4000, 8 * GIB, GIB, 100 } } };

	memset(w, 0, sizeof(*w));
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &w->err), 0);
	for (int i = 0; i < machines; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		assert_int_equal(cell_add_machine(w->cell, &spec, NULL, &w->err), 0);
	}
}

static struct job make(const char *name, const char *owner, unsigned priority, uint32_t count,
		       int64_t cpu)
{
	return (struct job){ .name = name,
			     .owner = owner,
			     .priority = priority,
			     .count = count,
			     .request = { .amounts = { { cpu, GIB } } } };
}

static void decide_all(struct world *w)
{
	while (cell_decide(w->cell) > 0)
		;
	assert_int_equal(cell_check(w->cell, &w->err), 0);
}

static uint32_t running(const struct world *w, uint32_t job, uint32_t count)
{
	struct task_view view;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < count; i++) {
		cell_task(w->cell, cell_job_task(w->cell, job, i), &view);
		sum += view.state == TASK_RUNNING;
	}
	return sum;
}

static void bad_jobs_are_refused_with_a_sentence(void **state)
{
	struct job jobs[] = {
		make("", "o", 200, 1, 1),	   make("n", "o", 451, 1, 1),
		make("n", "o", 200, 0, 1),	   make("n", "o", 200, 1, -1),
		make("n", "o", 200, 1, INT64_MAX), make("twice", "o", 200, 1, 1),
	};
	struct job twice = make("twice", "o", 200, 1, 1);
	struct world w;

	(void)state;
	build(&w, false, 1);
	assert_int_equal(cell_submit(w.cell, &twice, NULL, &w.err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		err_clear(&w.err);
		assert_true(cell_submit(w.cell, &jobs[i], NULL, &w.err) < 0);
		assert_true(strlen(w.err.text) > 10);
	}
	decide_all(&w);
	cell_free(w.cell);
}

static void quota_holds_at_admission_and_is_given_back(void **state)
{
	const struct amounts limit = { { 3000, 8 * GIB, 0, 0 } }, much = { { 9000, GIB, 0, 0 } };
	struct job a = make("a", "ann", 200, 2, 1000), b = make("b", "ann", 200, 2, 1000);
	struct job free_job = make("c", "ann", 0, 9, 1000), nobody = make("d", "bob", 100, 1, 1);
	struct world w;
	uint32_t job;

	(void)state;
	build(&w, true, 2);
	/* Two machines have 8000 millicores. */
	assert_int_equal(cell_set_quota(w.cell, "ann", BAND_PRODUCTION, &much, &w.err), -ENOSPC);
	assert_int_equal(cell_set_quota(w.cell, "ann", BAND_PRODUCTION, &limit, &w.err), 0);
	assert_int_equal(cell_submit(w.cell, &a, &job, &w.err), 0);
	assert_int_equal(cell_submit(w.cell, &b, NULL, &w.err), -EDQUOT);
	assert_int_equal(cell_submit(w.cell, &nobody, NULL, &w.err), -EDQUOT);
	assert_int_equal(cell_submit(w.cell, &free_job, NULL, &w.err), 0);
	cell_remove_job(w.cell, job);
	assert_int_equal(cell_submit(w.cell, &b, NULL, &w.err), 0);
	decide_all(&w);
	cell_free(w.cell);
}

static void a_gang_starts_whole_or_not_at_all(void **state)
{
	struct job other = make("other", "o", 200, 1, 3000), gang = make("gang", "o", 200, 3, 3000);
	struct world w;
	uint32_t first, job;

	(void)state;
	build(&w, false, 3);
	gang.gang = true;
	assert_int_equal(cell_submit(w.cell, &other, &first, &w.err), 0);
	decide_all(&w);
	assert_int_equal(cell_submit(w.cell, &gang, &job, &w.err), 0);
	decide_all(&w);
	assert_int_equal(running(&w, job, 3), 0);
	cell_remove_job(w.cell, first);
	decide_all(&w);
	assert_int_equal(running(&w, job, 3), 3);
	cell_free(w.cell);
}

static void two_gangs_that_race_do_not_both_get_half(void **state)
{
	struct job a = make("a", "x", 200, 2, 3000), b = make("b", "y", 200, 2, 3000);
	struct world w;
	uint32_t ja, jb;

	(void)state;
	build(&w, false, 3);
	a.gang = b.gang = true;
	assert_int_equal(cell_submit(w.cell, &a, &ja, &w.err), 0);
	assert_int_equal(cell_submit(w.cell, &b, &jb, &w.err), 0);
	decide_all(&w);
	assert_int_equal(running(&w, ja, 2) + running(&w, jb, 2), 2);
	assert_int_equal(running(&w, ja, 2) % 2, 0);
	cell_free(w.cell);
}

static void owners_take_turns_within_a_priority(void **state)
{
	struct job many = make("many", "a", 200, 8, 1000), few = make("few", "b", 200, 2, 1000);
	struct world w;
	uint32_t ja, jb;

	(void)state;
	build(&w, false, 1);
	assert_int_equal(cell_submit(w.cell, &many, &ja, &w.err), 0);
	assert_int_equal(cell_submit(w.cell, &few, &jb, &w.err), 0);
	decide_all(&w);
	assert_int_equal(running(&w, ja, 8), 2);
	assert_int_equal(running(&w, jb, 2), 2);
	cell_free(w.cell);
}

static void nothing_waits_behind_what_fits_nowhere(void **state)
{
	struct job big = make("big", "a", 300, 2, 9000), small = make("small", "a", 200, 2, 1000);
	struct world w;
	uint32_t ja, jb;

	(void)state;
	build(&w, false, 1);
	assert_int_equal(cell_submit(w.cell, &big, &ja, &w.err), 0);
	assert_int_equal(cell_submit(w.cell, &small, &jb, &w.err), 0);
	decide_all(&w);
	assert_int_equal(running(&w, ja, 2), 0);
	assert_int_equal(running(&w, jb, 2), 2);
	cell_free(w.cell);
}

static void a_crash_is_retried_later_and_elsewhere(void **state)
{
	struct job job = make("j", "a", 200, 1, 1000);
	struct task_view view;
	struct world w;
	uint32_t j, task, was;

	(void)state;
	build(&w, false, 2);
	assert_int_equal(cell_submit(w.cell, &job, &j, &w.err), 0);
	decide_all(&w);
	task = cell_job_task(w.cell, j, 0);
	cell_task(w.cell, task, &view);
	was = view.machine;
	cell_end_task(w.cell, task, END_FAILED);
	decide_all(&w);
	cell_task(w.cell, task, &view);
	assert_int_equal(view.state, TASK_PENDING);
	assert_true(cell_next_ms(w.cell) == 1000);
	w.outside.now_ms = 1000;
	decide_all(&w);
	cell_task(w.cell, task, &view);
	assert_int_equal(view.state, TASK_RUNNING);
	assert_int_not_equal(view.machine, was);
	cell_free(w.cell);
}

static void a_lost_rack_makes_no_storm(void **state)
{
	struct job job = make("j", "a", 200, 400, 10);
	struct cell_totals totals;
	struct world w;

	(void)state;
	build(&w, false, 2);
	job.request.amounts.of[RESOURCE_MEMORY] = 1;
	assert_int_equal(cell_submit(w.cell, &job, NULL, &w.err), 0);
	decide_all(&w);
	w.outside.now_ms = 10000;
	cell_set_machine(w.cell, 0, MACHINE_DOWN);
	cell_set_machine(w.cell, 1, MACHINE_DOWN);
	cell_set_machine(w.cell, 1, MACHINE_UP);
	decide_all(&w);
	cell_totals(w.cell, &totals);
	assert_int_equal(totals.running, 100);
	w.outside.now_ms += 1000;
	decide_all(&w);
	cell_totals(w.cell, &totals);
	assert_int_equal(totals.running, 150);
	cell_free(w.cell);
}

static void names_last(struct world *w, struct job *job)
{
	static const char *const last[] = { "last" };
	uint32_t j;

	job->after = last;
	job->after_count = 1;
	assert_int_equal(cell_submit(w->cell, job, &j, &w->err), 0);
	decide_all(w);
	cell_remove_job(w->cell, j);
}

static void a_job_starts_after_those_it_names(void **state)
{
	const char *const names[] = { "one", "two" }, *const unknown[] = { "nobody" };
	struct job one = make("one", "a", 200, 1, 100), two = make("two", "a", 200, 2, 100);
	struct job last = make("last", "a", 200, 2, 100);
	struct world w;
	uint32_t j1, j2, j3;

	(void)state;
	build(&w, false, 1);
	last.after = unknown;
	last.after_count = 1;
	assert_int_equal(cell_submit(w.cell, &last, &j3, &w.err), -EINVAL);
	assert_int_equal(cell_submit(w.cell, &one, &j1, &w.err), 0);
	assert_int_equal(cell_submit(w.cell, &two, &j2, &w.err), 0);
	last.after = names;
	last.after_count = 2;
	assert_int_equal(cell_submit(w.cell, &last, &j3, &w.err), 0);
	decide_all(&w);
	assert_int_equal(running(&w, j3, 2), 0);
	cell_end_task(w.cell, cell_job_task(w.cell, j1, 0), END_FINISHED);
	decide_all(&w);
	assert_int_equal(running(&w, j3, 2), 0);
	cell_remove_job(w.cell, j2);
	decide_all(&w);
	assert_int_equal(running(&w, j3, 2), 2);
	/* One that waits may be removed itself. */
	last.name = "later";
	names_last(&w, &last);
	decide_all(&w);
	cell_free(w.cell);
}

static void what_production_leaves_idle_is_lent_and_taken_back(void **state)
{
	struct job prod = make("prod", "a", 200, 1, 3000), batch = make("batch", "a", 100, 1, 2000);
	struct job more = make("more", "a", 200, 1, 2000);
	struct world w;
	uint32_t jp, jb, jm, task;

	(void)state;
	build(&w, false, 1);
	assert_int_equal(cell_submit(w.cell, &prod, &jp, &w.err), 0);
	assert_int_equal(cell_submit(w.cell, &batch, &jb, &w.err), 0);
	decide_all(&w);
	task = cell_job_task(w.cell, jp, 0);
	w.outside.now_ms = RECLAIM_AFTER_MS - 1;
	cell_report_usage(w.cell, task, 400, GIB / 2);
	decide_all(&w);
	assert_int_equal(running(&w, jb, 1), 0);
	w.outside.now_ms = RECLAIM_AFTER_MS + RECLAIM_DECAY_MS;
	cell_report_usage(w.cell, task, 400, GIB / 2);
	decide_all(&w);
	assert_int_equal(running(&w, jb, 1), 1);
	/* Production never relies on what is lent: 4000 less its own limit of 3000. */
	assert_int_equal(cell_submit(w.cell, &more, &jm, &w.err), 0);
	decide_all(&w);
	assert_int_equal(running(&w, jm, 1), 0);
	w.outside.now_ms++;
	cell_report_usage(w.cell, task, 2900, GIB / 2);
	decide_all(&w);
	assert_int_equal(running(&w, jb, 1), 0);
	assert_int_equal(running(&w, jp, 1), 1);
	cell_free(w.cell);
}

static void draining_honours_the_budget(void **state)
{
	struct job job = make("j", "a", 200, 3, 1000);
	struct world w;
	uint32_t j;

	(void)state;
	build(&w, false, 1);
	job.disruption_budget = 1;
	assert_int_equal(cell_submit(w.cell, &job, &j, &w.err), 0);
	decide_all(&w);
	w.outside.now_ms = 10000;
	cell_set_machine(w.cell, 0, MACHINE_DRAINING);
	decide_all(&w);
	assert_int_equal(running(&w, j, 3), 2);
	cell_free(w.cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_jobs_are_refused_with_a_sentence),
		cmocka_unit_test(quota_holds_at_admission_and_is_given_back),
		cmocka_unit_test(a_gang_starts_whole_or_not_at_all),
		cmocka_unit_test(two_gangs_that_race_do_not_both_get_half),
		cmocka_unit_test(owners_take_turns_within_a_priority),
		cmocka_unit_test(nothing_waits_behind_what_fits_nowhere),
		cmocka_unit_test(a_crash_is_retried_later_and_elsewhere),
		cmocka_unit_test(a_lost_rack_makes_no_storm),
		cmocka_unit_test(a_job_starts_after_those_it_names),
		cmocka_unit_test(what_production_leaves_idle_is_lent_and_taken_back),
		cmocka_unit_test(draining_honours_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
