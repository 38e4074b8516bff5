/* SPDX-License-Identifier: Apache-2.0 */
/* What a job may ask for, one by one, and what a cell does about it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/cell.h"
#include "scheduler/core/why.h"

#define GIB ((int64_t)1 << 30)

struct world {
	struct outside outside;
	struct cell *cell;
	struct event last[8]; /* by kind */
	unsigned seen[8];
};

static void on_event(void *data, const struct event *event)
{
	struct world *w = data;

	w->last[event->kind] = *event;
	w->seen[event->kind]++;
}

static void build(struct world *w, struct cell_options options)
{
	struct err err = { 0 };

	*w = (struct world){ .outside = { .random = 7, .event = on_event, .data = w } };
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &err), 0);
}

static uint32_t add_machine(struct world *w, const char *name, const char *rack, int64_t cpu)
{
	struct machine_spec spec = { .name = name,
				     .rack = rack,
				     .first_port = 20000,
				     .capacity = { { cpu, 64 * GIB, 64 * GIB, 3 } } };
	struct err err = { 0 };
	uint32_t machine;

	assert_int_equal(cell_add_machine(w->cell, &spec, &machine, &err), 0);
	return machine;
}

static struct job make_job(const char *name, unsigned priority, uint32_t count, int64_t cpu)
{
	return (struct job){ .name = name,
			     .owner = "o",
			     .priority = priority,
			     .count = count,
			     .request = { .amounts = { { cpu, GIB } } } };
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

static uint32_t submit(struct world *w, const struct job *job)
{
	struct err err = { 0 };
	uint32_t j;

	if (cell_submit(w->cell, job, &j, &err) < 0)
		fail_msg("%s", err.text);
	settle(w);
	return j;
}

static struct task_view view_of(struct world *w, uint32_t job, uint32_t index)
{
	struct task_view view;

	cell_task(w->cell, cell_job_task(w->cell, job, index), &view);
	return view;
}

static unsigned running(struct world *w, uint32_t job, uint32_t count)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < count; i++)
		n += view_of(w, job, i).state == TASK_RUNNING && !view_of(w, job, i).paused;
	return n;
}

static void victims_get_the_notice_they_asked_for(void **state)
{
	struct job low = make_job("low", 100, 1, 4000), high = make_job("high", 200, 1, 4000);
	struct world w;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 4000);
	low.notice_ms = 2500;
	low.on_preemption = PREEMPTION_CHECKPOINT;
	submit(&w, &low);
	submit(&w, &high);
	assert_int_equal(w.last[EVENT_PREEMPT].count, 2500);
	assert_int_equal(w.last[EVENT_PREEMPT].detail, PREEMPTION_CHECKPOINT);
	assert_int_equal(w.last[EVENT_PLACE].count, 2500);
	cell_free(w.cell);
}

static void a_paused_task_keeps_its_place_and_goes_on(void **state)
{
	struct job low = make_job("low", 100, 1, 3000), high = make_job("high", 200, 1, 4000);
	struct machine_view machine;
	uint32_t l, h;
	struct world w;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 5000);
	low.on_preemption = PREEMPTION_PAUSE;
	l = submit(&w, &low);
	h = submit(&w, &high);
	assert_true(view_of(&w, l, 0).paused);
	assert_int_equal(view_of(&w, l, 0).state, TASK_RUNNING);
	cell_machine(w.cell, 0, &machine);
	assert_int_equal(machine.free.of[RESOURCE_CPU], 1000);
	assert_int_equal(machine.free.of[RESOURCE_MEMORY], 62 * GIB);
	assert_int_equal(w.last[EVENT_PREEMPT].detail, PREEMPTION_PAUSE);
	cell_end_task(w.cell, cell_job_task(w.cell, h, 0), END_FINISHED);
	settle(&w);
	assert_false(view_of(&w, l, 0).paused);
	assert_int_equal(w.seen[EVENT_RESUME], 1);
	cell_machine(w.cell, 0, &machine);
	assert_int_equal(machine.free.of[RESOURCE_CPU], 2000);
	cell_free(w.cell);
}

