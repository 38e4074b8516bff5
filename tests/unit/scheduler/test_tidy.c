/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs come and go, each with names, owner, amounts, rules of its own: the cell's memory stays that
 * of what is there. $CELLAR_TEST_FULL: a million jobs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/checkpoint.h"
#include "tests/unit/scheduler/random_cell.h"

#define MACHINES 20
#define ALIVE 100 /* jobs at one time */

struct world {
	struct draw draw;
	struct outside outside;
	struct cell *cell;
	uint32_t job[ALIVE];
	bool there[ALIVE];
	uint64_t jobs;
};

static void build(struct world *w)
{
	struct cell_options options = { 0 };
	struct err err = { 0 };

	memset(w, 0, sizeof(*w));
	w->draw.state = w->outside.random = 1;
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &err), 0);
	for (unsigned i = 0; i < MACHINES; i++)
		assert_int_equal(add_random_machine(&w->draw, w->cell, i, &err), 0);
}

/* Every name is new; some are alloc sets, with a job in it that goes first. */
static void submit(struct world *w, unsigned at)
{
	unsigned long n = ++w->jobs;
	char name[32], owner[32], value[32], image[32], inside[40];
	struct constraint constraint = { "disk", value, COMPARE_UNEQUAL, false };
	struct err err = { 0 };
	struct job job = { .name = name,
			   .owner = owner,
			   .priority = (unsigned)draw_from(&w->draw, 0, PRIORITY_MAX),
			   .count = (uint32_t)draw_from(&w->draw, 1, 3),
			   .image = image,
			   .constraints = &constraint,
			   .constraint_count = draw(&w->draw) % 2 };
	struct task_override override = { .index = 0 };
	uint32_t in;

	snprintf(name, sizeof(name), "job-%lu", n);
	snprintf(owner, sizeof(owner), "owner-%lu", n / 3);
	snprintf(value, sizeof(value), "value-%lu", n);
	snprintf(image, sizeof(image), "image-%lu", n);
	job.request.amounts.of[RESOURCE_CPU] = draw_from(&w->draw, 1, 1000);
	job.request.amounts.of[RESOURCE_MEMORY] = draw_from(&w->draw, 1, 1000) * MIB / 8;
	override.request = job.request;
	override.request.amounts.of[RESOURCE_CPU]++;
	job.overrides = &override;
	job.override_count = draw(&w->draw) % 2;
	job.gang = draw(&w->draw) % 4 == 0;
	job.reserves = draw(&w->draw) % 8 == 0;
	if (draw(&w->draw) % 4 == 0)
		job.spread = (struct spread_rule){ .kind = SPREAD_APART, .soft = true };
	assert_int_equal(cell_submit(w->cell, &job, &w->job[at], &err), 0);
	w->there[at] = true;
	if (!job.reserves)
		return;
	snprintf(inside, sizeof(inside), "in-%lu", n);
	job = (struct job){ .name = inside, .owner = owner, .count = 1, .alloc_set = name };
	assert_int_equal(cell_submit(w->cell, &job, &in, &err), 0);
	while (cell_decide(w->cell) > 0)
		;
	cell_remove_job(w->cell, in);
}

static void live(struct world *w, uint64_t jobs)
{
	struct err err = { 0 };
	char image[32];

	while (w->jobs < jobs) {
		unsigned at = (unsigned)(draw(&w->draw) % ALIVE);

		w->outside.now_ms += 100;
		if (w->there[at])
			cell_remove_job(w->cell, w->job[at]);
		submit(w, at);
		while (cell_decide(w->cell) > 0)
			;
		/* Images come to a machine, and go. */
		snprintf(image, sizeof(image), "image-%lu", (unsigned long)w->jobs);
		assert_int_equal(cell_set_image(w->cell, 0, image, true, &err), 0);
		snprintf(image, sizeof(image), "image-%lu", (unsigned long)w->jobs - 50);
		assert_int_equal(cell_set_image(w->cell, 0, image, false, &err), 0);
		if (w->jobs % 5003 == 0)
			if (cell_check(w->cell, &err) < 0)
				fail_msg("after %lu jobs: %s", (unsigned long)w->jobs, err.text);
	}
}

static size_t size_of(struct world *w)
{
	uint8_t *bytes;
	struct err err = { 0 };
	size_t len;

	assert_int_equal(cell_save(w->cell, &bytes, &len, &err), 0);
	free(bytes);
	return len;
}

static void memory_is_that_of_what_is_there(void **state)
{
	const char *full = getenv("CELLAR_TEST_FULL");
	uint64_t jobs = full && *full ? 1000000 : 50000;
	struct world w;
	size_t early, late;

	(void)state;
	build(&w);
	live(&w, 10000);
	early = size_of(&w);
	live(&w, jobs);
	late = size_of(&w);
	print_message("%zu KiB after 10,000 jobs, %zu KiB after %lu\n", early / 1024, late / 1024,
		      (unsigned long)jobs);
	assert_true(late < early + early / 2);
	/* And with nothing left but the machines, next to nothing. */
	for (unsigned at = 0; at < ALIVE; at++)
		if (w.there[at])
			cell_remove_job(w.cell, w.job[at]);
	cell_tidy(w.cell);
	submit(&w, 0);
	while (cell_decide(w.cell) > 0)
		;
	cell_free(w.cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_that_of_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
