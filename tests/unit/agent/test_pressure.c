/* SPDX-License-Identifier: Apache-2.0 */
/* Who goes when a machine has no memory left, and what the master hears of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "scheduler/agent/inside.h"
#include "scheduler/agent/pressure.h"

#define MIB (INT64_C(1) << 20)

static void little_is_a_50th_or_256_mib(void **state)
{
	struct pressure_look look = { .total_bytes = 1000 * MIB, .available_bytes = 21 * MIB };

	(void)state;
	assert_false(pressure_is_high(&look));
	look.available_bytes = 19 * MIB;
	assert_true(pressure_is_high(&look));
	look = (struct pressure_look){ .total_bytes = 100000 * MIB, .available_bytes = 257 * MIB };
	assert_false(pressure_is_high(&look));
	look.available_bytes = 255 * MIB;
	assert_true(pressure_is_high(&look));
}

static void not_much_is_too_little_when_tasks_stall(void **state)
{
	struct pressure_look look = { .total_bytes = 1000 * MIB, .available_bytes = 70 * MIB };

	(void)state;
	assert_false(pressure_is_high(&look));
	look.stalled = 0.3;
	assert_true(pressure_is_high(&look));
	/* One that stalls within its own limit is nobody else's trouble. */
	look.available_bytes = 500 * MIB;
	assert_false(pressure_is_high(&look));
}

static void the_lowest_goes_first(void **state)
{
	struct box boxes[] = {
		{ .state = BOX_RUNNING, .priority = 200, .latency_sensitive = true },
		{ .state = BOX_RUNNING, .priority = 100, .latency_sensitive = true },
		{ .state = BOX_RUNNING, .priority = 100, .used_memory_bytes = 5 },
		{ .state = BOX_RUNNING, .priority = 100, .used_memory_bytes = 9 },
		{ .state = BOX_RUNNING, .priority = 0, .evicted = true },
		{ .state = BOX_ENDED, .priority = 0 },
	};
	struct agent agent = { .boxes = boxes };

	(void)state;
	for (size_t i = 0; i + 1 < ARRAY_SIZE(boxes); i++)
		boxes[i].next = &boxes[i + 1];
	assert_ptr_equal(pressure_victim(&agent), &boxes[3]);
	boxes[3].state = BOX_STOPPING;
	assert_ptr_equal(pressure_victim(&agent), &boxes[2]);
	boxes[2].state = BOX_STOPPING;
	assert_ptr_equal(pressure_victim(&agent), &boxes[1]);
}

struct heard {
	struct loop *loop;
	unsigned reports, pressed;
};

static void hear(void *data, const char *text, size_t len, struct agent *agent)
{
	struct heard *heard = data;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct machine_report report;
	struct err err = { 0 };

	assert_int_equal(machine_report_parse(text, len, arena, &report, &err), 0);
	assert_int_equal(report.cpu_milli, 3000);
	assert_int_equal(report.memory_bytes, 900 * MIB);
	heard->reports++;
	heard->pressed += report.pressed;
	agent_reply(agent, NULL, 0);
	loop_quit(heard->loop, 0);
}

static void the_master_hears_of_it_and_of_what_is_left_for_tasks(void **state)
{
	char dir[] = "/tmp/cellar-agent-XXXXXX", meminfo[64], remove[64];
	struct heard heard = { 0 };
	struct agent_link link = { .data = &heard, .send = hear };
	struct agent_options options = { .root = dir,
					 .runroot = dir,
					 .cell = "test",
					 .machine = "m",
					 .cpu_milli = 4000,
					 .memory_bytes = 1000 * MIB,
					 .reserve_cpu_milli = 1000,
					 .reserve_memory_bytes = 100 * MIB,
					 .meminfo = meminfo };
	struct agent *agent = NULL;
	struct err err = { 0 };
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(meminfo, sizeof(meminfo), "%s/meminfo", dir);
	file = fopen(meminfo, "w");
	assert_non_null(file);
	fprintf(file, "MemTotal:  1000000 kB\nMemFree: 5 kB\nMemAvailable:  1000 kB\n");
	fclose(file);
	assert_int_equal(loop_new(&heard.loop, &err), 0);
	if (agent_new(heard.loop, &options, &link, &agent, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(loop_run(heard.loop, &err), 0);
	assert_int_equal(heard.reports, 1);
	assert_int_equal(heard.pressed, 1);
	agent_free(agent);
	loop_free(heard.loop);
	snprintf(remove, sizeof(remove), "rm -r %s", dir);
	assert_int_equal(system(remove), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_is_a_50th_or_256_mib),
		cmocka_unit_test(not_much_is_too_little_when_tasks_stall),
		cmocka_unit_test(the_lowest_goes_first),
		cmocka_unit_test(the_master_hears_of_it_and_of_what_is_left_for_tasks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