static void where_memory_is_short_it_is_killed_instead(void **state)
{
	struct job low = make_job("low", 100, 1, 3000), high = make_job("high", 200, 1, 4000);
	struct world w;
	uint32_t l;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 5000);
	low.on_preemption = PREEMPTION_PAUSE;
	high.request.amounts.of[RESOURCE_MEMORY] = 64 * GIB;
	l = submit(&w, &low);
	submit(&w, &high);
	assert_int_equal(view_of(&w, l, 0).state, TASK_PENDING);
	assert_int_equal(w.last[EVENT_PREEMPT].detail, PREEMPTION_KILL);
	cell_free(w.cell);
}

static void what_can_be_checkpointed_or_paused_goes_first(void **state)
{
	struct job a = make_job("a", 100, 1, 4000), b = make_job("b", 100, 1, 4000);
	struct job high = make_job("high", 200, 1, 4000);
	struct world w;
	uint32_t j;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 8000);
	a.on_preemption = PREEMPTION_CHECKPOINT;
	j = submit(&w, &a);
	/* The other one is younger, and would lose less if it had to start over. */
	w.outside.now_ms = 10000;
	submit(&w, &b);
	w.outside.now_ms = 11000;
	submit(&w, &high);
	assert_int_equal(view_of(&w, j, 0).state, TASK_PENDING);
	cell_free(w.cell);
}

static void a_checkpointed_task_goes_back_to_its_machine(void **state)
{
	struct job low = make_job("low", 100, 1, 8000), high = make_job("high", 200, 1, 8000);
	char name[8];
	struct world w;
	uint32_t l, h, home;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 8000);
	low.on_preemption = PREEMPTION_CHECKPOINT;
	l = submit(&w, &low);
	home = view_of(&w, l, 0).machine;
	h = submit(&w, &high);
	assert_int_equal(view_of(&w, l, 0).state, TASK_PENDING);
	/* Of many machines that are free at the same time. */
	for (int i = 1; i < 20; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		add_machine(&w, name, "r", 8000);
	}
	cell_remove_job(w.cell, h);
	while (cell_decide(w.cell))
		;
	assert_int_equal(view_of(&w, l, 0).state, TASK_RUNNING);
	assert_int_equal(view_of(&w, l, 0).machine, home);
	cell_free(w.cell);
}

static void of_equal_victims_batch_goes(void **state)
{
	struct job serving = make_job("serving", 100, 1, 4000),
		   batch = make_job("batch", 100, 1, 4000);
	struct job high = make_job("high", 200, 1, 4000);
	struct world w;
	uint32_t s;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 8000);
	serving.latency_sensitive = true;
	s = submit(&w, &serving);
	submit(&w, &batch);
	submit(&w, &high);
	assert_int_equal(view_of(&w, s, 0).state, TASK_RUNNING);
	cell_free(w.cell);
}

static void batch_is_held_back_until_the_cell_can_take_it(void **state)
{
	struct job first = make_job("first", 100, 2, 4000),
		   second = make_job("second", 100, 2, 4000);
	struct job small = make_job("small", 110, 1, 1000),
		   free_job = make_job("free", 50, 1, 1000);
	struct world w;
	struct why why;
	struct err err = { 0 };
	uint32_t f, s;

	(void)state;
	build(&w, (struct cell_options){ .batch_share = 0.65 });
	add_machine(&w, "m0", "r", 16000);
	f = submit(&w, &first);
	s = submit(&w, &second);
	assert_int_equal(running(&w, f, 2), 2);
	assert_int_equal(running(&w, s, 2), 0);
	assert_int_equal(cell_why(w.cell, cell_job_task(w.cell, s, 0), &why, &err), 0);
	assert_int_equal(why.wait, WAIT_HELD);
	/* A smaller one may pass, and other bands are not held. */
	assert_int_equal(running(&w, submit(&w, &small), 1), 1);
	assert_int_equal(running(&w, submit(&w, &free_job), 1), 1);
	cell_remove_job(w.cell, f);
	settle(&w);
	assert_int_equal(running(&w, s, 2), 2);
	/* However large it is: alone it goes in. */
	cell_remove_job(w.cell, s);
	cell_remove_job(w.cell, cell_find_job(w.cell, "small"));
	first.count = 3;
	assert_int_equal(running(&w, submit(&w, &first), 3), 3);
	cell_free(w.cell);
}

