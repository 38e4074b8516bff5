/* SPDX-License-Identifier: Apache-2.0 */
/* Alloc sets: reserved whole or not at all, tasks inside of them, what happens when they go. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/cell.h"
#include "scheduler/core/why.h"

#define GIB ((int64_t)1 << 30)

struct world {
	struct outside outside;
	struct cell *cell;
	struct err err;
};

static void build(struct world *w, int machines)
{
	struct cell_options options = { 0 };
	char name[16];
	struct attribute attribute = { "arch", "arm64" };
	struct machine_spec spec = { .name = name,
				     .capacity = { { 4000, 8 * GIB, GIB, 100 } },
				     .attributes = &attribute,
				     .attribute_count = 1 };

	memset(w, 0, sizeof(*w));
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &w->err), 0);
	for (int i = 0; i < machines; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		assert_int_equal(cell_add_machine(w->cell, &spec, NULL, &w->err), 0);
	}
}

static uint32_t submit(struct world *w, const struct job *job)
{
	uint32_t j;

	assert_int_equal(cell_submit(w->cell, job, &j, &w->err), 0);
	return j;
}

static struct job make(const char *name, unsigned priority, uint32_t count, int64_t cpu)
{
	return (struct job){ .name = name,
			     .owner = "o",
			     .priority = priority,
			     .count = count,
			     .request = { .amounts = { { cpu, GIB } } } };
}

static uint32_t submit_set(struct world *w, const char *name, uint32_t count, int64_t cpu)
{
	struct job job = make(name, 200, count, cpu);

	job.reserves = true;
	return submit(w, &job);
}

static uint32_t submit_into(struct world *w, const char *name, const char *set, uint32_t count,
			    int64_t cpu)
{
	struct job job = make(name, 200, count, cpu);

	job.alloc_set = set;
	job.request.amounts.of[RESOURCE_MEMORY] /= 8;
	return submit(w, &job);
}

static void decide_all(struct world *w)
{
	while (cell_decide(w->cell) > 0)
		assert_int_equal(cell_check(w->cell, &w->err), 0);
	assert_int_equal(cell_check(w->cell, &w->err), 0);
}

static struct task_view view_of(const struct world *w, uint32_t job, uint32_t index)
{
	struct task_view view;

	cell_task(w->cell, cell_job_task(w->cell, job, index), &view);
	return view;
}

static uint32_t running(const struct world *w, uint32_t job, uint32_t count)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += view_of(w, job, i).state == TASK_RUNNING;
	return sum;
}

static void two_sets_that_race_never_half_win(void **state)
{
	struct world w;
	uint32_t a, b, in_a, in_b;

	(void)state;
	build(&w, 3);
	a = submit_set(&w, "a", 2, 3000);
	b = submit_set(&w, "b", 2, 3000);
	in_a = submit_into(&w, "in-a", "a", 1, 100);
	in_b = submit_into(&w, "in-b", "b", 1, 100);
	decide_all(&w);
	assert_int_equal(running(&w, a, 2), 2);
	assert_int_equal(running(&w, b, 2), 0);
	assert_int_equal(running(&w, in_a, 1), 1);
	assert_int_equal(running(&w, in_b, 1), 0);
	cell_remove_job(w.cell, a);
	decide_all(&w);
	assert_int_equal(running(&w, b, 2), 2);
	assert_int_equal(running(&w, in_b, 1), 1);
	/* Its set is gone: no room of another one takes it, nor a machine. */
	assert_int_equal(running(&w, in_a, 1), 0);
	submit_set(&w, "a", 1, 500);
	w.outside.now_ms += 1000;
	decide_all(&w);
	assert_int_equal(running(&w, in_a, 1), 1);
	cell_free(w.cell);
}

static void tasks_lie_in_their_set_alone(void **state)
{
	struct job job = make("plain", 200, 4, 1000);
	struct cell_totals totals;
	struct machine_view room;
	struct world w;
	uint32_t set, in, plain;

	(void)state;
	build(&w, 2);
	set = submit_set(&w, "set", 2, 2000);
	in = submit_into(&w, "in", "set", 5, 1000);
	plain = submit(&w, &job);
	decide_all(&w);
	assert_int_equal(running(&w, in, 5), 4);
	assert_int_equal(running(&w, plain, 4), 4);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(cell_machine(w.cell, view_of(&w, set, i).room, &room), 0);
		assert_int_equal(room.free.of[RESOURCE_CPU], 0);
		assert_int_equal(room.alloc, cell_job_task(w.cell, set, i));
		assert_int_equal(room.tasks, 2);
	}
	/* What is in an alloc is not counted twice. */
	cell_totals(w.cell, &totals);
	assert_int_equal(totals.machines, 2);
	assert_int_equal(totals.used.of[RESOURCE_CPU], 8000);
	assert_int_equal(totals.capacity.of[RESOURCE_CPU], 8000);
	assert_int_equal(totals.pending, 1);
	cell_free(w.cell);
}

