/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of small cells by seed: whatever happens, the invariants of check.c hold. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "scheduler/core/checkpoint.h"
#include "scheduler/core/reclaim.h"
#include "scheduler/core/describe.h"
#include "scheduler/core/resize.h"
#include "scheduler/core/scale.h"
#include "scheduler/core/why.h"
#include "tests/unit/scheduler/random_cell.h"

#define CELLS 1500
#define STEPS 60
#define JOBS 64

struct world {
	struct draw draw;
	struct outside outside;
	struct cell *cell;
	unsigned machines, jobs;
	bool sets;
	int fault; /* the step after which a machine goes down, for four of them; -1 */
	uint32_t job[JOBS];
	bool alive[JOBS];
	char set[JOBS][16]; /* name of an alloc set; "" */
	uint64_t digest;    /* of all events */
	uint64_t events;
};

static void digest_event(void *data, const struct event *event)
{
	struct world *w = data;
	char text[EVENT_TEXT_SIZE];
	int len = event_format(event, text);

	assert_true(len > 0 && len < EVENT_TEXT_SIZE);
	w->digest = hash_bytes(text, (size_t)len, w->digest);
	w->events++;
}

static uint64_t hows[4], refused;

static void end_something(struct world *w)
{
	unsigned j = (unsigned)(draw(&w->draw) % JOBS);
	struct task_view view;
	uint32_t task;

	if (!w->alive[j])
		return;
	if (draw(&w->draw) % 4 == 0) {
		cell_remove_job(w->cell, w->job[j]);
		w->alive[j] = false;
		return;
	}
	task = cell_job_task(w->cell, w->job[j], 0);
	cell_task(w->cell, task, &view);
	if (view.state == TASK_RUNNING)
		cell_end_task(w->cell, task, (enum task_end)(draw(&w->draw) % 4));
}

static void report_usage(struct world *w)
{
	unsigned j = (unsigned)(draw(&w->draw) % JOBS);
	struct task_view view;
	uint32_t task;

	if (!w->alive[j])
		return;
	task = cell_job_task(w->cell, w->job[j], 0);
	cell_task(w->cell, task, &view);
	w->outside.now_ms += 100000;
	cell_report_usage(w->cell, task,
			  view.request->amounts.of[RESOURCE_CPU] * draw_from(&w->draw, 0, 10) / 10,
			  view.request->amounts.of[RESOURCE_MEMORY] * draw_from(&w->draw, 0, 11) /
				  10);
}

/* A plan changes nothing, and foretells what comes. */
static void resize(struct world *w)
{
	unsigned j = (unsigned)(draw(&w->draw) % JOBS);
	struct resize_plan *plan = NULL;
	struct err err = { 0 };
	struct task_view view;
	struct request request;
	uint64_t events = w->events, random = w->outside.random;
	uint32_t index = draw(&w->draw) % 2 ? 0 : NOBODY;
	int r;

	if (!w->alive[j])
		return;
	cell_task(w->cell, cell_job_task(w->cell, w->job[j], 0), &view);
	request = *view.request;
	request.amounts.of[RESOURCE_CPU] =
		request.amounts.of[RESOURCE_CPU] * draw_from(&w->draw, 5, 20) / 10;
	request.amounts.of[RESOURCE_MEMORY] =
		request.amounts.of[RESOURCE_MEMORY] / 10 * draw_from(&w->draw, 5, 20);
	r = cell_resize_plan(w->cell, w->job[j], index, &request, &plan, &err);
	assert_true(w->events == events && w->outside.random == random);
	assert_int_equal(cell_check(w->cell, &err), 0);
	err_clear(&err);
	assert_int_equal(cell_resize(w->cell, w->job[j], index, &request, &err), r);
	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		cell_task(w->cell, plan->steps[i].task, &view);
		assert_int_equal(view.machine, plan->steps[i].machine);
		assert_int_equal(view.request->amounts.of[RESOURCE_CPU],
				 request.amounts.of[RESOURCE_CPU]);
		hows[plan->steps[i].how]++;
	}
	if (r < 0)
		refused++;
	assert_true(r == 0 || w->events == events);
	resize_plan_free(plan);
}

static unsigned grown, shrunk, joined;