static void soft_rules_are_wishes(void **state)
{
	struct job spread = make_job("spread", 200, 4, 1000), near = make_job("near", 200, 3, 1000);
	uint32_t j, on[2] = { 0, 0 };
	struct world w;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r0", 8000);
	add_machine(&w, "m1", "r1", 8000);
	spread.spread =
		(struct spread_rule){ .kind = SPREAD_APART, .domain = DOMAIN_RACK, .soft = true };
	j = submit(&w, &spread);
	for (uint32_t i = 0; i < 4; i++)
		on[view_of(&w, j, i).machine]++;
	/* More than one in a rack, for there is no other way, but even. */
	assert_true(on[0] == 2 && on[1] == 2);
	near.spread = (struct spread_rule){ .kind = SPREAD_TOGETHER,
					    .domain = DOMAIN_RACK,
					    .soft = true };
	j = submit(&w, &near);
	for (uint32_t i = 1; i < 3; i++)
		assert_int_equal(view_of(&w, j, i).machine, view_of(&w, j, 0).machine);
	cell_free(w.cell);
}

static void together_in_a_rack_and_apart_on_machines(void **state)
{
	struct job job = make_job("both", 200, 3, 1000);
	struct world w;
	uint32_t j;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	for (int i = 0; i < 5; i++) {
		char name[8];

		snprintf(name, sizeof(name), "m%d", i);
		add_machine(&w, name, i < 2 ? "small" : "large", 8000);
	}
	job.spread = (struct spread_rule){ .kind = SPREAD_APART, .domain = DOMAIN_MACHINE };
	job.affinity = (struct spread_rule){ .kind = SPREAD_TOGETHER, .domain = DOMAIN_RACK };
	j = submit(&w, &job);
	assert_int_equal(running(&w, j, 3), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(view_of(&w, j, i).machine >= 2);
	assert_true(view_of(&w, j, 0).machine != view_of(&w, j, 1).machine);
	cell_free(w.cell);
}

static void machines_that_hold_the_image_are_preferred(void **state)
{
	struct job job = make_job("job", 200, 1, 1000);
	struct err err = { 0 };
	struct world w;

	(void)state;
	for (uint32_t holder = 0; holder < 4; holder++) {
		build(&w, (struct cell_options){ 0 });
		for (int i = 0; i < 4; i++) {
			char name[8];

			snprintf(name, sizeof(name), "m%d", i);
			add_machine(&w, name, name, 8000);
		}
		job.image = "web";
		assert_int_equal(cell_set_image(w.cell, holder, "web", true, &err), 0);
		assert_int_equal(view_of(&w, submit(&w, &job), 0).machine, holder);
		cell_free(w.cell);
	}
}

static void ports_are_numbers(void **state)
{
	static const uint16_t wanted[] = { 80, 443 };
	struct job job = make_job("job", 100, 1, 1000), other = make_job("other", 100, 1, 1000);
	struct job high = make_job("high", 200, 1, 1000);
	struct why why;
	struct err err = { 0 };
	struct world w;
	uint32_t j, o, task;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 8000);
	job.request.amounts.of[RESOURCE_PORTS] = 2;
	job.host_ports = wanted;
	job.host_port_count = 2;
	j = submit(&w, &job);
	task = cell_job_task(w.cell, j, 0);
	assert_int_equal(cell_task_port(w.cell, task, 0), 80);
	assert_int_equal(cell_task_port(w.cell, task, 1), 443);
	assert_int_equal(cell_task_port(w.cell, task, 2), 20000);
	assert_int_equal(cell_task_port(w.cell, task, 3), 20001);
	/* Taken: the same priority waits, and is told why; a higher one takes it. */
	other.host_ports = wanted + 1;
	other.host_port_count = 1;
	o = submit(&w, &other);
	assert_int_equal(running(&w, o, 1), 0);
	assert_int_equal(cell_why(w.cell, cell_job_task(w.cell, o, 0), &why, &err), 0);
	assert_int_equal(why.by_reason[FIT_PORTS], 1);
	assert_int_equal(why.change.kind, CHANGE_PRIORITY);
	high.host_ports = wanted;
	high.host_port_count = 1;
	assert_int_equal(running(&w, submit(&w, &high), 1), 1);
	assert_int_equal(running(&w, j, 1), 0);
	assert_int_equal(running(&w, o, 1), 1);
	/* A number of the machine's own range is nobody's to choose. */
	cell_remove_job(w.cell, j);
	job.host_ports = (const uint16_t[]){ 20001 };
	job.host_port_count = 1;
	assert_int_equal(running(&w, submit(&w, &job), 1), 0);
	job.name = "twice";
	job.host_ports = (const uint16_t[]){ 7, 7 };
	job.host_port_count = 2;
	assert_int_equal(cell_submit(w.cell, &job, NULL, &err), -EINVAL);
	cell_free(w.cell);
}

