/* SPDX-License-Identifier: Apache-2.0 */
/* Who has to go is told so, stands still, comes back. */
#include <errno.h>

#include "tests/unit/master/fake.h"

#define BATCH(how) FAKE_JOB("batch", 100, 2, "1", "preemption: {how: " how ", notice: 7s}\n")

static void victims_get_their_notice(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	struct fake_task *victim = NULL;

	(void)state;
	fake_begin(cell);
	m = fake_machine(cell, "m0", "r0", 2000);
	m->slow = true;
	fake_beat(cell);
	fake_submit(cell, "%s", BATCH("kill"));
	assert_int_equal(fake_running(cell, "batch"), 2);
	fake_submit(cell, "%s", FAKE_JOB("prod", 200, 1, "1", ""));
	for (size_t i = 0; i < m->count; i++)
		if (m->tasks[i].leaving)
			victim = &m->tasks[i];
	assert_non_null(victim);
	assert_int_equal(victim->notice_ms, 7000);
	assert_false(victim->checkpoint);
	/* It is told until it is gone, and not after that. */
	fake_beat(cell);
	assert_non_null(cell->master->leaving);
	fake_drop(m, victim);
	fake_beat(cell);
	assert_null(cell->master->leaving);
	fake_free(cell);
}

static void batch_comes_back_when_there_is_room(void **state)
{
	struct fake_cell *cell = fake_new();
	struct err err = { 0 };

	(void)state;
	fake_begin(cell);
	fake_machine(cell, "m0", "r0", 2000);
	fake_beat(cell);
	fake_submit(cell, "%s", BATCH("kill"));
	fake_submit(cell, "%s", FAKE_JOB("prod", 200, 2, "1", ""));
	assert_int_equal(fake_running(cell, "batch"), 0);
	assert_int_equal(fake_running(cell, "prod"), 2);
	assert_int_equal(master_stop(cell->master, &fake_operator, "prod", false, &err), 0);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "batch"), 2);
	fake_free(cell);
}

static void paused_ones_go_on_with_their_memory(void **state)
{
	struct fake_cell *cell = fake_new();
	uint64_t before[2];
	struct fake_machine *m;
	struct err err = { 0 };

	(void)state;
	fake_begin(cell);
	m = fake_machine(cell, "m0", "r0", 2000);
	fake_beat(cell);
	fake_submit(cell, "%s", BATCH("pause"));
	before[0] = fake_task(m, "batch/0")->incarnation;
	before[1] = fake_task(m, "batch/1")->incarnation;
	fake_submit(cell, "%s", FAKE_JOB("prod", 200, 1, "1", ""));
	assert_int_equal(fake_paused(cell), 1);
	assert_int_equal(fake_running(cell, "prod"), 1);
	/* Another master knows of it, too. */
	fake_end(cell);
	fake_begin(cell);
	fake_beat(cell);
	assert_int_equal(fake_paused(cell), 1);
	assert_int_equal(fake_running(cell, "prod"), 1);
	assert_int_equal(master_stop(cell->master, &fake_operator, "prod", false, &err), 0);
	fake_beat(cell);
	assert_int_equal(fake_paused(cell), 0);
	assert_int_equal(fake_task(m, "batch/0")->incarnation, before[0]);
	assert_int_equal(fake_task(m, "batch/1")->incarnation, before[1]);
	fake_free(cell);
}

static void checkpoints_are_asked_for(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	unsigned n = 0;

	(void)state;
	fake_begin(cell);
	m = fake_machine(cell, "m0", "r0", 2000);
	m->slow = true;
	fake_beat(cell);
	fake_submit(cell, "%s", BATCH("checkpoint"));
	fake_submit(cell, "%s", FAKE_JOB("prod", 200, 2, "1", ""));
	for (size_t i = 0; i < m->count; i++)
		n += m->tasks[i].leaving && m->tasks[i].checkpoint;
	assert_int_equal(n, 2);
	fake_free(cell);
}

static void a_flood_of_production_leaves_batch_its_fifth(void **state)
{
	struct fake_cell *cell = fake_new();
	const char *job;
	char text[512];
	struct err err = { 0 };
	unsigned taken = 0;

	(void)state;
	cell->options.production_share = 0.8;
	fake_begin(cell);
	fake_machine(cell, "m0", "r0", 5000);
	fake_machine(cell, "m1", "r1", 5000);
	fake_beat(cell);
	fake_submit(cell, "%s", FAKE_JOB("batch", 100, 10, "1", ""));
	assert_int_equal(fake_running(cell, "batch"), 10);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), FAKE_JOB("prod%u", 200, 1, "1", ""), i);
		err = (struct err){ 0 };
		if (master_submit(cell->master, &fake_operator, "job.yaml", text, strlen(text),
				  &job, &err) == 0)
			taken++;
		fake_beat(cell);
	}
	assert_int_equal(taken, 8);
	assert_string_equal(err.text, "job.yaml: production may have 80 % of the cell: of 8000 "
				      "millicores of CPU 0 are left, and 1000 asked for");
	assert_int_equal(fake_running(cell, "batch"), 2);
	assert_int_equal(master_scale(cell->master, &fake_operator, "prod1", 2, &err), -EDQUOT);
	/* What ends gives way. */
	assert_int_equal(master_stop(cell->master, &fake_operator, "prod0", false, &err), 0);
	fake_submit(cell, "%s", FAKE_JOB("more", 200, 1, "1", ""));
	assert_int_equal(fake_running(cell, "batch"), 2);
	fake_free(cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(victims_get_their_notice),
		cmocka_unit_test(batch_comes_back_when_there_is_room),
		cmocka_unit_test(paused_ones_go_on_with_their_memory),
		cmocka_unit_test(checkpoints_are_asked_for),
		cmocka_unit_test(a_flood_of_production_leaves_batch_its_fifth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