/* Fewer never fail, and those that go are those that were told. */
static void scale(struct world *w)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	unsigned j = (unsigned)(draw(&w->draw) % (JOBS / 2));
	struct err err = { 0 };
	uint32_t was, gone = 0, slots = 0;
	bool goes[64] = { 0 };
	struct job asked;

	while (j < JOBS && !w->alive[j])
		j++;
	if (j == JOBS)
		return;
	was = cell_scale_size(w->cell, w->job[j]);
	assert_int_equal(describe_job(w->cell, w->job[j], arena, &asked), 0);
	asked.count = (uint32_t)draw_from(&w->draw, 1, 7);
	if (asked.count < was) {
		while (cell_job_task(w->cell, w->job[j], slots) != NOBODY)
			slots++;
		assert_true(slots < 64);
		cell_scale_leavers(w->cell, w->job[j], asked.count, goes);
		for (uint32_t i = 0; i < slots; i++)
			gone += goes[i];
		assert_int_equal(gone, was - asked.count);
	}
	assert_int_equal(cell_scale(w->cell, w->job[j], &asked, &err), 0);
	assert_int_equal(cell_scale_size(w->cell, w->job[j]), asked.count);
	for (uint32_t i = 0; i < slots; i++) {
		uint32_t task = cell_job_task(w->cell, w->job[j], i);
		struct task_view view = { .state = TASK_ENDED };

		if (task != NOBODY)
			cell_task(w->cell, task, &view);
		assert_true(!goes[i] || view.state == TASK_ENDED);
	}
	grown += asked.count > was;
	shrunk += asked.count < was;
	joined += asked.count > was && (asked.gang || asked.reserves);
}

/* Some jobs are alloc sets, some run in one. */
static void submit(struct world *w)
{
	struct random_job job;
	struct err err = { 0 };
	/* In every other cell. */
	unsigned j, s = w->sets ? (unsigned)(draw(&w->draw) % 4) : 1;

	for (j = 0; j < JOBS && w->alive[j]; j++)
		;
	if (j == JOBS)
		return;
	draw_job(&w->draw, w->jobs++, &job);
	if (s == 0) {
		job.job.reserves = true;
		job.job.request.device_milli = job.job.request.device_count ? DEVICE_WHOLE : 0;
		job.job.host_port_count = 0;
	}
	for (unsigned i = 0; i < JOBS && s > 1; i++)
		if (w->alive[i] && *w->set[i]) {
			job.job.alloc_set = w->set[i];
			job.job.request.amounts.of[RESOURCE_CPU] /= 4;
			job.job.request.amounts.of[RESOURCE_MEMORY] /= 4;
		}
	assert_int_equal(cell_submit(w->cell, &job.job, &w->job[j], &err), 0);
	w->alive[j] = true;
	snprintf(w->set[j], sizeof(w->set[j]), "%s", s == 0 ? job.name : "");
}

static void step(struct world *w)
{
	struct err err = { 0 };

	w->outside.now_ms += draw_from(&w->draw, 0, 3000);
	switch (draw(&w->draw) % 15) {
	case 14:
		scale(w);
		break;
	case 13:
		assert_int_equal(cell_set_image(w->cell, (uint32_t)(draw(&w->draw) % w->machines),
						draw(&w->draw) % 2 ? "bb" : "nginx",
						draw(&w->draw) % 3, &err),
				 0);
		break;
	case 0:
		cell_set_machine(w->cell, (uint32_t)(draw(&w->draw) % w->machines),
				 (enum machine_state)(draw(&w->draw) % 4));
		break;
	case 8:
	case 9:
	case 10:
		report_usage(w);
		break;
	case 11:
	case 12:
		resize(w);
		break;
	case 1:
	case 2:
	case 3:
		end_something(w);
		break;
	default:
		submit(w);
	}
}

static void build(struct world *w, uint64_t seed)
{
	struct cell_options options = { .policy = (enum policy)(seed % POLICY_COUNT),
					.batch_share = seed % 4 ? 0 : 0.7 };
	struct err err = { 0 };

	memset(w, 0, sizeof(*w));
	w->draw.state = seed;
	w->sets = seed % 2;
	w->outside = (struct outside){ .random = seed, .event = digest_event, .data = w };
	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &err), 0);
	w->machines = (unsigned)draw_from(&w->draw, 1, 9);
	for (unsigned i = 0; i < w->machines; i++)
		assert_int_equal(add_random_machine(&w->draw, w->cell, i, &err), 0);
}

