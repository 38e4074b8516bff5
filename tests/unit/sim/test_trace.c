/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is wrong in a CSV is refused, with file, line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/sim/csv.h"
#include "scheduler/sim/trace.h"

static int parse(struct trace *trace, const char *format, bool tasks, const char *text,
		 struct err *err)
{
	_cleanup_csv_ struct csv *csv = NULL;
	int r = csv_open_text("t.csv", text, strlen(text), &csv, err);

	if (r < 0)
		return r;
	return tasks ? trace_parse_tasks(trace, format, csv, err)
		     : trace_parse_machines(trace, format, csv, err);
}

static void refuses(const char *format, bool tasks, const char *text, const char *start)
{
	struct trace trace = { 0 };
	struct err err = { 0 };

	if (parse(&trace, format, tasks, text, &err) == 0)
		fail_msg("taken: %s", text);
	if (strncmp(err.text, start, strlen(start)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", err.text, start);
	trace_deinit(&trace);
}

#define TASK "job,arrive_s,cpu_milli,memory_mib,priority"
#define MACHINE "name,cpu_milli,memory_mib"

static void bad_tasks_are_refused_with_their_place(void **state)
{
	(void)state;
	refuses("cellar", true, "", "t.csv: empty");
	refuses("cellar", true, "job,arrive_s\na,1\n", "t.csv:1:1: there is no column cpu_milli");
	refuses("cellar", true, TASK ",bananas\na,0,1,1,0,7\n",
		"t.csv:1:44: there is no column 'bananas'");
	refuses("cellar", true, TASK "\na,0,-1,1,0\n", "t.csv:2:5: ");
	refuses("cellar", true, TASK "\na,0,1,1\n", "t.csv:2:7: 4 columns, the header has 5");
	refuses("cellar", true, TASK "\na,0,1,1,0\nb,0,999999999999,1,0\n", "t.csv:3:5: ");
	refuses("cellar", true, TASK "\na,0,1,1,451\n", "t.csv:2:9: ");
	refuses("cellar", true, TASK "\na,0,1,1x,0\n", "t.csv:2:7: ");
	refuses("cellar", true, TASK "\n,0,1,1,0\n", "t.csv:2:1: ");
	refuses("cellar", true, TASK "\n\"a,0,1,1,0\n", "t.csv:2:1: a quote without its end");
	refuses("cellar", true, TASK "\na,5,1,1,0\nb,4,1,1,0\n",
		"t.csv:3:3: rows must stand in order of arrival");
	refuses("cellar", true, TASK "\na,0,1,1,0\nb,0,1,1,0\na,0,1,1,0\n",
		"t.csv:4:1: 'a' came before");
	refuses("cellar", true, TASK ",spread\na,0,1,1,0,near\n", "t.csv:2:11: ");
	refuses("cellar", true, TASK ",constraints\na,0,1,1,0,=x\n", "t.csv:2:11: ");
	refuses("cellar", true, TASK ",end_s\na,9,1,1,0,5\n",
		"t.csv:2:11: it ends before it comes");
	refuses("cellar", true, TASK ",devices,device_milli\na,0,1,1,0,2,500\n", "t.csv:2:13: ");
	refuses("cellar", true, TASK ",devices\na,0,1,1,0,17\n", "t.csv:2:11: ");
}

static void a_circle_cannot_be_written(void **state)
{
	(void)state;
	refuses("cellar", true, TASK ",after\na,0,1,1,0,b\nb,0,1,1,0,a\n",
		"t.csv:2:11: it is to start after 'b', which does not come before it");
	refuses("cellar", true, TASK ",after\na,0,1,1,0,a\n", "t.csv:2:11: ");
	refuses("cellar", true, TASK ",after\na,0,1,1,0,\nb,0,1,1,0,a;c\n", "t.csv:3:11: ");
}

static void bad_machines_are_refused_with_their_place(void **state)
{
	(void)state;
	refuses("cellar", false, MACHINE "\nm,-4,1\n", "t.csv:2:3: ");
	refuses("cellar", false, MACHINE "\nm,4,99999999999999\n", "t.csv:2:5: ");
	refuses("cellar", false, MACHINE "\nm,4,1\nm,4,1\n", "t.csv:3:1: 'm' came before");
	refuses("cellar", false, MACHINE "\n,4,1\n", "t.csv:2:1: ");
	refuses("cellar", false, MACHINE ",floppies\nm,4,1,2\n",
		"t.csv:1:27: there is no column 'floppies'");
	refuses("cellar", false, MACHINE ",attributes\nm,4,1,ssd\n", "t.csv:2:7: ");
	refuses("cellar", false, MACHINE ",ports\nm,4,1,70000\n", "t.csv:2:7: ");
	refuses("openb", false, "sn,cpu_milli,memory_mib,gpu,model\na,1,1,0,\na,1,1,0,\n",
		"t.csv:3:1: 'a' came before");
}

static void what_is_written_is_read(void **state)
{
	struct trace trace = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse(&trace, "cellar", true,
			       TASK ",after,device_model,devices,ports\n"
				    "a,0,1000,10,200,,,,2\n"
				    "a,0,2000,10,200,,,,\n"
				    "b,5,1,1,0,a,T4,2,\n",
			       &err),
			 0);
	assert_int_equal(trace.job_count, 2);
	assert_int_equal(trace.jobs[0].count, 2);
	assert_int_equal(trace.tasks[0].request.amounts.of[RESOURCE_PORTS], 2);
	assert_int_equal(trace.jobs[1].after_count, 1);
	assert_string_equal(trace.jobs[1].after[0], "a");
	assert_string_equal(trace.jobs[1].device_model, "T4");
	trace_deinit(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_tasks_are_refused_with_their_place),
		cmocka_unit_test(a_circle_cannot_be_written),
		cmocka_unit_test(bad_machines_are_refused_with_their_place),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
