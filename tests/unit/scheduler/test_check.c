/* SPDX-License-Identifier: Apache-2.0 */
/* The invariant check itself: a cell in which one thing is wrong is told so. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scheduler/core/state.h"
#include "tests/unit/scheduler/random_cell.h"

struct world {
	struct outside outside;
	struct cell *cell;
	struct err err;
	uint32_t runs, waits, lower; /* jobs */
};

static uint32_t add(struct world *w, const char *name, unsigned priority, int64_t cpu,
		    int64_t ports)
{
	struct job job = { .name = name, .owner = "o", .priority = priority, .count = 1 };
	uint32_t j;

	job.request.amounts = (struct amounts){ { cpu, 1024 * MIB, 0, ports } };
	assert_int_equal(cell_submit(w->cell, &job, &j, &w->err), 0);
	return j;
}

/* Two machines of 8 cores; a task on each, one that waits for more than is left. */
static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct cell_options options = { 0 };
	struct machine_spec spec = { .capacity = { { 8000, 8192 * MIB, 0, 100 } },
				     .first_port = 1000 };

	assert_int_equal(cell_new(&options, &w->outside, &w->cell, &w->err), 0);
	for (int i = 0; i < 2; i++) {
		spec.name = i ? "b" : "a";
		assert_int_equal(cell_add_machine(w->cell, &spec, NULL, &w->err), 0);
	}
	w->runs = add(w, "runs", 200, 6000, 2);
	w->lower = add(w, "lower", 200, 5000, 0);
	w->waits = add(w, "waits", 200, 4000, 0);
	while (cell_decide(w->cell) > 0)
		;
	assert_int_equal(cell_check(w->cell, &w->err), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	cell_free(w->cell);
	free(w);
	return 0;
}

static struct task *task_of(struct world *w, uint32_t job)
{
	return &w->cell->tasks[cell_job_task(w->cell, job, 0)];
}

static void expect(struct world *w, const char *words)
{
	err_clear(&w->err);
	assert_int_equal(cell_check(w->cell, &w->err), -EUCLEAN);
	if (!strstr(w->err.text, words))
		fail_msg("'%s' does not say '%s'", w->err.text, words);
}

/* Changes one thing, expects the sentence, puts it back. */
#define WRONG(w, what, to, words)                                      \
	do {                                                           \
		__typeof__(what) was_ = (what);                        \
                                                                       \
		(what) = (to);                                         \
		expect(w, words);                                      \
		(what) = was_;                                         \
		assert_int_equal(cell_check((w)->cell, &(w)->err), 0); \
	} while (0)

static void capacity_and_tasks(void **state)
{
	struct world *w = *state;
	struct machine *m = &w->cell->machines[task_of(w, w->runs)->machine];

	WRONG(w, m->free.of[RESOURCE_CPU], 2001, "what is free does not agree");
	WRONG(w, m->task_count, 2, "what is free does not agree");
	WRONG(w, task_of(w, w->runs)->machine, 1 - task_of(w, w->runs)->machine, "does not belong");
	WRONG(w, task_of(w, w->runs)->state, TASK_PENDING, "does not belong");
	WRONG(w, task_of(w, w->waits)->state, TASK_ENDED, "does not belong in its line");
}

static void more_than_the_capacity(void **state)
{
	struct world *w = *state;
	const struct task *t = task_of(w, w->runs);
	struct machine *m = &w->cell->machines[t->machine];
	struct request *request = &w->cell->classes[t->class].request;

	request->amounts.of[RESOURCE_CPU] = 8001;
	m->free.of[RESOURCE_CPU] = -1;
	expect(w, "holds more than its capacity");
}

static void index_and_queue(void **state)
{
	struct world *w = *state;
	struct machine *m = &w->cell->machines[0];
	struct kind *kind = w->cell->kinds[m->kind];
	uint32_t line = w->cell->classes[task_of(w, w->waits)->class].lines;

	WRONG(w, m->indexed, 0, "is in the index and not up, or up and not in it");
	WRONG(w, m->position, 7, "in the wrong cell of the index");
	WRONG(w, kind->above[0][0], 3, "counted wrong");
	WRONG(w, w->cell->queue.lines[line].runnable, true, "is runnable and should not be");
	WRONG(w, w->cell->queue.pending, 2, "the queue counts 2 tasks");
}

static void counters_ports_claims_names(void **state)
{
	struct world *w = *state;
	struct cell *cell = w->cell;

	WRONG(w, cell->running, 3, "the counters of the cell");
	WRONG(w, cell->used.of[RESOURCE_CPU], 1, "the counters of the cell");
	WRONG(w, cell->demand.wanted.of[RESOURCE_MEMORY], 1, "the counters of the cell");
	WRONG(w, cell->port_taken.count, 3, "ports are held");
	WRONG(w, cell->machines[0].claimed, 2, "are claimed in band 1");
	WRONG(w, cell->claims_made, 1, "claims are made");
	WRONG(w, cell->jobs[w->runs].name, 4000, "has lost its name");
}

static void what_fits_is_blocked(void **state)
{
	struct world *w = *state;
	struct class *class = &w->cell->classes[task_of(w, w->waits)->class];

	WRONG(w, class->request.amounts.of[RESOURCE_CPU], 1000, "the counters of the cell");
	/* With its counters it would be right: nobody has looked at it again. */
	class->request.amounts.of[RESOURCE_CPU] = 1000;
	w->cell->demand.wanted.of[RESOURCE_CPU] -= 3000;
	expect(w, "waits, and fits on machine");
}

static void a_lower_one_holds_it(void **state)
{
	struct world *w = *state;

	WRONG(w, w->cell->classes[task_of(w, w->waits)->class].priority, 400,
	      "waits, and lower ones could go from machine");
}

/* In a child, for it is to end by abort(). */
static void assert_aborts(struct world *w, void (*act)(struct world *w))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		act(w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void decide_on_a_wrong_count(struct world *w)
{
	w->cell->used.of[RESOURCE_CPU]++;
	cell_decide(w->cell);
}

/* As built here it aborts by itself. */
static void a_debug_build_checks_each_decision(void **state)
{
	assert_aborts(*state, decide_on_a_wrong_count);
}

static void end_one_that_waits(struct world *w)
{
	cell_end_task(w->cell, cell_job_task(w->cell, w->waits, 0), END_FINISHED);
}

/* A move that the table of task.c does not have aborts, in every build. */
static void an_illegal_move_aborts(void **state)
{
	assert_aborts(*state, end_one_that_waits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(capacity_and_tasks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_than_the_capacity, set_up, tear_down),
		cmocka_unit_test_setup_teardown(index_and_queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counters_ports_claims_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_fits_is_blocked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lower_one_holds_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_debug_build_checks_each_decision, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_illegal_move_aborts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
