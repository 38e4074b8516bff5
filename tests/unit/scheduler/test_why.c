/* SPDX-License-Identifier: Apache-2.0 */
/* `why` is confirmed by replay: the task, changed as it says, runs; counts add up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/checkpoint.h"
#include "scheduler/core/why.h"
#include "tests/unit/scheduler/random_cell.h"

#define CELLS 120 /* $CELLAR_TEST_FULL: 1,500 */
#define JOBS 24

struct world {
	struct draw draw;
	struct outside outside;
	struct cell *cell;
	struct random_job jobs[JOBS];
	uint32_t job[JOBS];
};

static unsigned confirmed[CHANGE_MACHINE + 1], gangs, explained;

static void build(struct world *w, uint64_t seed)
{
	struct cell_options options = { 0 };
	struct err err = { 0 };
	unsigned machines;

	memset(w, 0, sizeof(*w));
	w->draw.state = seed;
	w->outside.random = seed;
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &err), 0);
	machines = (unsigned)draw_from(&w->draw, 1, 6);
	for (unsigned i = 0; i < machines; i++)
		assert_int_equal(add_random_machine(&w->draw, w->cell, i, &err), 0);
	for (unsigned j = 0; j < JOBS; j++) {
		w->outside.now_ms += 1000;
		draw_job(&w->draw, j, &w->jobs[j]);
		w->jobs[j].job.gang = seed % 3 == 0 && j % 4 == 0;
		assert_int_equal(cell_submit(w->cell, &w->jobs[j].job, &w->job[j], &err), 0);
		while (cell_next_ms(w->cell) <= w->outside.now_ms || cell_decide(w->cell) > 0)
			cell_decide(w->cell);
	}
}

static void change_job(struct job *job, const struct change *change)
{
	switch (change->kind) {
	case CHANGE_AMOUNT:
		job->request.amounts.of[change->resource] = change->amount;
		break;
	case CHANGE_DEVICES:
		if (job->request.device_count == 1)
			job->request.device_milli = (uint16_t)change->amount;
		else
			job->request.device_count = (uint16_t)change->amount;
		break;
	case CHANGE_CONSTRAINT:
		job->constraint_count = 0;
		break;
	case CHANGE_PORT:
		if (job->host_ports[0] == change->amount)
			job->host_ports++;
		job->host_port_count--;
		break;
	case CHANGE_SPREAD:
		if (job->spread.kind == change->spread)
			job->spread.kind = SPREAD_NONE;
		else
			job->affinity.kind = SPREAD_NONE;
		break;
	case CHANGE_COUNT:
		job->count = (uint32_t)change->amount;
		break;
	case CHANGE_PRIORITY:
		job->priority = (unsigned)change->amount;
		break;
	default:
		break;
	}
}

static bool all_run(struct world *w, uint32_t job, uint32_t count)
{
	struct task_view view;

	for (uint32_t i = 0; i < count; i++) {
		cell_task(w->cell, cell_job_task(w->cell, job, i), &view);
		if (view.state != TASK_RUNNING)
			return false;
	}
	return true;
}

/* The gang goes, and comes again with the change: all of it must run. */
static void confirm_gang(struct world *w, unsigned j, const struct change *change, uint64_t seed)
{
	struct job job = w->jobs[j].job;
	struct err err = { 0 };
	uint32_t again;

	cell_remove_job(w->cell, w->job[j]);
	change_job(&job, change);
	assert_int_equal(cell_submit(w->cell, &job, &again, &err), 0);
	while (!all_run(w, again, job.count) && cell_decide(w->cell) > 0)
		;
	if (!all_run(w, again, job.count))
		fail_msg("seed %lu, gang %u: change %d does not help", (unsigned long)seed, j,
			 change->kind);
	gangs++;
}

/* One task with the change, in the same cell: it must run. */
static void confirm(struct world *w, unsigned j, const struct change *change, uint64_t seed)
{
	struct job job = w->jobs[j].job;
	struct err err = { 0 };
	struct task_view view;
	uint32_t again;

	if (job.spread.kind != SPREAD_NONE)
		job.spread.group = job.name;
	if (job.affinity.kind != SPREAD_NONE)
		job.affinity.group = job.name;
	job.name = "again";
	job.count = 1;
	change_job(&job, change);
	assert_int_equal(cell_submit(w->cell, &job, &again, &err), 0);
	/* It may be preempted later, by one that its own victims have woken. */
	do
		cell_task(w->cell, cell_job_task(w->cell, again, 0), &view);
	while (view.state != TASK_RUNNING && cell_decide(w->cell) > 0);
	if (view.state != TASK_RUNNING)
		fail_msg("seed %lu, job %u: change %d does not help", (unsigned long)seed, j,
			 change->kind);
	confirmed[change->kind]++;
}

/* So that every task that waits has its answer tried on the same cell. */
static void confirm_on_a_copy(const struct world *w, unsigned j, const struct why *why,
			      uint64_t seed)
{
	struct world copy = *w;
	struct err err = { 0 };
	uint8_t *bytes;
	size_t len;

	assert_int_equal(cell_save(w->cell, &bytes, &len, &err), 0);
	assert_int_equal(cell_load(bytes, len, &copy.outside, &copy.cell, &err), 0);
	free(bytes);
	if (why->gang)
		confirm_gang(&copy, j, &why->change, seed);
	else
		confirm(&copy, j, &why->change, seed);
	cell_free(copy.cell);
}

static void check_counts(const struct why *why)
{
	uint32_t sum = 0;

	for (int r = 0; r < FIT_COUNT; r++)
		sum += why->by_reason[r];
	assert_int_equal(sum, why->machines);
}

static void explain_one(uint64_t seed)
{
	struct world w;
	struct task_view view;
	struct why why;
	struct err err = { 0 };
	char text[200];

	build(&w, seed);
	for (unsigned j = 0; j < JOBS; j++) {
		uint32_t task = cell_job_task(w.cell, w.job[j], w.jobs[j].job.count - 1);

		cell_task(w.cell, task, &view);
		if (view.state != TASK_PENDING)
			continue;
		assert_int_equal(cell_why(w.cell, task, &why, &err), 0);
		check_counts(&why);
		assert_true(why_format_change(w.cell, task, &why.change, text, sizeof(text)) > 0);
		explained++;
		if (why.change.kind == CHANGE_MACHINE)
			confirmed[CHANGE_MACHINE]++;
		else
			confirm_on_a_copy(&w, j, &why, seed);
	}
	cell_free(w.cell);
}

static void what_why_says_is_true(void **state)
{
	const char *full = getenv("CELLAR_TEST_FULL");
	uint64_t cells = full && *full ? 1500 : CELLS;

	(void)state;
	for (uint64_t seed = 1; seed <= cells; seed++)
		explain_one(seed);
	print_message("%u answers tried: %u gangs, %u amounts, %u priorities, %u constraints, "
		      "%u rules, %u ports, %u devices; %u need a machine\n",
		      explained, gangs, confirmed[CHANGE_AMOUNT], confirmed[CHANGE_PRIORITY],
		      confirmed[CHANGE_CONSTRAINT], confirmed[CHANGE_SPREAD],
		      confirmed[CHANGE_PORT], confirmed[CHANGE_DEVICES], confirmed[CHANGE_MACHINE]);
	assert_true(confirmed[CHANGE_AMOUNT] > 50);
	assert_true(confirmed[CHANGE_PRIORITY] > 5);
	assert_true(gangs > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_why_says_is_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
