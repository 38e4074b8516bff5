/* SPDX-License-Identifier: Apache-2.0 */
/* Machines that are lost, emptied, grow, shrink, have no memory left. */
#include <errno.h>

#include "tests/unit/master/fake.h"

static void the_tasks_of_a_dead_machine_start_elsewhere_at_a_rate(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *lost;

	(void)state;
	fake_begin(cell);
	lost = fake_machine(cell, "m0", "r0", 200000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("many", 200, 150, "1", ""));
	assert_int_equal(lost->count, 150);
	fake_machine(cell, "m1", "r1", 200000);
	fake_beat(cell);
	lost->cut = true;
	fake_pass(cell, 3000);
	assert_in_range(cell->machines[1].count, 99, 102);
	fake_pass(cell, 500);
	assert_in_range(cell->machines[1].count, 110, 135);
	fake_pass(cell, 1500);
	assert_int_equal(cell->machines[1].count, 150);
	/* It comes back, and ends what is stale. */
	lost->cut = false;
	fake_beat(cell);
	assert_int_equal(lost->count, 0);
	assert_int_equal(fake_running(cell, "many"), 150);
	fake_free(cell);
}

static void a_rack_is_lost_and_four_of_five_go_on(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *lost = NULL;
	char name[16], rack[16];

	(void)state;
	fake_begin(cell);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		snprintf(rack, sizeof(rack), "r%d", i / 2);
		fake_machine(cell, name, rack, 1000);
	}
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("five", 200, 5, "1", "spread: {over: rack, most: 1}\n"));
	for (size_t i = 0; i < cell->count; i += 2) {
		assert_true(cell->machines[i].count + cell->machines[i + 1].count <= 1);
		if (cell->machines[i].count + cell->machines[i + 1].count)
			lost = &cell->machines[i];
	}
	assert_non_null(lost);
	lost[0].cut = lost[1].cut = true;
	fake_pass(cell, 4000);
	lost[0].count = lost[1].count = 0;
	assert_int_equal(fake_running(cell, "five"), 5);
	for (size_t i = 0; i < cell->count; i += 2)
		assert_true(cell->machines[i].count + cell->machines[i + 1].count <= 1);
	fake_free(cell);
}

static void a_cordoned_machine_keeps_what_it_has_and_gets_nothing(void **state)
{
	struct fake_cell *cell = fake_new();
	struct err err = { 0 };

	(void)state;
	fake_begin(cell);
	fake_machine(cell, "m0", "r0", 4000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("one", 200, 1, "1", ""));
	assert_int_equal(master_machine_cordon(cell->master, &fake_operator, "m0", &err), 0);
	assert_int_equal(master_machine_cordon(cell->master, &fake_operator, "m9", &err), -ENOENT);
	fake_submit(cell, "%s", FAKE_JOB("two", 200, 1, "1", ""));
	assert_int_equal(fake_running(cell, "one"), 1);
	assert_int_equal(fake_running(cell, "two"), 0);
	/* Also over a restart, and over its own absence. */
	fake_end(cell);
	fake_begin(cell);
	cell->machines[0].cut = true;
	fake_pass(cell, 4000);
	cell->machines[0].cut = false;
	fake_beat(cell);
	fake_pass(cell, 1000);
	assert_int_equal(fake_running(cell, "one") + fake_running(cell, "two"), 0);
	assert_int_equal(master_machine_uncordon(cell->master, &fake_operator, "m0", &err), 0);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "one"), 1);
	assert_int_equal(fake_running(cell, "two"), 1);
	fake_free(cell);
}

static void a_cordoned_machine_keeps_its_tasks_over_a_restart(void **state)
{
	struct fake_cell *cell = fake_new();
	struct err err = { 0 };
	uint64_t before;

	(void)state;
	fake_begin(cell);
	fake_machine(cell, "m0", "r0", 4000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("one", 200, 1, "1", ""));
	before = fake_task(cell->machines, "one/0")->incarnation;
	assert_int_equal(master_machine_cordon(cell->master, &fake_operator, "m0", &err), 0);
	fake_end(cell);
	fake_begin(cell);
	fake_pass(cell, 1000);
	assert_int_equal(fake_task(cell->machines, "one/0")->incarnation, before);
	fake_free(cell);
}

