/* SPDX-License-Identifier: Apache-2.0 */
/* Who had to leave goes on from its checkpoint, or begins anew and is told why. */
#include "tests/unit/master/fake.h"

#define BATCH FAKE_JOB("batch", 100, 1, "1", "preemption: {how: checkpoint, notice: 7s}\n")
#define PROD FAKE_JOB("prod", 200, 1, "1", "")

static struct fake_machine *preempted(struct fake_cell *cell, uint64_t *ret_incarnation)
{
	struct fake_machine *m;

	fake_begin(cell);
	m = fake_machine(cell, "m0", "r0", 1000);
	fake_beat(cell);
	fake_submit(cell, "%s", BATCH);
	assert_int_equal(fake_running(cell, "batch"), 1);
	*ret_incarnation = fake_task(m, "batch/0")->incarnation;
	fake_submit(cell, "%s", PROD);
	assert_int_equal(fake_running(cell, "batch"), 0);
	assert_int_equal(fake_running(cell, "prod"), 1);
	fake_beat(cell);
	return m;
}

static void end(struct fake_cell *cell, const char *job, bool purge)
{
	struct err err = { 0 };

	assert_int_equal(master_stop(cell->master, &fake_operator, job, purge, &err), 0);
	fake_beat(cell);
}

static unsigned told(const struct fake_cell *cell, enum journal_kind kind)
{
	return (unsigned)journal_count(cell->master->journal, kind);
}

static void it_goes_on_where_its_checkpoint_is(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	uint64_t first;

	(void)state;
	m = preempted(cell, &first);
	assert_int_equal(m->kept_count, 1);
	assert_int_equal(m->kept[0].incarnation, first);
	assert_int_equal(told(cell, JOURNAL_TASK_CHECKPOINTED), 1);
	assert_string_equal(task_find(cell->master, "batch/0")->kept_note,
			    "its checkpoint is on m0");
	fake_beat(cell);
	assert_int_equal(told(cell, JOURNAL_TASK_CHECKPOINTED), 1);
	/* Another master knows of it, too. */
	fake_end(cell);
	fake_begin(cell);
	fake_beat(cell);
	assert_int_equal(m->kept_count, 1);
	end(cell, "prod", false);
	assert_int_equal(fake_running(cell, "batch"), 1);
	assert_true(fake_task(m, "batch/0")->restored);
	assert_true(fake_task(m, "batch/0")->incarnation > first);
	assert_int_equal(m->kept_count, 0);
	fake_beat(cell);
	assert_int_equal(told(cell, JOURNAL_TASK_RESTORED), 1);
	assert_int_equal(task_find(cell->master, "batch/0")->kept, 0);
	fake_free(cell);
}

/* Its agent was killed after it had given the container its new name. */
static void one_that_was_about_to_go_on_goes_on(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	uint64_t first;

	(void)state;
	m = preempted(cell, &first);
	m->cut = true;
	end(cell, "prod", false);
	m->kept[0].incarnation = task_find(cell->master, "batch/0")->incarnation;
	assert_true(m->kept[0].incarnation > first);
	m->cut = false;
	fake_beat(cell);
	fake_beat(cell);
	assert_true(fake_task(m, "batch/0")->restored);
	assert_int_equal(m->kept_count, 0);
	assert_int_equal(told(cell, JOURNAL_TASK_RESTORED), 1);
	fake_free(cell);
}

/* It was placed there again, and had to leave before its machine heard of that. */
static void one_that_nobody_used_is_not_forgotten(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	uint64_t first;

	(void)state;
	m = preempted(cell, &first);
	m->cut = true;
	end(cell, "prod", false);
	assert_true(task_find(cell->master, "batch/0")->incarnation > first);
	fake_submit(cell, "%s", FAKE_JOB("more", 200, 1, "1", ""));
	assert_int_equal(task_find(cell->master, "batch/0")->at, NOBODY);
	m->cut = false;
	fake_beat(cell);
	assert_int_equal(m->kept_count, 1);
	assert_int_equal(fake_running(cell, "more"), 1);
	end(cell, "more", false);
	assert_int_equal(fake_running(cell, "batch"), 1);
	assert_true(fake_task(m, "batch/0")->restored);
	assert_int_equal(m->kept_count, 0);
	fake_free(cell);
}

