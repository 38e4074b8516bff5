/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "spec/job/amount.h"
#include "spec/job/job.h"

#define WEB                                      \
	"job: web\n"                             \
	"owner: search\n"                        \
	"priority: 200\n"                        \
	"tasks:\n"                               \
	"  count: 3\n"                           \
	"  image: localhost/bb:latest\n"         \
	"  command: [httpd, -f, -p, \"8080\"]\n" \
	"  resources: {cpu: 100m, memory: 16Mi}\n"

static int make_arena(void **state)
{
	*state = arena_new();
	return *state ? 0 : -1;
}

static int free_arena(void **state)
{
	arena_free(*state);
	return 0;
}

static int parse(void **state, const char *text, struct job_file *ret, struct err *err)
{
	return job_file_parse("web.yaml", text, strlen(text), *state, ret, err);
}

static void the_smallest_job_is_read(void **state)
{
	struct job_file f;
	struct err err = { 0 };

	assert_int_equal(parse(state, WEB, &f, &err), 0);
	assert_string_equal(f.job, "web");
	assert_string_equal(f.owner, "search");
	assert_int_equal(f.priority, 200);
	assert_int_equal(f.class, JOB_LATENCY_SENSITIVE);
	assert_int_equal(f.restart.when, JOB_RESTART_ALWAYS);
	assert_int_equal(f.tasks.count, 3);
	assert_string_equal(f.tasks.image, "localhost/bb:latest");
	assert_string_equal(f.tasks.command[3], "8080");
	assert_null(f.tasks.command[4]);
	assert_int_equal(f.tasks.resources.cpu_milli, 100);
	assert_int_equal(f.tasks.resources.memory_bytes, 16 << 20);
	assert_int_equal(f.tasks.stop_grace_ms, 10000);
	assert_int_equal(f.spread.most, 0);
}

static void json_is_a_part_of_it(void **state)
{
	struct job_file f;

	assert_int_equal(
		parse(state,
		      "{\"job\": \"b\", \"owner\": \"o\", \"priority\": 100, \"tasks\": "
		      "{\"image\": \"x\", \"resources\": {\"cpu\": 1.5, \"memory\": 4096}}}",
		      &f, NULL),
		0);
	assert_int_equal(f.class, JOB_BATCH);
	assert_int_equal(f.restart.when, JOB_RESTART_ON_FAILURE);
	assert_int_equal(f.tasks.count, 1);
	assert_int_equal(f.tasks.resources.cpu_milli, 1500);
	assert_int_equal(f.tasks.resources.memory_bytes, 4096);
}

static void everything_is_read(void **state)
{
	struct job_file f;
	struct err err = { 0 };
	const struct job_override *override;
	const struct job_constraint *constraint;
	int r = parse(state,
		      WEB "  env: {A: 1, B: two words}\n"
			  "  ports: [{name: http, container: 8080, host: 18080, protocol: udp}]\n"
			  "  volumes: [{source: data, target: /data, readonly: true}]\n"
			  "  secrets: [{name: key, target: /run/key}]\n"
			  "  health: {http: /ok, port: http, interval: 1m}\n"
			  "  overrides:\n"
			  "    - {index: 2, resources: {cpu: 2}, env: {A: 3}}\n"
			  "class: batch\n"
			  "alloc_set: set\n"
			  "after: [first, second]\n"
			  "gang: true\n"
			  "disruption_budget: 1\n"
			  "constraints:\n"
			  "  - {attribute: arch, is: amd64}\n"
			  "  - {attribute: slow, absent: true, prefer: true}\n"
			  "spread: {over: rack, most: 2}\n"
			  "preemption: {how: pause, notice: 500ms}\n"
			  "restart: {when: never, most: 3}\n",
		      &f, &err);

	assert_string_equal(err.text, "");
	assert_int_equal(r, 0);
	assert_int_equal(f.tasks.env.count, 2);
	assert_string_equal(f.tasks.env.items[1].value, "two words");
	assert_int_equal(((const struct job_port *)f.tasks.ports.items)->host, 18080);
	assert_int_equal(((const struct job_port *)f.tasks.ports.items)->protocol, JOB_UDP);
	assert_int_equal(f.tasks.health.interval_ms, 60000);
	assert_int_equal(f.tasks.health.timeout_ms, 5000);
	override = f.tasks.overrides.items;
	assert_int_equal(override->resources.cpu_milli, 2000);
	assert_string_equal(override->env.items[0].value, "3");
	constraint = f.constraints.items;
	assert_string_equal(constraint[0].is, "amd64");
	assert_true(constraint[1].absent && constraint[1].prefer);
	assert_string_equal(f.after[1], "second");
	assert_int_equal(f.spread.over, JOB_DOMAIN_RACK);
	assert_int_equal(f.preemption.how, JOB_PREEMPTION_PAUSE);
	assert_int_equal(f.preemption.notice_ms, 500);
	assert_int_equal(f.restart.most, 3);
}