static void a_drain_heeds_the_disruption_budget(void **state)
{
	struct fake_cell *cell = fake_new();
	struct err err = { 0 };
	struct fake_machine *from, *to;

	(void)state;
	fake_begin(cell);
	from = fake_machine(cell, "m0", "r0", 4000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("web", 200, 4, "1", "disruption_budget: 1\n"));
	assert_int_equal(from->count, 4);
	assert_int_equal(master_machine_drain(cell->master, &fake_operator, "m0", -1, &err), 0);
	fake_pass(cell, 2000);
	/* One is down, and there is no place for it yet. */
	assert_int_equal(fake_running(cell, "web"), 3);
	to = fake_machine(cell, "m1", "r1", 4000);
	fake_pass(cell, 2000);
	assert_int_equal(from->count, 0);
	assert_int_equal(to->count, 4);
	assert_int_equal(master_machine_uncordon(cell->master, &fake_operator, "m0", &err), 0);
	fake_free(cell);
}

/* What the journal tells of machines; the caller's. */
static char *machine_events(struct fake_cell *cell)
{
	uint64_t last = 0;
	size_t len;

	return master_events(cell->master, 0, &len, &last);
}

static void after_its_deadline_no_budget_holds_a_drain(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *from;
	struct err err = { 0 };
	char *text;

	(void)state;
	fake_begin(cell);
	from = fake_machine(cell, "m0", "r0", 4000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("web", 200, 4, "1", "disruption_budget: 1\n"));
	assert_int_equal(master_machine_drain(cell->master, &fake_operator, "m0", 4000, &err), 0);
	fake_pass(cell, 3000);
	assert_int_equal(from->count, 3);
	/* Another master knows of it, too. */
	fake_end(cell);
	fake_begin(cell);
	fake_pass(cell, 2500);
	assert_int_equal(from->count, 0);
	/* Back in use it is as any other. */
	assert_int_equal(master_machine_uncordon(cell->master, &fake_operator, "m0", &err), 0);
	fake_pass(cell, 1000);
	assert_int_equal(from->count, 4);
	assert_int_equal(master_machine_drain(cell->master, &fake_operator, "m0", -1, &err), 0);
	fake_pass(cell, 3000);
	assert_int_equal(from->count, 3);
	text = machine_events(cell);
	assert_non_null(strstr(text, "draining by test"));
	free(text);
	fake_free(cell);
}

static void a_later_deadline_counts_when_the_first_is_over(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *from;
	struct err err = { 0 };

	(void)state;
	fake_begin(cell);
	from = fake_machine(cell, "m0", "r0", 200000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("web", 200, 150, "1", "disruption_budget: 1\n"));
	assert_int_equal(from->count, 150);
	/* So many at once; the others a moment later. */
	assert_int_equal(master_machine_drain(cell->master, &fake_operator, "m0", 0, &err), 0);
	fake_beat(cell);
	assert_int_equal(from->count, 50);
	assert_int_equal(master_machine_drain(cell->master, &fake_operator, "m0", 4000, &err), 0);
	fake_pass(cell, 3000);
	assert_int_equal(from->count, 50);
	fake_pass(cell, 3000);
	assert_int_equal(from->count, 0);
	fake_free(cell);
}

static void only_operators_change_machines(void **state)
{
	static const struct caller alice = { .name = "alice", .uid = CALLER_NO_UID };
	struct fake_cell *cell = fake_new();
	struct err err = { 0 };

	(void)state;
	fake_begin(cell);
	fake_machine(cell, "m0", "r0", 1000);
	fake_beat(cell);
	assert_int_equal(master_machine_cordon(cell->master, &alice, "m0", &err), -EPERM);
	assert_int_equal(master_machine_drain(cell->master, &alice, "m0", 0, &err), -EPERM);
	assert_int_equal(master_machine_uncordon(cell->master, &alice, "m0", &err), -EPERM);
	fake_free(cell);
}