static void bad_sets_are_refused(void **state)
{
	struct job no_set = make("x", 200, 1, 1), nested = make("y", 200, 1, 1);
	struct job share = make("z", 200, 1, 1), not_a_set = make("n", 200, 1, 1);
	struct world w;

	(void)state;
	build(&w, 1);
	submit_set(&w, "set", 1, 1000);
	submit_into(&w, "in", "set", 1, 100);
	no_set.alloc_set = "nowhere";
	not_a_set.alloc_set = "in";
	nested.alloc_set = "set";
	nested.reserves = share.reserves = true;
	share.request.device_count = 1;
	share.request.device_milli = 500;
	assert_int_equal(cell_submit(w.cell, &no_set, NULL, &w.err), -ENOENT);
	assert_non_null(strstr(w.err.text, "nowhere"));
	assert_int_equal(cell_submit(w.cell, &not_a_set, NULL, &w.err), -ENOENT);
	assert_int_equal(cell_submit(w.cell, &nested, NULL, &w.err), -EINVAL);
	assert_int_equal(cell_submit(w.cell, &share, NULL, &w.err), -EINVAL);
	decide_all(&w);
	cell_free(w.cell);
}

static void an_alloc_moves_with_its_tasks(void **state)
{
	struct world w;
	uint32_t set, in, was, rooms[3];

	(void)state;
	build(&w, 2);
	set = submit_set(&w, "set", 1, 2000);
	in = submit_into(&w, "in", "set", 3, 500);
	decide_all(&w);
	was = view_of(&w, set, 0).machine;
	for (uint32_t i = 0; i < 3; i++)
		rooms[i] = view_of(&w, in, i).machine;
	cell_set_machine(w.cell, was, MACHINE_DOWN);
	assert_int_equal(cell_check(w.cell, &w.err), 0);
	assert_int_equal(running(&w, in, 3), 0);
	w.outside.now_ms += 1000;
	decide_all(&w);
	assert_int_equal(view_of(&w, set, 0).state, TASK_RUNNING);
	assert_int_not_equal(view_of(&w, set, 0).machine, was);
	assert_int_equal(running(&w, in, 3), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(view_of(&w, in, i).machine, rooms[i]);
	cell_free(w.cell);
}

static void who_follows_may_end_meanwhile(void **state)
{
	struct cell_totals totals;
	struct world w;
	uint32_t set, in, other;

	(void)state;
	build(&w, 1);
	set = submit_set(&w, "set", 1, 2000);
	in = submit_into(&w, "in", "set", 1, 500);
	other = submit_into(&w, "other", "set", 2, 500);
	decide_all(&w);
	cell_set_machine(w.cell, 0, MACHINE_DOWN);
	cell_remove_job(w.cell, in);
	assert_int_equal(cell_check(w.cell, &w.err), 0);
	cell_remove_job(w.cell, set);
	assert_int_equal(cell_check(w.cell, &w.err), 0);
	cell_set_machine(w.cell, 0, MACHINE_UP);
	w.outside.now_ms += 1000;
	decide_all(&w);
	cell_totals(w.cell, &totals);
	assert_int_equal(totals.pending, 2);
	cell_remove_job(w.cell, other);
	decide_all(&w);
	cell_free(w.cell);
}

static void a_cordon_holds_for_the_allocs_on_the_machine(void **state)
{
	struct world w;
	uint32_t in, more;

	(void)state;
	build(&w, 1);
	submit_set(&w, "set", 1, 2000);
	in = submit_into(&w, "in", "set", 1, 500);
	decide_all(&w);
	cell_set_machine(w.cell, 0, MACHINE_CORDONED);
	more = submit_into(&w, "more", "set", 1, 500);
	decide_all(&w);
	assert_int_equal(running(&w, in, 1), 1);
	assert_int_equal(running(&w, more, 1), 0);
	cell_set_machine(w.cell, 0, MACHINE_UP);
	decide_all(&w);
	assert_int_equal(running(&w, more, 1), 1);
	cell_free(w.cell);
}

static void constraints_in_a_set_ask_about_the_host(void **state)
{
	const struct constraint arm = { "arch", "arm64", COMPARE_EQUAL, false };
	const struct constraint amd = { "arch", "amd64", COMPARE_EQUAL, false };
	struct job fits = make("fits", 200, 1, 100), never = make("never", 200, 1, 100);
	struct why why;
	struct world w;
	uint32_t a, b;

	(void)state;
	build(&w, 2);
	submit_set(&w, "set", 2, 2000);
	fits.alloc_set = never.alloc_set = "set";
	fits.constraint_count = never.constraint_count = 1;
	fits.constraints = &arm;
	never.constraints = &amd;
	a = submit(&w, &fits);
	b = submit(&w, &never);
	decide_all(&w);
	assert_int_equal(running(&w, a, 1), 1);
	assert_int_equal(running(&w, b, 1), 0);
	assert_int_equal(cell_why(w.cell, cell_job_task(w.cell, b, 0), &why, &w.err), 0);
	assert_int_equal(why.machines, 2);
	assert_int_equal(why.by_reason[FIT_CONSTRAINT], 2);
	assert_int_equal(why.change.kind, CHANGE_CONSTRAINT);
	cell_free(w.cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_sets_that_race_never_half_win),
		cmocka_unit_test(tasks_lie_in_their_set_alone),
		cmocka_unit_test(bad_sets_are_refused),
		cmocka_unit_test(an_alloc_moves_with_its_tasks),
		cmocka_unit_test(who_follows_may_end_meanwhile),
		cmocka_unit_test(a_cordon_holds_for_the_allocs_on_the_machine),
		cmocka_unit_test(constraints_in_a_set_ask_about_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