static void check(struct world *w, uint64_t seed)
{
	struct err err = { 0 };

	if (cell_check(w->cell, &err) < 0)
		fail_msg("seed %lu: %s", (unsigned long)seed, err.text);
}

static uint64_t preempted, infeasible, placed;

/* Goes on with a cell made from a checkpoint, in the place of the one that was. */
static void reload(struct world *w)
{
	uint8_t *bytes, *again;
	size_t len, len_again;
	struct err err = { 0 };

	assert_int_equal(cell_save(w->cell, &bytes, &len, &err), 0);
	cell_free(w->cell);
	w->outside.now_ms = 0;
	w->outside.random = 0;
	assert_int_equal(cell_load(bytes, len, &w->outside, &w->cell, &err), 0);
	assert_int_equal(cell_save(w->cell, &again, &len_again, &err), 0);
	assert_true(len == len_again && memcmp(bytes, again, len) == 0);
	free(bytes);
	free(again);
}

static void inject(struct world *w, uint64_t seed, int step)
{
	uint32_t machine = (uint32_t)((seed + (uint64_t)w->fault) % w->machines);

	if (w->fault >= 0 && step == w->fault)
		cell_set_machine(w->cell, machine, MACHINE_DOWN);
	if (w->fault >= 0 && step == w->fault + 4)
		cell_set_machine(w->cell, machine, MACHINE_UP);
}

static void end_all_that_runs(struct world *w, bool *ret_any)
{
	struct task_view view;
	uint32_t task;

	*ret_any = false;
	for (unsigned j = 0; j < JOBS; j++)
		for (uint32_t i = 0;
		     w->alive[j] && (task = cell_job_task(w->cell, w->job[j], i)) != NOBODY; i++) {
			cell_task(w->cell, task, &view);
			/* An alloc is left where it is: it is the room of others. */
			if (view.state != TASK_RUNNING || view.room != NOBODY)
				continue;
			cell_end_task(w->cell, task, END_KILLED);
			*ret_any = true;
		}
}

/* Nobody starves: when whatever runs ends in its turn, all run in the end that can at all. */
static uint64_t starved_of_room;

static void drain_the_queue(struct world *w, uint64_t seed)
{
	struct err err = { 0 };
	struct task_view view;
	struct why why;
	bool any = true;

	for (uint32_t m = 0; m < w->machines; m++)
		cell_set_machine(w->cell, m, MACHINE_UP);
	while (any) {
		w->outside.now_ms += 400000;
		do
			while (cell_decide(w->cell) > 0)
				;
		while (cell_next_ms(w->cell) <= w->outside.now_ms);
		check(w, seed);
		end_all_that_runs(w, &any);
	}
	for (unsigned j = 0; j < JOBS; j++) {
		uint32_t task = w->alive[j] ? cell_job_task(w->cell, w->job[j], 0) : NOBODY;

		if (task == NOBODY)
			continue;
		cell_task(w->cell, task, &view);
		if (view.state != TASK_PENDING)
			continue;
		assert_int_equal(cell_why(w->cell, task, &why, &err), 0);
		if (!why.gang && why.wait != WAIT_ALLOC &&
		    (why.by_reason[FIT_YES] || why.wait != WAIT_ROOM))
			fail_msg("seed %lu: job %u could run, and never did", (unsigned long)seed,
				 j);
		starved_of_room++;
	}
}

/* ---- a decision takes memory from an arena alone ---- */

static bool deciding, in_arena;
static unsigned from_arena;

static int decide(struct cell *cell)
{
	int r;

	deciding = true;
	r = cell_decide(cell);
	deciding = false;
	return r;
}

