/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "scheduler/core/restore.h"
#include "scheduler/core/scale.h"
#include "scheduler/core/why.h"

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

static void test_a_gang_goes_back_to_its_checkpoints(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(2, &(struct cell_options){ 0 });
	struct job full = job_of("full", 8), gang = job_of("gang", 4);
	struct task_view view;
	uint32_t f, g;

	(void)state;
	gang.gang = true;
	assert_int_equal(cell_submit(cell, &full, &f, NULL), 0);
	settle(cell);
	assert_int_equal(cell_submit(cell, &gang, &g, NULL), 0);
	for (uint32_t i = 0; i < 4; i++)
		cell_prefer(cell, cell_job_task(cell, g, i), i % 2);
	settle(cell);
	assert_int_equal(running(cell), 8);
	/* Room for one is none for all, and nothing is forgotten for that. */
	cell_end_task(cell, cell_job_task(cell, f, 0), END_KILLED);
	settle(cell);
	assert_int_equal(running(cell), 7);
	cell_remove_job(cell, f);
	settle(cell);
	for (uint32_t i = 0; i < 4; i++) {
		cell_task(cell, cell_job_task(cell, g, i), &view);
		assert_int_equal(view.machine, i % 2);
	}
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

static void test_no_task_at_all_is_refused(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(4, &(struct cell_options){ 0 });
	struct job none = job_of("web", 1);
	uint32_t j;

	(void)state;
	assert_int_equal(cell_submit(cell, &none, &j, NULL), 0);
	none.count = 0;
	assert_int_equal(cell_scale(cell, j, &none, NULL), -EINVAL);
	settle(cell);
}

/* ---- gangs ---- */

static void scale(struct cell *cell, uint32_t j, struct job *job, uint32_t count)
{
	struct err err = { 0 };

	job->count = count;
	if (cell_scale(cell, j, job, &err) < 0)
		fail_msg("%s", err.text);
	settle(cell);
}

static struct task_view view_of(struct cell *cell, uint32_t job, uint32_t index)
{
	struct task_view view;

	cell_task(cell, cell_job_task(cell, job, index), &view);
	return view;
}

static uint32_t machine_of(struct cell *cell, uint32_t job, uint32_t index)
{
	return view_of(cell, job, index).machine;
}

static void test_members_join_all_or_none(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(2, &(struct cell_options){ 0 });
	struct job gang = job_of("gang", 4), other = job_of("other", 2);
	struct machine_spec spec = { .name = "more", .capacity = { { 4000, 4 * GIB, 0, 0 } } };
	struct why why;
	uint32_t j, o;

	(void)state;
	gang.gang = true;
	assert_int_equal(cell_submit(cell, &gang, &j, NULL), 0);
	assert_int_equal(cell_submit(cell, &other, &o, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 6);
	/* There is room for two of them. */
	scale(cell, j, &gang, 7);
	assert_int_equal(running(cell), 6);
	assert_int_equal(cell_why(cell, cell_job_task(cell, j, 5), &why, NULL), 0);
	assert_true(why.gang);
	assert_int_equal(why.change.kind, CHANGE_COUNT);
	assert_int_equal(why.change.amount, 6);
	/* Their waiting keeps no member from starting again. */
	cell_end_task(cell, cell_job_task(cell, j, 0), END_FAILED);
	outside.now_ms += 600000;
	settle(cell);
	assert_int_equal(machine_of(cell, j, 0) == NOBODY, false);
	assert_int_equal(running(cell), 6);
	assert_int_equal(cell_add_machine(cell, &spec, NULL, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 9);
	/* Members like the others: each starts again by itself. */
	cell_end_task(cell, cell_job_task(cell, j, 6), END_PREEMPTED);
	settle(cell);
	assert_int_equal(running(cell), 9);
}

static void test_fewer_that_join_may_fit(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(1, &(struct cell_options){ 0 });
	struct job gang = job_of("gang", 2);
	uint32_t j;

	(void)state;
	gang.gang = true;
	assert_int_equal(cell_submit(cell, &gang, &j, NULL), 0);
	settle(cell);
	scale(cell, j, &gang, 6);
	assert_int_equal(running(cell), 2);
	scale(cell, j, &gang, 5);
	assert_int_equal(running(cell), 2);
	scale(cell, j, &gang, 4);
	assert_int_equal(running(cell), 4);
	scale(cell, j, &gang, 1);
	assert_int_equal(running(cell), 1);
	scale(cell, j, &gang, 4);
	assert_int_equal(running(cell), 4);
	cell_remove_job(cell, j);
	settle(cell);
	assert_int_equal(running(cell), 0);
}

static void test_those_that_join_come_after_the_gang(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(1, &(struct cell_options){ 0 });
	struct job gang = job_of("gang", 3);
	uint32_t j;

	(void)state;
	gang.gang = true;
	assert_int_equal(cell_submit(cell, &gang, &j, NULL), 0);
	settle(cell);
	scale(cell, j, &gang, 5);
	cell_set_machine(cell, 0, MACHINE_DOWN);
	outside.now_ms += 600000;
	settle(cell);
	assert_int_equal(running(cell), 0);
	cell_set_machine(cell, 0, MACHINE_UP);
	settle(cell);
	assert_int_equal(running(cell), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(machine_of(cell, j, i), 0);
	scale(cell, j, &gang, 4);
	assert_int_equal(running(cell), 4);
}

static void test_a_gang_that_waits_grows_as_a_whole(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(1, &(struct cell_options){ 0 });
	struct job gang = job_of("gang", 5);
	uint32_t j;

	(void)state;
	gang.gang = true;
	assert_int_equal(cell_submit(cell, &gang, &j, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 0);
	scale(cell, j, &gang, 6);
	assert_int_equal(running(cell), 0);
	scale(cell, j, &gang, 4);
	assert_int_equal(running(cell), 4);
}

static void test_what_had_not_joined_waits_after_a_restart(void **state)
{
	static const bool joining[] = { false, false, true, true, true };
	_cleanup_cell_ struct cell *cell = cell_of(1, &(struct cell_options){ 0 });
	struct job gang = job_of("gang", 5);
	uint32_t j;

	(void)state;
	gang.gang = true;
	assert_int_equal(cell_submit(cell, &gang, &j, NULL), 0);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(
			cell_restore_task(cell, cell_job_task(cell, j, i), 0, NULL, 0, false), 0);
	assert_int_equal(cell_scale_rejoin(cell, j, joining), 0);
	settle(cell);
	assert_int_equal(running(cell), 2);
	scale(cell, j, &gang, 4);
	assert_int_equal(running(cell), 4);
}

/* ---- alloc sets ---- */

static struct job set_of(const char *name, uint32_t count)
{
	struct job set = job_of(name, count);

	set.reserves = true;
	set.request.amounts.of[RESOURCE_CPU] = 2000;
	return set;
}

static uint32_t tasks_in(struct cell *cell, uint32_t set, uint32_t index)
{
	struct task_view alloc = view_of(cell, set, index);
	struct machine_view room;

	assert_int_equal(cell_machine(cell, alloc.room, &room), 0);
	return room.tasks;
}

static void test_a_set_grows_whole_and_takes_what_waits(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(2, &(struct cell_options){ 0 });
	struct job set = set_of("set", 1), in = job_of("in", 6);
	uint32_t s, j;

	(void)state;
	in.alloc_set = "set";
	in.request.amounts.of[RESOURCE_MEMORY] /= 8;
	assert_int_equal(cell_submit(cell, &set, &s, NULL), 0);
	assert_int_equal(cell_submit(cell, &in, &j, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 1 + 2);
	scale(cell, s, &set, 3);
	assert_int_equal(running(cell), 3 + 6);
	/* Four fit, six do not: none of the three comes. */
	scale(cell, s, &set, 6);
	assert_int_equal(cell_scale_size(cell, s), 6);
	assert_int_equal(running(cell), 3 + 6);
	assert_int_equal(machine_of(cell, s, 3), NOBODY);
	scale(cell, s, &set, 4);
	assert_int_equal(running(cell), 4 + 6);
}

static void test_empty_allocs_go_first_and_indexes_stay(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(2, &(struct cell_options){ 0 });
	struct job set = set_of("set", 4), in = job_of("in", 1);
	bool goes[4];
	uint32_t s, j, at;

	(void)state;
	in.alloc_set = "set";
	in.request.amounts.of[RESOURCE_MEMORY] /= 8;
	assert_int_equal(cell_submit(cell, &set, &s, NULL), 0);
	assert_int_equal(cell_submit(cell, &in, &j, NULL), 0);
	settle(cell);
	for (at = 0; !tasks_in(cell, s, at); at++)
		;
	cell_scale_leavers(cell, s, 1, goes);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(goes[i], i != at);
	scale(cell, s, &set, 1);
	assert_int_equal(cell_scale_size(cell, s), 1);
	assert_int_equal(running(cell), 2);
	assert_int_equal(tasks_in(cell, s, at), 1);
	assert_int_equal(cell_job_task(cell, s, at + 1), NOBODY);
	/* The free indexes are taken first. */
	scale(cell, s, &set, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_not_equal(machine_of(cell, s, i), NOBODY);
	assert_int_equal(cell_job_task(cell, s, 4), NOBODY);
	assert_int_equal(running(cell), 5);
}

static void test_what_made_a_set_larger_is_taken_back(void **state)
{
	static const bool had_ended[] = { false, true, false, false };
	_cleanup_cell_ struct cell *cell = cell_of(2, &(struct cell_options){ 0 });
	struct job set = set_of("set", 4);
	uint32_t s;

	(void)state;
	assert_int_equal(cell_submit(cell, &set, &s, NULL), 0);
	settle(cell);
	cell_end_task(cell, cell_job_task(cell, s, 1), END_KILLED);
	/* With the lowest rank and the highest index, and yet not the one that came. */
	cell_end_task(cell, cell_job_task(cell, s, 3), END_PREEMPTED);
	for (set.count = 4; set.count <= 6; set.count++) {
		assert_int_equal(cell_scale(cell, s, &set, NULL), 0);
		assert_int_equal(view_of(cell, s, 1).state, TASK_PENDING);
		cell_scale_undo(cell, s, 4, had_ended);
		assert_int_equal(cell_scale_size(cell, s), 3);
		assert_int_equal(view_of(cell, s, 1).state, TASK_ENDED);
		assert_int_equal(view_of(cell, s, 3).state, TASK_PENDING);
		assert_int_equal(cell_job_task(cell, s, 4), NOBODY);
	}
	settle(cell);
	assert_int_equal(running(cell), 3);
}

static void test_tasks_of_an_alloc_that_goes_come_into_another(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(2, &(struct cell_options){ 0 });
	struct job set = set_of("set", 2), in = job_of("in", 2);
	uint32_t s, j;

	(void)state;
	in.alloc_set = "set";
	in.request.amounts.of[RESOURCE_CPU] = 1500;
	in.request.amounts.of[RESOURCE_MEMORY] /= 8;
	assert_int_equal(cell_submit(cell, &set, &s, NULL), 0);
	assert_int_equal(cell_submit(cell, &in, &j, NULL), 0);
	settle(cell);
	assert_int_equal(running(cell), 4);
	scale(cell, s, &set, 1);
	assert_int_equal(running(cell), 2);
	assert_int_equal(view_of(cell, j, 0).state, TASK_RUNNING);
	assert_int_equal(view_of(cell, j, 1).state, TASK_PENDING);
	scale(cell, s, &set, 2);
	assert_int_equal(running(cell), 4);
}

static void test_a_set_that_grows_is_held_to_its_quota(void **state)
{
	_cleanup_cell_ struct cell *cell = cell_of(4, &(struct cell_options){ .quota = true });
	struct amounts limit = { .of = { 6000, 3 * GIB, 0, 0 } }, used;
	struct job set = set_of("set", 2);
	uint32_t s;

	(void)state;
	assert_int_equal(cell_set_quota(cell, "o", BAND_PRODUCTION, &limit, NULL), 0);
	assert_int_equal(cell_submit(cell, &set, &s, NULL), 0);
	settle(cell);
	set.count = 4;
	assert_int_equal(cell_scale(cell, s, &set, NULL), -EDQUOT);
	settle(cell);
	scale(cell, s, &set, 3);
	scale(cell, s, &set, 1);
	assert_true(cell_quota_used(cell, "o", BAND_PRODUCTION, &used));
	assert_int_equal(used.of[RESOURCE_CPU], 2000);
	scale(cell, s, &set, 3);
	assert_int_equal(running(cell), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_tasks_run_and_those_that_ran_stay),
		cmocka_unit_test(test_a_gang_goes_back_to_its_checkpoints),
		cmocka_unit_test(test_fewer_tasks_end_the_last_ones),
		cmocka_unit_test(test_what_was_over_is_alive_with_more_tasks),
		cmocka_unit_test(test_overrides_of_new_tasks_count),
		cmocka_unit_test(test_quota_holds_and_nothing_changes),
		cmocka_unit_test(test_no_task_at_all_is_refused),
		cmocka_unit_test(test_members_join_all_or_none),
		cmocka_unit_test(test_fewer_that_join_may_fit),
		cmocka_unit_test(test_those_that_join_come_after_the_gang),
		cmocka_unit_test(test_a_gang_that_waits_grows_as_a_whole),
		cmocka_unit_test(test_what_had_not_joined_waits_after_a_restart),
		cmocka_unit_test(test_a_set_grows_whole_and_takes_what_waits),
		cmocka_unit_test(test_empty_allocs_go_first_and_indexes_stay),
		cmocka_unit_test(test_what_made_a_set_larger_is_taken_back),
		cmocka_unit_test(test_tasks_of_an_alloc_that_goes_come_into_another),
		cmocka_unit_test(test_a_set_that_grows_is_held_to_its_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
