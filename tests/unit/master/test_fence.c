/* SPDX-License-Identifier: Apache-2.0 */
/* A single instance is never twice: time stands for what a shim would do. */
#include "tests/unit/master/fake.h"

#define ONE FAKE_JOB("one", 200, 1, "1", "single_instance: true\npreemption: {notice: 2s}\n")
#define FENCE_MS 10000

static struct fake_machine *holder(struct fake_cell *cell)
{
	for (size_t i = 0; i < cell->count; i++)
		if (fake_task(&cell->machines[i], "one/0"))
			return &cell->machines[i];
	return NULL;
}

static struct fake_cell *two_machines(void)
{
	struct fake_cell *cell = fake_new();

	fake_begin(cell);
	fake_machine(cell, "m0", "r0", 1000);
	fake_machine(cell, "m1", "r1", 1000);
	fake_beat(cell);
	fake_submit(cell, "%s", ONE);
	assert_int_equal(fake_running(cell, "one"), 1);
	assert_int_equal(fake_task(holder(cell), "one/0")->fence_ms, FENCE_MS);
	return cell;
}

/* Its shim ends it when its deadline has passed. */
static void pass_until(struct fake_cell *cell, struct fake_machine *lost, int64_t ms,
		       int64_t *ret_moved_ms)
{
	*ret_moved_ms = -1;
	for (int64_t t = 500; t <= ms; t += 500) {
		fake_pass(cell, 500);
		if (t >= FENCE_MS)
			lost->count = 0;
		assert_true(fake_running(cell, "one") <= 1);
		if (*ret_moved_ms < 0 && holder(cell) && holder(cell) != lost)
			*ret_moved_ms = t;
	}
}

static void another_starts_after_detection_fence_and_bound(void **state)
{
	struct fake_cell *cell = two_machines();
	struct fake_machine *lost = holder(cell);
	_cleanup_free_ char *text = NULL;
	int64_t moved_ms;

	(void)state;
	lost->cut = true;
	pass_until(cell, lost, 8000, &moved_ms);
	assert_int_equal(moved_ms, -1);
	text = fake_status(cell, "one");
	assert_non_null(strstr(text, "which is silent, for 4 s at most"));
	assert_non_null(strstr(text, "\"pending\""));
	lost->count = 0;
	pass_until(cell, lost, 12000, &moved_ms);
	assert_in_range(moved_ms, FENCE_MS + 1 - 8000, FENCE_MS + 3000 - 8000);
	fake_free(cell);
}

static void a_new_master_waits_from_its_start(void **state)
{
	struct fake_cell *cell = two_machines();
	struct fake_machine *lost = holder(cell);
	int64_t moved_ms;

	(void)state;
	lost->cut = true;
	pass_until(cell, lost, 8000, &moved_ms);
	assert_int_equal(moved_ms, -1);
	fake_end(cell);
	fake_begin(cell);
	pass_until(cell, lost, 20000, &moved_ms);
	assert_in_range(moved_ms, FENCE_MS + 1, FENCE_MS + 3000);
	fake_free(cell);
}

static void a_machine_that_returns_without_it_ends_the_wait(void **state)
{
	struct fake_cell *cell = two_machines();
	struct fake_machine *lost = holder(cell);

	(void)state;
	lost->cut = true;
	fake_pass(cell, 5000);
	assert_ptr_equal(holder(cell), lost);
	lost->count = 0;
	lost->cut = false;
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "one"), 1);
	fake_free(cell);
}

static void a_machine_that_returns_with_it_ends_it_first(void **state)
{
	struct fake_cell *cell = two_machines();
	struct fake_machine *lost = holder(cell);

	(void)state;
	lost->slow = lost->cut = true;
	fake_pass(cell, 5000);
	lost->cut = false;
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "one"), 1);
	assert_int_equal(lost->count, 1);
	assert_true(lost->tasks[0].leaving);
	/* As long as it takes it is not killed by its fence. */
	assert_int_equal(lost->tasks[0].fence_ms, FENCE_MS);
	fake_pass(cell, 30000);
	assert_int_equal(lost->count, 1);
	assert_int_equal(fake_running(cell, "one"), 1);
	lost->count = 0;
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "one"), 1);
	fake_free(cell);
}