static void jobs_run_in_the_cells_they_name(void **state)
{
	static const char *const cells[] = { "b", "a" };
	struct job job = make_job("job", 100, 1, 1000);
	struct err err = { 0 };
	struct world w;

	(void)state;
	job.cells = cells;
	job.cell_count = 1;
	build(&w, (struct cell_options){ .name = "a" });
	assert_int_equal(cell_submit(w.cell, &job, NULL, &err), -EPERM);
	job.cell_count = 2;
	err_clear(&err);
	assert_int_equal(cell_submit(w.cell, &job, NULL, &err), 0);
	cell_free(w.cell);
}

static void a_victim_avoids_the_machine_on_which_it_crashed(void **state)
{
	struct job job = make_job("job", 100, 1, 4000), high = make_job("high", 200, 1, 4000);
	struct world w;
	uint32_t j, task, crashed, h;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	for (int i = 0; i < 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "m%d", i);
		add_machine(&w, name, name, 4000);
	}
	j = submit(&w, &job);
	task = cell_job_task(w.cell, j, 0);
	crashed = view_of(&w, j, 0).machine;
	cell_end_task(w.cell, task, END_FAILED);
	w.outside.now_ms += 60000;
	settle(&w);
	assert_true(view_of(&w, j, 0).machine != crashed);
	/* Lost from there, too, it goes to the third. */
	h = view_of(&w, j, 0).machine;
	cell_set_machine(w.cell, h, MACHINE_DOWN);
	w.outside.now_ms += 60000;
	settle(&w);
	assert_true(view_of(&w, j, 0).machine != crashed && view_of(&w, j, 0).machine != h);
	/* Where there is no other it takes the one it has. */
	high.count = 1;
	submit(&w, &high);
	cell_set_machine(w.cell,
			 view_of(&w, j, 0).machine == NOBODY ? 0 : view_of(&w, j, 0).machine,
			 MACHINE_DOWN);
	w.outside.now_ms += 60000;
	settle(&w);
	cell_free(w.cell);
}

static void restarts_follow_the_rule(void **state)
{
	struct job job = make_job("job", 100, 1, 1000);
	struct world w;
	uint32_t j, task;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 4000);
	job.restart = (struct restart_rule){ RESTART_ALWAYS, 2, 3000, 4000 };
	j = submit(&w, &job);
	task = cell_job_task(w.cell, j, 0);
	for (int i = 0; i < 2; i++) {
		cell_end_task(w.cell, task, i ? END_FAILED : END_FINISHED);
		assert_int_equal(cell_next_ms(w.cell), w.outside.now_ms + 3000 + 1000 * i);
		w.outside.now_ms = cell_next_ms(w.cell);
		settle(&w);
		assert_int_equal(running(&w, j, 1), 1);
	}
	cell_end_task(w.cell, task, END_FAILED);
	assert_int_equal(view_of(&w, j, 0).state, TASK_ENDED);
	job.name = "never";
	job.restart = (struct restart_rule){ .when = RESTART_NEVER };
	j = submit(&w, &job);
	cell_end_task(w.cell, cell_job_task(w.cell, j, 0), END_FAILED);
	assert_int_equal(view_of(&w, j, 0).state, TASK_ENDED);
	cell_free(w.cell);
}

/* ---- gangs ---- */

