/* SPDX-License-Identifier: Apache-2.0 */
/* Job files become jobs of a cell: every field by which the core decides, and clear refusals. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/intake/intake.h"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return 0;
}

static struct job_file parse_as(const char *name, const char *text)
{
	struct job_file file;
	struct err err = { 0 };

	if (job_file_parse(name, text, strlen(text), arena, &file, &err) < 0)
		fail_msg("%s", err.text);
	return file;
}

static struct job map(const char *text)
{
	struct job_file file = parse_as("t.yaml", text);
	struct err err = { 0 };
	struct job job;

	if (intake_job(&file, arena, &job, &err) < 0)
		fail_msg("%s", err.text);
	return job;
}

#define TASKS                                                \
	"tasks:\n  count: 3\n  image: localhost/bb:latest\n" \
	"  resources: {cpu: 100m, memory: 16Mi}\n"
#define WEB "job: web\nowner: search\npriority: 200\n"

static void the_smallest_job_is_mapped(void **state)
{
	struct job job = map(WEB TASKS);

	(void)state;
	assert_string_equal(job.name, "web");
	assert_string_equal(job.owner, "search");
	assert_int_equal(job.priority, 200);
	assert_int_equal(job.count, 3);
	assert_true(job.latency_sensitive);
	assert_string_equal(job.image, "localhost/bb:latest");
	assert_int_equal(job.request.amounts.of[RESOURCE_CPU], 100);
	assert_int_equal(job.request.amounts.of[RESOURCE_MEMORY], 16 << 20);
	assert_int_equal(job.restart.when, RESTART_ALWAYS);
	assert_int_equal(job.notice_ms, 30000);
}

static void every_rule_is_mapped(void **state)
{
	struct job job = map(WEB "class: batch\ncells: [a, b]\nafter: [prepare]\ngang: true\n"
				 "alloc_set: big\ndisruption_budget: 2\n"
				 "preemption: {how: checkpoint, notice: 5s}\n"
				 "restart: {when: never, most: 7, backoff: 2s, backoff_max: 1m}\n"
				 "spread: {over: machine, most: 2, group: g, prefer: true}\n"
				 "affinity: {over: rack}\n"
				 "constraints:\n"
				 "  - {attribute: arch, is: arm64}\n"
				 "  - {attribute: zone, is_not: b, prefer: true}\n"
				 "  - {attribute: ssd, exists: true}\n"
				 "  - {attribute: old, absent: true}\n" TASKS);

	(void)state;
	assert_false(job.latency_sensitive);
	assert_int_equal(job.cell_count, 2);
	assert_string_equal(job.cells[1], "b");
	assert_int_equal(job.after_count, 1);
	assert_true(job.gang);
	assert_string_equal(job.alloc_set, "big");
	assert_int_equal(job.disruption_budget, 2);
	assert_int_equal(job.on_preemption, PREEMPTION_CHECKPOINT);
	assert_int_equal(job.notice_ms, 5000);
	assert_int_equal(job.restart.when, RESTART_NEVER);
	assert_int_equal(job.restart.most, 7);
	assert_int_equal(job.restart.backoff_ms, 2000);
	assert_int_equal(job.restart.backoff_max_ms, 60000);
	assert_int_equal(job.spread.kind, SPREAD_APART);
	assert_int_equal(job.spread.most, 2);
	assert_string_equal(job.spread.group, "g");
	assert_true(job.spread.soft);
	assert_int_equal(job.affinity.kind, SPREAD_TOGETHER);
	assert_int_equal(job.affinity.domain, DOMAIN_RACK);
	assert_int_equal(job.constraint_count, 4);
	assert_int_equal(job.constraints[1].comparison, COMPARE_UNEQUAL);
	assert_true(job.constraints[1].soft);
	assert_int_equal(job.constraints[3].comparison, COMPARE_ABSENT);
}

static void overrides_keep_what_they_do_not_name(void **state)
{
	struct job job = map(WEB TASKS "  overrides:\n"
				       "    - {index: 1, resources: {memory: 1Gi}}\n"
				       "    - {index: 2, resources: {gpu: 2}, env: {A: b}}\n");

	(void)state;
	assert_int_equal(job.override_count, 2);
	assert_int_equal(job.overrides[0].index, 1);
	assert_int_equal(job.overrides[0].request.amounts.of[RESOURCE_CPU], 100);
	assert_int_equal(job.overrides[0].request.amounts.of[RESOURCE_MEMORY], 1 << 30);
	assert_int_equal(job.overrides[1].request.device_count, 2);
	assert_int_equal(job.overrides[1].request.device_milli, 1000);
	assert_int_equal(job.overrides[1].request.amounts.of[RESOURCE_MEMORY], 16 << 20);
}

static void gpus_are_whole_ones_or_a_share_of_one(void **state)
{
	struct job job = map("job: g\nowner: o\npriority: 0\ntasks:\n  image: i\n  resources: "
			     "{cpu: 1, memory: 1Mi, gpu: 0.25, gpu_model: T4}\n");

	(void)state;
	assert_int_equal(job.request.device_count, 1);
	assert_int_equal(job.request.device_milli, 250);
	assert_string_equal(job.device_model, "T4");
}

static const char ports[] =
	WEB TASKS "  ports:\n"
		  "    - {name: web, container: 80, host: 8080}\n"
		  "    - {name: any, container: 81}\n"
		  "    - {name: dns, container: 53, host: 53}\n"
		  "    - {name: dns-udp, container: 53, host: 53, protocol: udp}\n"
		  "    - {name: other, container: 82}\n";

static void ports_are_chosen_or_left_to_the_cell(void **state)
{
	static const uint32_t places[] = { 0, 2, 1, 1, 3 };
	struct job_file file = parse_as("t.yaml", ports);
	struct job job = map(ports);

	(void)state;
	assert_int_equal(job.host_port_count, 2);
	assert_int_equal(job.host_ports[0], 8080);
	assert_int_equal(job.host_ports[1], 53);
	assert_int_equal(job.request.amounts.of[RESOURCE_PORTS], 2);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(intake_port(&file, i), places[i]);
	job = map(WEB TASKS "  network: host\n  ports: [{name: w, container: 80}, {name: x}]\n");
	assert_int_equal(job.host_port_count, 1);
	assert_int_equal(job.host_ports[0], 80);
	assert_int_equal(job.request.amounts.of[RESOURCE_PORTS], 1);
}

static void an_alloc_set_reserves(void **state)
{
	struct job job = map("alloc_set: big\nowner: o\npriority: 200\ncount: 4\n"
			     "resources: {cpu: 2, memory: 1Gi}\n");

	(void)state;
	assert_true(job.reserves);
	assert_int_equal(job.count, 4);
	assert_int_equal(job.request.amounts.of[RESOURCE_CPU], 2000);
}

/* ---- into a cell ---- */

