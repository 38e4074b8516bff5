/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "scheduler/core/scale.h"

#define GIB (INT64_C(1) << 30)

static struct outside outside;

static struct cell *cell_of(uint32_t machines, const struct cell_options *options)
{
	struct cell *cell;

	outside = (struct outside){ .now_ms = 1000, .random = 7 };
	assert_int_equal(cell_new(options, &outside, &cell, NULL), 0);
	for (uint32_t i = 0; i < machines; i++) {
		char name[16];
		struct machine_spec spec = { .name = name };
		uint32_t m;

		snprintf(name, sizeof(name), "m%u", i);
		spec.capacity.of[RESOURCE_CPU] = 4000;
		spec.capacity.of[RESOURCE_MEMORY] = 4 * GIB;
		assert_int_equal(cell_add_machine(cell, &spec, &m, NULL), 0);
	}
	return cell;
}

static struct job job_of(const char *name, uint32_t count)
{
	struct job job = { .name = name, .owner = "o", .priority = 200, .count = count };

	job.request.amounts.of[RESOURCE_CPU] = 1000;
	job.request.amounts.of[RESOURCE_MEMORY] = GIB;
	return job;
}

static void settle(struct cell *cell)
{
	struct err err = { 0 };

	while (cell_decide(cell))
		;
	if (cell_check(cell, &err) < 0)
		fail_msg("%s", err.text);
}

static uint32_t running(struct cell *cell)
{
	struct cell_totals totals;

	cell_totals(cell, &totals);
	return totals.running;
}

static void test_more_tasks_run_and_those_that_ran_stay(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(3, &(struct cell_options){ 0 });
	struct job job = job_of("web", 2);
	struct task_view before, after;
	uint32_t j;

	(void)state;
	assert_int_equal(cell_submit(cell, &job, &j, NULL), 0);
	settle(cell);
	cell_task(cell, cell_job_task(cell, j, 1), &before);
	job.count = 9;
	assert_int_equal(cell_scale(cell, j, &job, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 9);
	cell_task(cell, cell_job_task(cell, j, 1), &after);
	assert_int_equal(before.machine, after.machine);
	cell_task(cell, cell_job_task(cell, j, 8), &after);
	assert_int_equal(after.index, 8);
}

static void test_fewer_tasks_end_the_last_ones(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(2, &(struct cell_options){ 0 });
	struct job job = job_of("web", 10);
	uint32_t j;

	(void)state;
	assert_int_equal(cell_submit(cell, &job, &j, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 8);
	job.count = 3;
	assert_int_equal(cell_scale(cell, j, &job, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 3);
	assert_int_equal(cell_job_task(cell, j, 3), NOBODY);
	job.count = 5;
	assert_int_equal(cell_scale(cell, j, &job, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 5);
	cell_remove_job(cell, j);
	settle(cell);
	assert_int_equal(running(cell), 0);
}

static void test_what_was_over_is_alive_with_more_tasks(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(2, &(struct cell_options){ 0 });
	struct job job = job_of("once", 1);
	uint32_t j;

	(void)state;
	job.restart.when = RESTART_NEVER;
	assert_int_equal(cell_submit(cell, &job, &j, NULL), 0);
	settle(cell);
	cell_end_task(cell, cell_job_task(cell, j, 0), END_FINISHED);
	settle(cell);
	job.count = 3;
	assert_int_equal(cell_scale(cell, j, &job, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 2);
}

static void test_overrides_of_new_tasks_count(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(1, &(struct cell_options){ 0 });
	struct job job = job_of("web", 1);
	struct task_override two = { .index = 1, .request = job.request };
	struct task_view view;
	uint32_t j;

	(void)state;
	two.request.amounts.of[RESOURCE_CPU] = 2000;
	assert_int_equal(cell_submit(cell, &job, &j, NULL), 0);
	job.count = 3;
	job.overrides = &two;
	job.override_count = 1;
	assert_int_equal(cell_scale(cell, j, &job, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 3);
	cell_task(cell, cell_job_task(cell, j, 1), &view);
	assert_int_equal(view.request->amounts.of[RESOURCE_CPU], 2000);
}

static void test_quota_holds_and_nothing_changes(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(4, &(struct cell_options){ .quota = true });
	struct amounts limit = { .of = { 3000, 3 * GIB, 0, 0 } };
	struct job job = job_of("web", 2);
	uint32_t j;

	(void)state;
	assert_int_equal(cell_set_quota(cell, "o", BAND_PRODUCTION, &limit, NULL), 0);
	assert_int_equal(cell_submit(cell, &job, &j, NULL), 0);
	job.count = 4;
	assert_int_equal(cell_scale(cell, j, &job, NULL), -EDQUOT);
	settle(cell);
	assert_int_equal(running(cell), 2);
	job.count = 3;
	assert_int_equal(cell_scale(cell, j, &job, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 3);
	job.count = 1;
	assert_int_equal(cell_scale(cell, j, &job, NULL), 0);
	job.count = 3;
	assert_int_equal(cell_scale(cell, j, &job, NULL), 0);
}

static void test_a_gang_and_no_task_at_all_are_refused(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(4, &(struct cell_options){ 0 });
	struct job job = job_of("gang", 2), none = job_of("web", 1);
	uint32_t j;

	(void)state;
	job.gang = true;
	assert_int_equal(cell_submit(cell, &job, &j, NULL), 0);
	job.count = 3;
	assert_int_equal(cell_scale(cell, j, &job, NULL), -EINVAL);
	assert_int_equal(cell_submit(cell, &none, &j, NULL), 0);
	none.count = 0;
	assert_int_equal(cell_scale(cell, j, &none, NULL), -EINVAL);
	settle(cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_tasks_run_and_those_that_ran_stay),
		cmocka_unit_test(test_fewer_tasks_end_the_last_ones),
		cmocka_unit_test(test_what_was_over_is_alive_with_more_tasks),
		cmocka_unit_test(test_overrides_of_new_tasks_count),
		cmocka_unit_test(test_quota_holds_and_nothing_changes),
		cmocka_unit_test(test_a_gang_and_no_task_at_all_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