static void a_machine_that_changes_is_believed(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;

	(void)state;
	fake_begin(cell);
	m = fake_machine(cell, "m0", "r0", 1000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("two", 200, 2, "1", ""));
	assert_int_equal(m->count, 1);
	m->cpu_milli = 2000;
	fake_beat(cell);
	assert_int_equal(m->count, 2);
	m->cpu_milli = 1000;
	fake_beat(cell);
	assert_int_equal(m->count, 1);
	fake_end(cell);
	fake_begin(cell);
	fake_beat(cell);
	assert_int_equal(m->count, 1);
	fake_free(cell);
}

static void what_is_not_used_is_lent_to_batch(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	uint64_t before;

	(void)state;
	fake_begin(cell);
	m = fake_machine(cell, "m0", "r0", 4000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("prod", 200, 2, "2", ""));
	fake_submit(cell, "%s", FAKE_JOB("batch", 100, 1, "1", ""));
	assert_int_equal(fake_running(cell, "batch"), 0);
	for (size_t i = 0; i < m->count; i++) {
		m->tasks[i].used_cpu_milli = 100;
		m->tasks[i].used_memory_bytes = MIB / 4;
	}
	fake_pass(cell, 600000);
	assert_int_equal(fake_running(cell, "prod"), 2);
	assert_int_equal(fake_running(cell, "batch"), 1);
	/* What was lent is lent to another master, too. */
	before = fake_task(m, "batch/0")->incarnation;
	fake_end(cell);
	fake_begin(cell);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "batch"), 1);
	assert_int_equal(fake_task(m, "batch/0")->incarnation, before);
	fake_free(cell);
}

static void whom_its_machine_evicts_has_not_failed(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	struct fake_task *task;

	(void)state;
	fake_begin(cell);
	m = fake_machine(cell, "m0", "r0", 4000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("once", 100, 1, "1", "restart: {when: never}\n"));
	task = fake_task(m, "once/0");
	task->state = REPORT_ENDED;
	task->exit_code = 137;
	task->evicted = true;
	m->pressed = true;
	fake_beat(cell);
	fake_pass(cell, 2000);
	/* It waits for the machine to have room again. */
	assert_int_equal(fake_running(cell, "once"), 0);
	m->pressed = false;
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "once"), 1);
	fake_free(cell);
}

static void a_crash_loop_slows_down_and_says_why(void **state)
{
	struct fake_cell *cell = fake_new();
	_cleanup_free_ char *text = NULL;
	unsigned starts = 0;
	uint64_t last = 0;

	(void)state;
	fake_begin(cell);
	fake_machine(cell, "m0", "r0", 4000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("crash", 200, 1, "1", ""));
	for (int s = 0; s < 120; s++) {
		struct fake_task *task = fake_task(cell->machines, "crash/0");

		if (task && task->incarnation > last) {
			last = task->incarnation;
			starts++;
			task->state = REPORT_ENDED;
			task->exit_code = 3;
		}
		fake_pass(cell, 1000);
	}
	/* After 1, 3, 7, 15, 31, 63 s. */
	assert_in_range(starts, 6, 8);
	text = fake_status(cell, "crash");
	assert_non_null(strstr(text, "exited with status 3; it is tried again in "));
	fake_free(cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tasks_of_a_dead_machine_start_elsewhere_at_a_rate),
		cmocka_unit_test(a_rack_is_lost_and_four_of_five_go_on),
		cmocka_unit_test(a_cordoned_machine_keeps_what_it_has_and_gets_nothing),
		cmocka_unit_test(a_cordoned_machine_keeps_its_tasks_over_a_restart),
		cmocka_unit_test(a_drain_heeds_the_disruption_budget),
		cmocka_unit_test(after_its_deadline_no_budget_holds_a_drain),
		cmocka_unit_test(a_later_deadline_counts_when_the_first_is_over),
		cmocka_unit_test(only_operators_change_machines),
		cmocka_unit_test(a_machine_that_changes_is_believed),
		cmocka_unit_test(what_is_not_used_is_lent_to_batch),
		cmocka_unit_test(whom_its_machine_evicts_has_not_failed),
		cmocka_unit_test(a_crash_loop_slows_down_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