#define NO_MEMORY_OF_ITS_OWN(name)                           \
	do {                                                 \
		if (deciding && !in_arena)                   \
			fail_msg("a decision calls " #name); \
	} while (0)

/* The linker gives us these in place of what the core calls (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
struct arena *__real_arena_new(void);
void *__real_arena_calloc(struct arena *arena, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
struct arena *__wrap_arena_new(void);
void *__wrap_arena_calloc(struct arena *arena, size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
	NO_MEMORY_OF_ITS_OWN(malloc);
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	NO_MEMORY_OF_ITS_OWN(calloc);
	return __real_calloc(count, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	NO_MEMORY_OF_ITS_OWN(reallocarray);
	return __real_reallocarray(old, count, size);
}

struct arena *__wrap_arena_new(void)
{
	struct arena *arena;

	in_arena = true;
	arena = __real_arena_new();
	in_arena = false;
	from_arena += deciding;
	return arena;
}

void *__wrap_arena_calloc(struct arena *arena, size_t count, size_t size)
{
	void *p;

	in_arena = true;
	p = __real_arena_calloc(arena, count, size);
	in_arena = false;
	return p;
}

enum upset { UNDISTURBED, RELOADED, TIDIED, TIDIED_AND_RELOADED };

static uint64_t live_with(uint64_t seed, bool checked, enum upset upset, int fault)
{
	struct world w;
	struct cell_totals totals;
	unsigned decisions;

	build(&w, seed);
	w.fault = fault;
	for (int i = 0; i < STEPS; i++) {
		step(&w);
		inject(&w, seed, i);
		if ((upset == RELOADED || upset == TIDIED_AND_RELOADED) && i % 7 == 3)
			reload(&w);
		if (upset == TIDIED || upset == TIDIED_AND_RELOADED)
			cell_tidy(w.cell);
		if (checked)
			check(&w, seed);
		for (decisions = 0; decide(w.cell) > 0; decisions++)
			assert_true(decisions < 10000);
		if (checked)
			check(&w, seed);
	}
	cell_totals(w.cell, &totals);
	preempted += totals.preempted;
	infeasible += totals.infeasible;
	placed += totals.placed;
	if (checked && fault < 0 && seed % 3 == 0)
		drain_the_queue(&w, seed);
	cell_free(w.cell);
	return w.digest;
}

static uint64_t live(uint64_t seed, bool checked, enum upset upset)
{
	return live_with(seed, checked, upset, -1);
}

static void a_machine_may_go_at_every_step(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		for (int fault = 0; fault < STEPS; fault++)
			live_with(seed, true, UNDISTURBED, fault);
}

static void invariants_hold_whatever_happens(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= CELLS; seed++)
		live(seed, true, UNDISTURBED);
	/* The cells are small enough for everything to happen. */
	assert_true(placed > 10000 && infeasible > 1000 && preempted > 1000);
	assert_true(hows[RESIZE_IN_PLACE] > 400 && hows[RESIZE_PREEMPT] > 50 &&
		    hows[RESIZE_MOVE] > 10 && hows[RESIZE_WAITING] > 1000 && refused > 100);
	assert_true(from_arena > 1000);
	assert_true(grown > 500 && shrunk > 200 && joined > 50);
}

static void the_same_calls_give_the_same_events(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++)
		assert_true(live(seed, false, UNDISTURBED) == live(seed, false, UNDISTURBED));
}

static void a_checkpoint_goes_on_with_the_same_events(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++)
		assert_true(live(seed, false, UNDISTURBED) == live(seed, false, RELOADED));
}

/* Whose turn comes first among equals may hang on it, and nothing else. */
static void what_is_in_use_is_not_forgotten(void **state)
{
	unsigned same = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		live(seed, true, TIDIED);
		same += live(seed, false, UNDISTURBED) == live(seed, false, TIDIED);
	}
	assert_true(same > 180);
	for (uint64_t seed = 1; seed <= 60; seed++)
		assert_true(live(seed, false, TIDIED) == live(seed, false, TIDIED_AND_RELOADED));
}

static void what_is_no_checkpoint_is_refused(void **state)
{
	struct outside outside = { 0 };
	struct cell *cell = NULL;
	struct err err = { 0 };
	struct world w;
	uint8_t *bytes;
	size_t len;

	(void)state;
	build(&w, 1);
	assert_int_equal(cell_save(w.cell, &bytes, &len, &err), 0);
	for (size_t cut = 0; cut < len; cut += 97)
		assert_int_equal(cell_load(bytes, cut, &outside, &cell, &err), -EINVAL);
	for (size_t at = 0; at < len; at += 89) {
		bytes[at] ^= 0x10;
		assert_int_equal(cell_load(bytes, len, &outside, &cell, &err), -EINVAL);
		bytes[at] ^= 0x10;
	}
	assert_null(cell);
	free(bytes);
	cell_free(w.cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariants_hold_whatever_happens),
		cmocka_unit_test(a_machine_may_go_at_every_step),
		cmocka_unit_test(the_same_calls_give_the_same_events),
		cmocka_unit_test(a_checkpoint_goes_on_with_the_same_events),
		cmocka_unit_test(what_is_in_use_is_not_forgotten),
		cmocka_unit_test(what_is_no_checkpoint_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