/* It went on, and was put down again, while its machine was cut off. */
static void later_one_counts(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	uint64_t first, later;

	(void)state;
	m = preempted(cell, &first);
	m->cut = true;
	end(cell, "prod", false);
	later = task_find(cell->master, "batch/0")->incarnation;
	fake_submit(cell, "%s", FAKE_JOB("more", 200, 1, "1", ""));
	m->kept[0].incarnation = later;
	m->cut = false;
	fake_beat(cell);
	assert_int_equal(m->kept_count, 1);
	assert_int_equal(task_find(cell->master, "batch/0")->kept, later);
	end(cell, "more", false);
	assert_true(fake_task(m, "batch/0")->restored);
	assert_int_equal(m->kept_count, 0);
	fake_free(cell);
}

static void elsewhere_it_begins_anew(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m, *other;
	uint64_t first;

	(void)state;
	m = preempted(cell, &first);
	assert_int_equal(m->kept_count, 1);
	other = fake_machine(cell, "m1", "r1", 1000);
	fake_beat(cell);
	fake_beat(cell);
	assert_non_null(fake_task(other, "batch/0"));
	assert_false(fake_task(other, "batch/0")->restored);
	assert_int_equal(m->kept_count, 0);
	assert_int_equal(told(cell, JOURNAL_TASK_CHECKPOINT_DROPPED), 1);
	assert_string_equal(task_find(cell->master, "batch/0")->kept_note,
			    "its checkpoint on m0 was dropped: it is on another machine now");
	fake_free(cell);
}

static void why_there_is_none_is_told_once(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	struct held_task *task;

	(void)state;
	fake_begin(cell);
	m = fake_machine(cell, "m0", "r0", 1000);
	m->slow = true;
	m->no_checkpoint = "criu is asleep";
	fake_beat(cell);
	fake_submit(cell, "%s", BATCH);
	fake_submit(cell, "%s", PROD);
	fake_beat(cell);
	fake_beat(cell);
	task = task_find(cell->master, "batch/0");
	assert_int_equal(told(cell, JOURNAL_TASK_CHECKPOINT_FAILED), 1);
	assert_string_equal(task->kept_note, "it could not be checkpointed: criu is asleep");
	assert_int_equal(task->kept, 0);
	m->slow = false;
	end(cell, "prod", false);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "batch"), 1);
	assert_false(fake_task(m, "batch/0")->restored);
	assert_int_equal(m->kept_count, 0);
	fake_free(cell);
}

static void what_nobody_wants_is_dropped(void **state)
{
	struct fake_cell *cell = fake_new();
	struct fake_machine *m;
	uint64_t first;

	(void)state;
	m = preempted(cell, &first);
	assert_int_equal(m->kept_count, 1);
	end(cell, "batch", true);
	assert_int_equal(m->kept_count, 0);
	/* Of a job of the same name that comes later it is none. */
	fake_submit(cell, "%s", BATCH);
	end(cell, "prod", false);
	assert_int_equal(fake_running(cell, "batch"), 1);
	assert_false(fake_task(m, "batch/0")->restored);
	fake_free(cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_on_where_its_checkpoint_is),
		cmocka_unit_test(one_that_was_about_to_go_on_goes_on),
		cmocka_unit_test(one_that_nobody_used_is_not_forgotten),
		cmocka_unit_test(later_one_counts),
		cmocka_unit_test(elsewhere_it_begins_anew),
		cmocka_unit_test(why_there_is_none_is_told_once),
		cmocka_unit_test(what_nobody_wants_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