static void a_drained_one_moves_when_it_is_gone(void **state)
{
	struct fake_cell *cell = two_machines();
	struct fake_machine *from = holder(cell);
	struct err err = { 0 };

	(void)state;
	from->slow = true;
	assert_int_equal(master_machine_drain(cell->master, &fake_operator, from->name, -1, &err),
			 0);
	fake_pass(cell, 20000);
	assert_int_equal(fake_running(cell, "one"), 1);
	assert_true(from->tasks[0].leaving);
	assert_int_equal(from->tasks[0].notice_ms, 2000);
	/* Neither does another master hurry it. */
	fake_end(cell);
	fake_begin(cell);
	fake_pass(cell, 20000);
	assert_int_equal(fake_running(cell, "one"), 1);
	assert_int_equal(from->count, 1);
	from->count = 0;
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "one"), 1);
	assert_ptr_not_equal(holder(cell), from);
	fake_free(cell);
}

static void one_that_is_submitted_anew_waits_for_the_old(void **state)
{
	for (int purge = 0; purge < 2; purge++) {
		struct fake_cell *cell = two_machines();
		struct fake_machine *from = holder(cell);
		struct err err = { 0 };

		(void)state;
		from->slow = true;
		assert_int_equal(master_stop(cell->master, &fake_operator, "one", purge, &err), 0);
		fake_beat(cell);
		fake_end(cell);
		fake_begin(cell);
		fake_submit(cell, "%s", ONE);
		fake_pass(cell, 2000);
		assert_int_equal(fake_running(cell, "one"), 1);
		assert_true(from->tasks[0].leaving);
		from->count = 0;
		fake_beat(cell);
		assert_int_equal(fake_running(cell, "one"), 1);
		assert_non_null(holder(cell));
		fake_free(cell);
	}
}

/* The answer that starts it is still on its way when the machine says that it is not there. */
static void what_a_machine_said_before_it_heard_tells_nothing(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *from, early;
	struct err err = { 0 };

	(void)state;
	fake_begin(cell);
	from = fake_machine(cell, "m0", "r0", 1000);
	fake_machine(cell, "m1", "r1", 1000)->cut = true;
	fake_beat(cell);
	early = *from;
	fake_submit(cell, "%s", ONE);
	assert_int_equal(from->count, 1);
	cell->machines[1].cut = false;
	assert_int_equal(master_machine_drain(cell->master, &fake_operator, "m0", -1, &err), 0);
	fake_sync(&early);
	fake_sync(&cell->machines[1]);
	assert_int_equal(cell->machines[1].count, 0);
	fake_sync(from);
	fake_sync(from);
	fake_sync(&cell->machines[1]);
	assert_int_equal(cell->machines[1].count, 1);
	assert_int_equal(from->count, 0);
	fake_free(cell);
}

static void others_start_elsewhere_at_once(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *lost;

	(void)state;
	fake_begin(cell);
	fake_machine(cell, "m0", "r0", 1000);
	fake_machine(cell, "m1", "r1", 1000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("one", 200, 1, "1", ""));
	lost = holder(cell);
	assert_int_equal(fake_task(lost, "one/0")->fence_ms, 0);
	lost->cut = true;
	fake_pass(cell, 4000);
	/* Twice, for a moment: the stale one goes when its machine is back. */
	assert_int_equal(fake_running(cell, "one"), 2);
	lost->cut = false;
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "one"), 1);
	assert_int_equal(lost->count, 0);
	fake_free(cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_starts_after_detection_fence_and_bound),
		cmocka_unit_test(a_new_master_waits_from_its_start),
		cmocka_unit_test(a_machine_that_returns_without_it_ends_the_wait),
		cmocka_unit_test(a_machine_that_returns_with_it_ends_it_first),
		cmocka_unit_test(a_drained_one_moves_when_it_is_gone),
		cmocka_unit_test(one_that_is_submitted_anew_waits_for_the_old),
		cmocka_unit_test(what_a_machine_said_before_it_heard_tells_nothing),
		cmocka_unit_test(others_start_elsewhere_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