static void an_alloc_set_is_read(void **state)
{
	struct job_file f;

	assert_int_equal(parse(state,
			       "alloc_set: big\nowner: o\npriority: 200\ncount: 4\n"
			       "resources: {cpu: 2, memory: 1Gi, gpu: 2}\n",
			       &f, NULL),
			 0);
	assert_null(f.job);
	assert_string_equal(f.alloc_set, "big");
	assert_int_equal(f.allocs, 4);
	assert_int_equal(f.reserve.gpu_milli, 2000);
}

static void mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "web.yaml: empty; a job file begins with \"job: NAME\"" },
		{ "job: web\n  owner: x", "web.yaml:1:6: not YAML: invalid multiline plain key" },
		{ "job: web\njob: web\n", "web.yaml:2:1: not YAML: duplicate key" },
		{ "- a\n", "web.yaml:1:3: names with values are needed here" },
		{ "job: web\n", "web.yaml:1:1: owner is missing: whose quota it takes" },
		{ "job: Web\n", "web.yaml:1:1: job: \"Web\" is no name" },
		{ "job: web\nowner: o\nprioriti: 3\n",
		  "web.yaml:3:1: prioriti: \"prioriti\" is unknown" },
		{ "job: web\npriority: 451\n", "web.yaml:2:1: priority: 451 is not from 0 to 450" },
		{ "job: web\npriority: high\n",
		  "web.yaml:2:1: priority: \"high\" is not a whole number" },
		{ "job: web\npriority:\n", "web.yaml:2:1: priority: a value is needed here" },
		{ "job: &a web\nowner: *a\n", "web.yaml:2:9: aliases (*name) are not taken" },
		{ "job: !x web\n", "web.yaml:1:9: tags (!name) are not taken" },
		{ "[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]", "nested more than 16 deep" },
		{ "job: web\ntasks:\n  resources: {cpu: lots}\n",
		  "web.yaml:3:15: tasks.resources.cpu: \"lots\" is not an amount of CPU, like 100m" },
		{ "job: web\ntasks:\n  resources: {memory: -1}\n",
		  "web.yaml:3:15: tasks.resources.memory: \"-1\" is not a number of bytes" },
		{ "job: web\ntasks:\n  resources: {memory: 99999999999Ti}\n",
		  "is not a number of bytes" },
		{ "job: web\ngang: maybe\n",
		  "web.yaml:2:1: gang: \"maybe\" is neither true nor false" },
		{ "job: web\nclass: fast\n",
		  "class: \"fast\" is none of by-priority, latency-sensitive, batch" },
		{ "job: web\nafter: first\n", "web.yaml:2:1: after: a list is needed here" },
		{ "job: web\nspread: {most: 1}\n", "web.yaml:2:1: spread: over is missing" },
		{ WEB "constraints: [{attribute: a}]\n", "constraints[0]: needs one of is" },
		{ WEB "constraints: [{attribute: a, is: b}, {is: x}]\n",
		  "constraints[1]: attribute is missing" },
		{ WEB "after: [web]\n", "after: a job cannot wait for itself" },
		{ WEB "  ports: [{name: a}]\n", "tasks.ports[0]: container is missing" },
		{ WEB "  ports: [{name: a, container: 70000}]\n", "is not from 1 to 65535" },
		{ WEB "  health: {tcp: true, port: a}\n", "tasks.health.port: has to name one" },
		{ WEB "  overrides: [{index: 3}]\n", "there is no task 3 of 3" },
		{ WEB "  overrides: [{index: 1}, {index: 1}]\n", "index 1 does not rise" },
		{ WEB "  workdir: x\n", "tasks.workdir: \"x\" does not begin with /" },
		{ "job: w\nowner: o\npriority: 1\ntasks: {image: i, resources: {cpu: 1}}\n",
		  "tasks.resources: cpu and memory are needed" },
		{ "job: w\nowner: o\npriority: 1\ntasks: {image: i, resources: {cpu: 1, memory: 1, gpu: 1.5}}\n",
		  "tasks.resources.gpu: several GPUs are whole ones" },
		{ "job: w\ntasks: {count: 100001}\n",
		  "tasks.count: 100001 is not from 1 to 100000" },
		{ "job: w\ntasks: {stop_grace: 10}\n", "tasks.stop_grace: \"10\" is not a time" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct job_file f = { .owner = "untouched" };
		struct err err = { 0 };

		assert_true(parse(state, cases[i].text, &f, &err) < 0);
		if (!strstr(err.text, cases[i].want))
			fail_msg("case %zu: wanted \"%s\" in \"%s\"", i, cases[i].want, err.text);
		assert_null(strchr(err.text, '\n'));
		assert_string_equal(f.owner, "untouched");
	}
}