static struct cell *make_cell(struct outside *outside)
{
	struct cell_options options = { .name = "a" };
	struct machine_spec machine = { .name = "m0",
					.capacity = { { 4000, (int64_t)8 << 30, 1 << 30, 1000 } } };
	struct cell *cell;
	struct err err = { 0 };

	assert_int_equal(cell_new(&options, outside, &cell, &err), 0);
	assert_int_equal(cell_add_machine(cell, &machine, NULL, &err), 0);
	return cell;
}

static void a_job_file_runs_with_its_ports(void **state)
{
	struct outside outside = { 0 };
	_cleanup_cell_ struct cell *cell = make_cell(&outside);
	struct job_file file = parse_as("t.yaml", ports);
	struct err err = { 0 };
	uint32_t job, task;

	(void)state;
	file.tasks.count = 1;
	assert_int_equal(intake_submit(cell, &file, &job, &err), 0);
	assert_int_equal(cell_decide(cell), 1);
	task = cell_job_task(cell, job, 0);
	assert_int_equal(cell_task_port(cell, task, intake_port(&file, 0)), 8080);
	assert_int_equal(cell_task_port(cell, task, intake_port(&file, 3)), 53);
	assert_int_equal(cell_task_port(cell, task, intake_port(&file, 1)), 64536);
	assert_int_equal(cell_task_port(cell, task, intake_port(&file, 4)), 64537);
	assert_int_equal(cell_task_port(cell, task, 4), 0);
}