static void a_gang_preempts_all_or_nothing(void **state)
{
	struct job low = make_job("low", 100, 4, 2000), gang = make_job("gang", 200, 2, 4000);
	struct world w;
	uint32_t l, g;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 4000);
	add_machine(&w, "m1", "r", 4000);
	l = submit(&w, &low);
	gang.gang = true;
	gang.count = 3;
	g = submit(&w, &gang);
	/* Two would have a place: nobody has to go for that. */
	assert_int_equal(running(&w, g, 3), 0);
	assert_int_equal(running(&w, l, 4), 4);
	assert_int_equal(w.seen[EVENT_PREEMPT], 0);
	cell_remove_job(w.cell, g);
	gang.count = 2;
	g = submit(&w, &gang);
	assert_int_equal(running(&w, g, 2), 2);
	assert_int_equal(w.seen[EVENT_PREEMPT], 4);
	cell_free(w.cell);
}

static void a_gang_takes_no_more_victims_than_it_needs(void **state)
{
	struct job low = make_job("low", 100, 4, 2000), gang = make_job("gang", 200, 3, 1000);
	struct world w;
	uint32_t l, g;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 4000);
	add_machine(&w, "m1", "r", 5000);
	l = submit(&w, &low);
	gang.gang = true;
	g = submit(&w, &gang);
	assert_int_equal(running(&w, g, 3), 3);
	assert_int_equal(running(&w, l, 4), 3);
	cell_free(w.cell);
}

static void an_alloc_set_preempts_like_a_gang(void **state)
{
	struct job low = make_job("low", 100, 2, 3000), set = make_job("set", 200, 2, 2000);
	struct world w;
	uint32_t s;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 4000);
	add_machine(&w, "m1", "r", 4000);
	submit(&w, &low);
	set.reserves = true;
	s = submit(&w, &set);
	assert_int_equal(running(&w, s, 2), 2);
	cell_free(w.cell);
}

static void why_speaks_of_a_whole_gang(void **state)
{
	struct job gang = make_job("gang", 200, 5, 3000);
	char text[WHY_TEXT_SIZE];
	struct err err = { 0 };
	struct world w;
	struct why why;
	uint32_t g, task;

	(void)state;
	build(&w, (struct cell_options){ 0 });
	add_machine(&w, "m0", "r", 8000);
	add_machine(&w, "m1", "r", 8000);
	gang.gang = true;
	g = submit(&w, &gang);
	task = cell_job_task(w.cell, g, 3);
	assert_int_equal(cell_why(w.cell, task, &why, &err), 0);
	assert_true(why.gang);
	/* One alone would fit on both; four of five start. */
	assert_int_equal(why.by_reason[FIT_YES], 2);
	assert_int_equal(why.change.kind, CHANGE_AMOUNT);
	assert_int_equal(why.change.resource, RESOURCE_CPU);
	assert_true(why.change.amount > 2640 && why.change.amount <= 2666);
	why_format(w.cell, task, &why, text);
	assert_non_null(
		strstr(text, "gang/3 is pending since 0.000 s, at priority 200, and starts"));
	assert_non_null(strstr(text, "it would start with at most"));
	/* Asking has changed nothing. */
	assert_int_equal(running(&w, g, 5), 0);
	settle(&w);
	cell_free(w.cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(victims_get_the_notice_they_asked_for),
		cmocka_unit_test(a_paused_task_keeps_its_place_and_goes_on),
		cmocka_unit_test(where_memory_is_short_it_is_killed_instead),
		cmocka_unit_test(what_can_be_checkpointed_or_paused_goes_first),
		cmocka_unit_test(a_checkpointed_task_goes_back_to_its_machine),
		cmocka_unit_test(of_equal_victims_batch_goes),
		cmocka_unit_test(batch_is_held_back_until_the_cell_can_take_it),
		cmocka_unit_test(soft_rules_are_wishes),
		cmocka_unit_test(together_in_a_rack_and_apart_on_machines),
		cmocka_unit_test(machines_that_hold_the_image_are_preferred),
		cmocka_unit_test(ports_are_numbers),
		cmocka_unit_test(jobs_run_in_the_cells_they_name),
		cmocka_unit_test(a_victim_avoids_the_machine_on_which_it_crashed),
		cmocka_unit_test(restarts_follow_the_rule),
		cmocka_unit_test(a_gang_preempts_all_or_nothing),
		cmocka_unit_test(a_gang_takes_no_more_victims_than_it_needs),
		cmocka_unit_test(an_alloc_set_preempts_like_a_gang),
		cmocka_unit_test(why_speaks_of_a_whole_gang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