static int parse_ports(void **state, unsigned count, struct err *err)
{
	char text[8192] = WEB "  ports:\n";
	struct job_file f;

	for (unsigned i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "  - {name: p%u, container: %u}\n", i, 1000 + i);
	return parse(state, text, &f, err);
}

static void ports_have_a_maximum(void **state)
{
	struct err err = { 0 };

	assert_int_equal(parse_ports(state, 64, &err), 0);
	assert_int_equal(parse_ports(state, 65, &err), -EINVAL);
	assert_string_equal(err.text, "web.yaml:9:3: tasks.ports: there are 65 of them, and 64 at "
				      "most may be");
}

static void text_with_a_nul_is_refused(void **state)
{
	struct job_file f;
	struct err err = { 0 };

	assert_int_equal(job_file_parse("x", "job: a\0b", 8, *state, &f, &err), -EINVAL);
}

static void amounts_have_units(void **state)
{
	int64_t n;

	(void)state;
	assert_int_equal(amount_parse_bytes("1.5Ki", &n), 0);
	assert_int_equal(n, 1536);
	assert_int_equal(amount_parse_bytes("0.1Gi", &n), 0);
	assert_int_equal(n, 107374182);
	assert_int_equal(amount_parse_ms("2d", &n), 0);
	assert_int_equal(n, 172800000);
	assert_int_equal(amount_parse_milli("0.25", &n), 0);
	assert_int_equal(n, 250);
	assert_int_equal(amount_parse_milli("0.0001", &n), -EINVAL);
	assert_int_equal(amount_parse_milli("1e3", &n), -EINVAL);
	assert_int_equal(amount_parse_bytes("16 Mi", &n), -EINVAL);
	assert_int_equal(amount_parse_bytes("", &n), -EINVAL);
	assert_int_equal(amount_parse_bytes(".5Mi", &n), -EINVAL);
	assert_int_equal(amount_parse_ms("0", &n), 0);
}

static void the_published_schema_is_that_of_the_tables(void **state)
{
	_cleanup_free_ char *published = NULL, *made = job_file_schema();
	struct err err = { 0 };
	char path[512];
	size_t len;

	(void)state;
	assert_non_null(made);
	snprintf(path, sizeof(path), "%.*s/docs/job.schema.json",
		 (int)(strstr(__FILE__, "/tests/unit/") - __FILE__), __FILE__);
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &published, &len, &err), 0);
	if (strcmp(published, made) != 0) {
		file_replace(AT_FDCWD, "job.schema.json", made, strlen(made), 0644, false, NULL);
		fail_msg("docs/job.schema.json is out of date; the new one is ./job.schema.json");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_smallest_job_is_read, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(json_is_a_part_of_it, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(everything_is_read, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(an_alloc_set_is_read, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(ports_have_a_maximum, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(mistakes_are_told_with_their_place, make_arena,
						free_arena),
		cmocka_unit_test_setup_teardown(text_with_a_nul_is_refused, make_arena, free_arena),
		cmocka_unit_test(amounts_have_units),
		cmocka_unit_test(the_published_schema_is_that_of_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