static void refuses(struct cell *cell, const char *text, int error, const char *start)
{
	struct job_file file = parse_as("t.yaml", text);
	struct err err = { 0 };
	int r = intake_submit(cell, &file, NULL, &err);

	if (r != -error || strncmp(err.text, start, strlen(start)) != 0)
		fail_msg("%d: %s", r, err.text);
}

static void refusals_name_the_place(void **state)
{
	struct outside outside = { 0 };
	_cleanup_cell_ struct cell *cell = make_cell(&outside);
	struct job_file file = parse_as("t.yaml", WEB TASKS);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(intake_submit(cell, &file, NULL, &err), 0);
	refuses(cell, WEB TASKS, EEXIST, "t.yaml:1:1: ");
	refuses(cell, "owner: o\njob: x\npriority: 1\nafter: [y]\n" TASKS, EINVAL, "t.yaml:4:1: ");
	refuses(cell, "owner: o\njob: x\npriority: 1\nalloc_set: y\n" TASKS, ENOENT,
		"t.yaml:2:1: ");
	refuses(cell, "owner: o\njob: x\npriority: 1\ncells: [b]\n" TASKS, EPERM, "t.yaml:2:1: ");
	refuses(cell,
		"owner: o\njob: x\npriority: 1\ntasks: {image: i, resources: {cpu: 1, memory: 1, "
		"gpu: 40}}\n",
		ERANGE, "t.yaml:2:1: ");
}

static void files_come_in_order_and_circles_are_refused(void **state)
{
	struct job_file files[3] = {
		parse_as("a.yaml", "job: a\nowner: o\npriority: 1\nafter: [b, old]\n" TASKS),
		parse_as("b.yaml", "job: b\nowner: o\npriority: 1\nalloc_set: c\n" TASKS),
		parse_as("c.yaml", "alloc_set: c\nowner: o\npriority: 1\nresources: {cpu: 1}\n"),
	};
	struct err err = { 0 };
	size_t order[3];

	(void)state;
	assert_int_equal(intake_order(files, 3, order, &err), 0);
	assert_true(order[0] == 2 && order[1] == 1 && order[2] == 0);
	files[2] = parse_as("c.yaml", "job: c\nowner: o\npriority: 1\nafter:\n  - a\n" TASKS);
	files[1] = parse_as("b.yaml", "owner: o\njob: b\npriority: 1\nafter: [c]\n" TASKS);
	assert_int_equal(intake_order(files, 3, order, &err), -ELOOP);
	assert_string_equal(err.text,
			    "c.yaml:4:1: c: it starts after itself, in a circle through a");
	err_clear(&err);
	files[2] = parse_as("c.yaml", "owner: o\njob: a\npriority: 1\n" TASKS);
	assert_int_equal(intake_order(files, 3, order, &err), -EEXIST);
	assert_non_null(strstr(err.text, "c.yaml:2:1: a: a second job"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_job_is_mapped),
		cmocka_unit_test(every_rule_is_mapped),
		cmocka_unit_test(overrides_keep_what_they_do_not_name),
		cmocka_unit_test(gpus_are_whole_ones_or_a_share_of_one),
		cmocka_unit_test(ports_are_chosen_or_left_to_the_cell),
		cmocka_unit_test(an_alloc_set_reserves),
		cmocka_unit_test(a_job_file_runs_with_its_ports),
		cmocka_unit_test(refusals_name_the_place),
		cmocka_unit_test(files_come_in_order_and_circles_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
