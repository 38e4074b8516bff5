/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that change while they run, plans, and what is told of it, with machines that are made up.
 */
#include <errno.h>

#include "tests/unit/master/fake.h"

#define WEB(count) FAKE_JOB("web", 200, count, "100m", "")

static const struct caller root = { .name = "root", .role = CALLER_OPERATOR };

static struct fake_cell *cell_of(size_t machines)
{
	static const char *const names[] = { "a", "b", "c" };
	struct fake_cell *cell = fake_new();

	fake_begin(cell);
	for (size_t i = 0; i < machines; i++)
		fake_machine(cell, names[i], "r", 1000);
	fake_beat(cell);
	return cell;
}

static void again(struct fake_cell *cell)
{
	fake_end(cell);
	fake_begin(cell);
	fake_beat(cell);
}

static char *plan(struct fake_cell *cell, const char *text)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	struct err err = { 0 };
	size_t len;

	assert_non_null(w);
	if (master_plan(cell->master, &root, "job.yaml", text, strlen(text), w, &err) < 0)
		fail_msg("%s", err.text);
	return json_writer_take(w, &len);
}

static int resize(struct fake_cell *cell, const char *job, const struct master_resize *how,
		  char **ret)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	struct err err = { 0 };
	size_t len;
	int r;

	assert_non_null(w);
	r = master_resize(cell->master, &root, job, how, w, &err);
	if (r == 0 && ret)
		*ret = json_writer_take(w, &len);
	fake_beat(cell);
	return r;
}

static void assert_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("no %s in %s", part, text ? text : "nothing");
}

/* ---- scale ---- */

static void test_scaled_jobs_have_so_many_tasks_also_after_a_restart(void **state)
{
	struct fake_cell *cell = cell_of(2);
	uint64_t first;

	(void)state;
	fake_submit(cell, "%s", WEB(3));
	first = job_find(cell->master, "web")->tasks[0].incarnation;
	assert_int_equal(master_scale(cell->master, &root, "web", 9, NULL), 0);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "web"), 9);
	again(cell);
	assert_int_equal(fake_running(cell, "web"), 9);
	assert_int_equal(job_find(cell->master, "web")->tasks[0].incarnation, first);
	assert_int_equal(master_scale(cell->master, &root, "web", 2, NULL), 0);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "web"), 2);
	again(cell);
	assert_int_equal(fake_running(cell, "web"), 2);
	assert_int_equal(master_scale(cell->master, &root, "web", 4, NULL), 0);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "web"), 4);
	fake_free(cell);
}

static void scale(struct fake_cell *cell, const char *job, uint32_t count)
{
	struct err err = { 0 };

	if (master_scale(cell->master, &root, job, count, &err) < 0)
		fail_msg("%s", err.text);
	fake_beat(cell);
}

static void test_a_gang_grows_whole_or_not_at_all_also_after_a_restart(void **state)
{
	struct fake_cell *cell = cell_of(2);

	(void)state;
	fake_submit(cell, FAKE_JOB("g", 200, 2, "100m", "gang: true\n"));
	scale(cell, "g", 3);
	assert_int_equal(fake_running(cell, "g"), 3);
	scale(cell, "g", 30);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(fake_running(cell, "g"), 3);
		again(cell);
	}
	scale(cell, "g", 5);
	assert_int_equal(fake_running(cell, "g"), 5);
	again(cell);
	assert_int_equal(fake_running(cell, "g"), 5);
	scale(cell, "g", 1);
	assert_int_equal(fake_running(cell, "g"), 1);
	fake_free(cell);
}

/* It has lost its place as a whole, and is scaled then: all of it starts, or nothing. */
static void test_a_gang_that_waits_grows_whole_also_after_a_restart(void **state)
{
	struct fake_cell *cell = cell_of(1);

	(void)state;
	fake_submit(cell, FAKE_JOB("g", 100, 5, "100m", "gang: true\n"));
	assert_int_equal(fake_running(cell, "g"), 5);
	fake_submit(cell, FAKE_JOB("high", 200, 1, "500m", ""));
	fake_submit(cell, FAKE_JOB("higher", 200, 1, "500m", ""));
	assert_int_equal(fake_running(cell, "g"), 0);
	scale(cell, "g", 7);
	again(cell);
	assert_int_equal(master_stop(cell->master, &root, "high", false, NULL), 0);
	fake_beat(cell);
	/* Five would fit. */
	assert_int_equal(fake_running(cell, "g"), 0);
	scale(cell, "g", 5);
	assert_int_equal(fake_running(cell, "g"), 5);
	fake_free(cell);
}

static char *plan_scale_to(struct fake_cell *cell, const char *job, uint32_t count)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	struct err err = { 0 };
	size_t len;

	assert_non_null(w);
	if (master_plan_scale(cell->master, &root, job, count, w, &err) < 0)
		fail_msg("%s", err.text);
	return json_writer_take(w, &len);
}

static uint32_t alloc_of(struct fake_cell *cell, const char *task)
{
	const struct held_task *alloc = task_alloc(cell->master, task_find(cell->master, task));

	return alloc ? alloc->index : NOBODY;
}

static void test_allocs_keep_their_indexes_over_a_restart(void **state)
{
	struct fake_cell *cell = cell_of(2);
	_cleanup_free_ char *planned = NULL;
	uint32_t at;

	(void)state;
	fake_submit(cell, "alloc_set: s\nowner: o\npriority: 200\ncount: 1\n"
			  "resources: {cpu: 300m, memory: 32Mi}\n");
	planned = plan_scale_to(cell, "s", 3);
	assert_has(planned, "\"placed\":2,\"pending\":0,\"leave\":[]");
	assert_int_equal(job_size(job_find(cell->master, "s")), 1);
	scale(cell, "s", 4);
	fake_submit(cell, FAKE_JOB("in", 200, 2, "300m", "alloc_set: s\n"));
	assert_int_equal(fake_running(cell, "in"), 2);
	scale(cell, "in", 1);
	at = alloc_of(cell, "in/0");
	scale(cell, "s", 1);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(job_size(job_find(cell->master, "s")), 1);
		assert_int_equal(job_find(cell->master, "s")->count, at + 1);
		assert_int_equal(alloc_of(cell, "in/0"), at);
		assert_int_equal(fake_running(cell, "in"), 1);
		again(cell);
	}
	/* What is free is taken first. */
	scale(cell, "s", 4);
	assert_int_equal(job_find(cell->master, "s")->count, 4);
	/* Not all of them fit: none comes, nor after a restart. */
	scale(cell, "s", 9);
	again(cell);
	for (uint32_t i = 0; i < 9; i++)
		assert_int_equal(job_find(cell->master, "s")->tasks[i].live, i < 4);
	assert_int_equal(alloc_of(cell, "in/0"), at);
	fake_free(cell);
}

static void test_production_that_grows_counts_once(void **state)
{
	struct fake_cell *cell = fake_new();

	(void)state;
	cell->options.production_share = 0.8;
	fake_begin(cell);
	fake_machine(cell, "a", "r", 1000);
	fake_beat(cell);
	fake_submit(cell, "%s", WEB(4));
	scale(cell, "web", 8);
	assert_int_equal(fake_running(cell, "web"), 8);
	assert_int_equal(master_scale(cell->master, &root, "web", 9, NULL), -EDQUOT);
	fake_free(cell);
}

static void test_scale_refuses_what_is_not_there(void **state)
{
	struct fake_cell *cell = cell_of(1);

	(void)state;
	fake_submit(cell, FAKE_JOB("g", 200, 2, "100m", "gang: true\n"));
	assert_int_equal(master_scale(cell->master, &root, "g", 0, NULL), -ERANGE);
	assert_int_equal(master_scale(cell->master, &root, "h", 3, NULL), -ENOENT);
	assert_int_equal(master_stop(cell->master, &root, "g", false, NULL), 0);
	assert_int_equal(master_scale(cell->master, &root, "g", 3, NULL), -EINVAL);
	fake_beat(cell);
	fake_free(cell);
}

/* ---- said again ---- */

static int hand_in(struct fake_cell *cell, const char *who, const char *key, const char *text)
{
	struct caller caller = { .role = CALLER_OPERATOR, .uid = CALLER_NO_UID };
	struct err err = { 0 };
	const char *job = NULL;
	int r;

	snprintf(caller.name, sizeof(caller.name), "%s", who);
	r = master_submit_once(cell->master, &caller, key, "web.yaml", text, strlen(text), &job,
			       &err);
	assert_true(r < 0 || strcmp(job, "web") == 0);
	fake_beat(cell);
	return r;
}

static void test_a_job_handed_in_again_by_its_key_is_the_first_one(void **state)
{
	struct fake_cell *cell = cell_of(1);
	uint64_t first;

	(void)state;
	assert_int_equal(hand_in(cell, "alice", "k 1", WEB(2)), -EINVAL);
	assert_int_equal(hand_in(cell, "alice", "", WEB(2)), -EINVAL);
	assert_int_equal(hand_in(cell, "alice", "k-1", WEB(2)), 0);
	first = job_find(cell->master, "web")->tasks[0].incarnation;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(hand_in(cell, "alice", "k-1", WEB(2)), 0);
		assert_int_equal(hand_in(cell, "alice", "k-1", WEB(3)), -EEXIST);
		assert_int_equal(hand_in(cell, "alice", "k-2", WEB(2)), -EEXIST);
		assert_int_equal(hand_in(cell, "bob", "k-1", WEB(2)), -EEXIST);
		assert_int_equal(hand_in(cell, "alice", NULL, WEB(2)), -EEXIST);
		assert_int_equal(job_find(cell->master, "web")->tasks[0].incarnation, first);
		assert_int_equal(fake_running(cell, "web"), 2);
		again(cell);
	}
	/* Stopped meanwhile it stays so; another key is another job. */
	assert_int_equal(master_stop(cell->master, &root, "web", false, NULL), 0);
	assert_int_equal(hand_in(cell, "alice", "k-1", WEB(2)), 0);
	assert_int_equal(fake_running(cell, "web"), 0);
	assert_int_equal(hand_in(cell, "alice", "k-3", WEB(2)), 0);
	assert_int_equal(fake_running(cell, "web"), 2);
	fake_free(cell);
}

/* ---- jobs that this version would not accept ---- */

/* As an earlier version may have left it. */
static void write_to_store(struct fake_cell *cell, const char *key, const char *value)
{
	struct store_change change = { key, value, strlen(value) };

	assert_int_equal(
		cell_store_commit(cell->master->store, cell->master->epoch, &change, 1, NULL, NULL),
		0);
}

static void test_a_job_with_more_ports_than_may_be_runs_on(void **state)
{
	char text[4096], value[8192], *end = text;
	struct fake_cell *cell = cell_of(1);
	_cleanup_free_ char *events = NULL;
	size_t len;
	uint64_t last;

	(void)state;
	end += sprintf(end, "job: old\\nowner: o\\npriority: 200\\ntasks: {image: i, resources: "
			    "{cpu: 100m, memory: 1Mi}, ports: [");
	for (int i = 0; i < 70; i++)
		end += sprintf(end, "{name: p%d, container: %d}, ", i, 1000 + i);
	sprintf(end, "]}\\n");
	snprintf(value, sizeof(value), "{\"file\": \"old.yaml\", \"text\": \"%s\"}", text);
	write_to_store(cell, "job/old", value);
	fake_submit(cell, "%s", WEB(2));
	again(cell);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "old"), 1);
	assert_int_equal(fake_running(cell, "web"), 2);
	events = master_events(cell->master, 0, &len, &last);
	assert_has(events, "job-warning");
	assert_has(events, "64 at most may be");
	fake_free(cell);
}

static void test_a_job_that_cannot_be_read_stops_nobody(void **state)
{
	struct fake_cell *cell = cell_of(1);
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	size_t len;

	(void)state;
	fake_submit(cell, "%s", WEB(2));
	write_to_store(cell, "job/odd", "{\"text\": \"job: odd\\nwhatever: 1\\n\"}");
	write_to_store(cell, "job/none", "{\"text\": 17}");
	write_to_store(cell, "task/odd/2",
		       "{\"live\": true, \"incarnation\": 7, \"machine\": \"a\"}");
	write_to_store(cell, "task/web/0", "[]");
	again(cell);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "web"), 2);
	assert_int_equal(fake_running(cell, "odd"), 0);
	assert_int_equal(master_write_job(cell->master, "odd", w, NULL), 0);
	text = json_writer_take(w, &len);
	assert_has(text, "\"state\":\"refused\"");
	assert_has(text, "is unknown here");
	assert_int_equal(job_find(cell->master, "odd")->count, 3);
	again(cell);
	assert_int_equal(master_stop(cell->master, &root, "odd", true, NULL), 0);
	again(cell);
	assert_null(job_find(cell->master, "odd"));
	assert_int_equal(fake_running(cell, "web"), 2);
	fake_free(cell);
}

/* ---- resize ---- */

static void test_resized_tasks_keep_their_size_over_a_restart(void **state)
{
	struct master_resize how = { .index = UINT32_MAX, .cpu_milli = 300 };
	struct master_resize one = { .index = 1, .cpu_milli = 200 };
	struct fake_cell *cell = cell_of(2);
	struct held_job *job;

	(void)state;
	fake_submit(cell, "%s", WEB(4));
	assert_int_equal(resize(cell, "web", &how, NULL), 0);
	assert_int_equal(resize(cell, "web", &one, NULL), 0);
	for (int round = 0; round < 2; round++) {
		job = job_find(cell->master, "web");
		assert_int_equal(amend_resources_of(job, 0).cpu_milli, 300);
		assert_int_equal(amend_resources_of(job, 1).cpu_milli, 200);
		assert_int_equal(fake_running(cell, "web"), 4);
		again(cell);
	}
	fake_free(cell);
}

static void test_a_plan_to_resize_changes_nothing_and_comes_true(void **state)
{
	struct master_resize how = { .index = 0, .cpu_milli = 900, .plan = true };
	struct fake_cell *cell = cell_of(2);
	_cleanup_free_ char *planned = NULL, *done = NULL;

	(void)state;
	fake_submit(cell, "%s", WEB(2));
	fake_submit(cell, FAKE_JOB("batch", 100, 4, "300m", ""));
	assert_int_equal(resize(cell, "web", &how, &planned), 0);
	assert_int_equal(fake_running(cell, "batch"), 4);
	assert_int_equal(amend_resources_of(job_find(cell->master, "web"), 0).cpu_milli, 100);
	how.plan = false;
	assert_int_equal(resize(cell, "web", &how, &done), 0);
	strstr(planned, "\"done\"")[0] = strstr(done, "\"done\"")[0] = '\0';
	assert_string_equal(planned, done);
	how.cpu_milli = 5000;
	assert_int_equal(resize(cell, "web", &how, NULL), -ENOSPC);
	fake_free(cell);
}

/* ---- restart ---- */

static void test_restarted_tasks_are_later_incarnations_in_their_place(void **state)
{
	struct fake_cell *cell = cell_of(2);
	struct held_task *tasks;
	uint64_t was[2];
	uint32_t at;

	(void)state;
	fake_submit(cell, "%s", WEB(2));
	tasks = job_find(cell->master, "web")->tasks;
	was[0] = tasks[0].incarnation;
	was[1] = tasks[1].incarnation;
	at = tasks[1].at;
	assert_int_equal(master_restart(cell->master, &root, "web", 1, NULL), 0);
	fake_beat(cell);
	assert_int_equal(tasks[0].incarnation, was[0]);
	assert_true(tasks[1].incarnation > was[1]);
	assert_int_equal(tasks[1].at, at);
	assert_int_equal(fake_running(cell, "web"), 2);
	assert_int_equal(master_restart(cell->master, &root, "web", UINT32_MAX, NULL), 0);
	fake_beat(cell);
	assert_true(tasks[0].incarnation > was[0]);
	assert_int_equal(fake_running(cell, "web"), 2);
	assert_int_equal(master_restart(cell->master, &root, "web", 7, NULL), -ENOENT);
	fake_free(cell);
}

/* How many of web's tasks are of a later incarnation than that. */
static unsigned later(struct fake_cell *cell, uint64_t incarnation)
{
	const struct held_job *job = job_find(cell->master, "web");
	unsigned n = 0;

	for (uint32_t i = 0; i < job->count; i++)
		n += job->tasks[i].incarnation > incarnation;
	return n;
}

static void test_a_restart_goes_on_as_the_budget_lets_it(void **state)
{
	struct fake_cell *cell = cell_of(2);
	char *text;
	uint64_t before;

	(void)state;
	fake_submit(cell, "%s", FAKE_JOB("web", 200, 6, "100m", "disruption_budget: 2\n"));
	fake_beat(cell);
	before = cell->master->incarnations;
	assert_int_equal(master_restart(cell->master, &root, "web", UINT32_MAX, NULL), 0);
	assert_int_equal(later(cell, before), 2);
	/* Nobody is told of more before those are up; nor by another master. */
	text = fake_status(cell, "web");
	assert_has(text, "\"to_restart\":4");
	free(text);
	fake_end(cell);
	fake_begin(cell);
	assert_int_equal(later(cell, before), 2);
	for (unsigned i = 0; i < 8 && later(cell, before) < 6; i++) {
		unsigned was = later(cell, before);

		/* Who runs is up, and lets the next ones go. */
		fake_sync(&cell->machines[0]);
		fake_sync(&cell->machines[1]);
		assert_true(later(cell, before) <= was + 4);
	}
	fake_beat(cell);
	assert_int_equal(later(cell, before), 6);
	assert_int_equal(fake_running(cell, "web"), 6);
	assert_null(strstr(text = fake_status(cell, "web"), "to_restart"));
	free(text);
	fake_free(cell);
}

static void test_a_restart_stops_where_a_task_does_not_come_up(void **state)
{
	struct fake_cell *cell = cell_of(2);
	uint64_t before;

	(void)state;
	fake_submit(cell, "%s", FAKE_JOB("web", 200, 4, "100m", "disruption_budget: 1\n"));
	fake_beat(cell);
	before = cell->master->incarnations;
	cell->machines[0].cut = cell->machines[1].cut = true;
	assert_int_equal(master_restart(cell->master, &root, "web", UINT32_MAX, NULL), 0);
	restart_step(cell->master);
	assert_int_equal(later(cell, before), 1);
	/* One that is named goes all the same. */
	assert_int_equal(master_restart(cell->master, &root, "web", 3, NULL), 0);
	assert_int_equal(later(cell, before), 2);
	cell->machines[0].cut = cell->machines[1].cut = false;
	for (unsigned i = 0; i < 8; i++)
		fake_beat(cell);
	assert_int_equal(later(cell, before), 4);
	fake_free(cell);
}

static void test_a_restarted_single_instance_is_never_twice(void **state)
{
	struct fake_cell *cell = cell_of(1);

	(void)state;
	fake_submit(cell, FAKE_JOB("one", 200, 1, "100m", "single_instance: true\n"));
	cell->machines[0].slow = true;
	assert_int_equal(master_restart(cell->master, &root, "one", UINT32_MAX, NULL), 0);
	fake_beat(cell);
	assert_int_equal(cell->machines[0].count, 1);
	cell->machines[0].slow = false;
	fake_beat(cell);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "one"), 1);
	fake_free(cell);
}

/* ---- plan ---- */

static void test_a_plan_names_victims_and_nothing_changes(void **state)
{
	struct fake_cell *cell = cell_of(1);
	_cleanup_free_ char *text = NULL;

	(void)state;
	fake_submit(cell, FAKE_JOB("batch", 100, 2, "400m", ""));
	text = plan(cell, FAKE_JOB("web", 200, 2, "400m", ""));
	assert_has(text, "\"placed\":2");
	assert_has(text, "\"task\":\"batch/");
	assert_has(text, "\"how\":\"killed\"");
	assert_int_equal(fake_running(cell, "batch"), 2);
	assert_null(job_find(cell->master, "web"));
	fake_free(cell);
}

static void test_a_plan_tells_differences_from_what_is_there(void **state)
{
	struct fake_cell *cell = cell_of(1);
	_cleanup_free_ char *text = NULL;

	(void)state;
	fake_submit(cell, "%s", WEB(2));
	text = plan(cell, FAKE_JOB("web", 150, 3, "200m", ""));
	assert_has(text, "{\"field\":\"tasks.count\",\"from\":\"2\",\"to\":\"3\"}");
	assert_has(text, "{\"field\":\"tasks.resources.cpu\",\"from\":\"100m\",\"to\":\"200m\"}");
	assert_has(text, "{\"field\":\"priority\",\"from\":\"200\",\"to\":\"150\"}");
	assert_has(text, "stopped first");
	assert_int_equal(fake_running(cell, "web"), 2);
	fake_free(cell);
}

/* ---- what is told ---- */

static void test_history_survives_a_restart_and_a_second_life(void **state)
{
	struct fake_cell *cell = cell_of(1);
	struct held_job *job;

	(void)state;
	fake_submit(cell, "%s", WEB(1));
	assert_int_equal(master_scale(cell->master, &root, "web", 2, NULL), 0);
	again(cell);
	assert_int_equal(master_stop(cell->master, &root, "web", false, NULL), 0);
	fake_submit(cell, "%s", WEB(1));
	job = job_find(cell->master, "web");
	assert_int_equal(job->history_count, 4);
	assert_string_equal(job->history[1].text, "scaled from 1 to 2 tasks");
	assert_string_equal(job->history[1].who, "root");
	fake_free(cell);
}

static int news;

static void on_news(void *data)
{
	(void)data;
	news++;
}

static void test_events_have_rising_indexes_and_tell_what_happened(void **state)
{
	struct fake_cell *cell = cell_of(1);
	struct master_listener listener = { .fn = on_news };
	_cleanup_free_ char *text = NULL, *more = NULL;
	uint64_t before, last = 0;
	size_t len;

	(void)state;
	news = 0;
	before = master_index(cell->master);
	master_listen(cell->master, &listener);
	fake_submit(cell, "%s", WEB(1));
	fake_beat(cell);
	assert_true(news > 0);
	assert_true(master_job_index(cell->master, "web") > before);
	text = master_events(cell->master, before, &len, &last);
	assert_has(text, "\"kind\":\"job-submitted\",\"job\":\"web\",\"who\":\"test\"");
	assert_has(text, "\"kind\":\"task-placed\"");
	assert_has(text, "\"kind\":\"task-running\"");
	assert_int_equal(last, master_index(cell->master));
	more = master_events(cell->master, last, &len, &last);
	assert_null(more);
	master_unlisten(cell->master, &listener);
	fake_end(cell);
	fake_begin(cell);
	fake_beat(cell);
	assert_true(master_index(cell->master) > last);
	fake_free(cell);
}

static void test_a_reader_who_was_away_too_long_is_told(void **state)
{
	struct fake_cell *cell = cell_of(1);
	_cleanup_free_ char *text = NULL;
	uint64_t since = master_index(cell->master), last;
	size_t len;

	(void)state;
	fake_submit(cell, "%s", WEB(1));
	for (int i = 0; i < 9000; i++) {
		master_machine_cordon(cell->master, &fake_operator, "a", NULL);
		master_machine_uncordon(cell->master, &fake_operator, "a", NULL);
	}
	text = master_events(cell->master, since, &len, &last);
	assert_has(text, "{\"kind\":\"gap\"");
	fake_free(cell);
}

/* ---- backup ---- */

static void test_a_restored_cell_is_later_than_all_that_was_seen(void **state)
{
	struct fake_cell *cell = cell_of(1);
	char backup[64];
	uint64_t epoch, incarnation;

	(void)state;
	snprintf(backup, sizeof(backup), "%s/backup", cell->dir);
	fake_submit(cell, "%s", WEB(1));
	assert_int_equal(master_backup(cell->master, backup, NULL), 0);
	again(cell);
	again(cell);
	fake_submit(cell, FAKE_JOB("late", 200, 1, "100m", ""));
	epoch = cell->master->epoch;
	incarnation = job_find(cell->master, "late")->tasks[0].incarnation;
	fake_end(cell);
	assert_int_equal(master_restore(backup, cell->store, NULL), 0);
	fake_begin(cell);
	fake_beat(cell);
	assert_true(cell->master->epoch > epoch);
	assert_true(cell->master->incarnations >= incarnation);
	assert_null(job_find(cell->master, "late"));
	assert_int_equal(fake_running(cell, "web"), 1);
	assert_int_equal(fake_running(cell, "late"), 0);
	assert_int_equal(unlink(backup), 0);
	fake_free(cell);
}

static void test_what_is_no_backup_replaces_nothing(void **state)
{
	struct fake_cell *cell = cell_of(1);
	char file[64];
	FILE *f;

	(void)state;
	snprintf(file, sizeof(file), "%s/nonsense", cell->dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs("this is no database, and it is long enough to be taken for none", f);
	fclose(f);
	fake_submit(cell, "%s", WEB(1));
	fake_end(cell);
	assert_true(master_restore(file, cell->store, NULL) < 0);
	assert_int_equal(master_restore("/nowhere", cell->store, NULL), -ENOENT);
	fake_begin(cell);
	fake_beat(cell);
	assert_int_equal(fake_running(cell, "web"), 1);
	assert_int_equal(unlink(file), 0);
	fake_free(cell);
}

static unsigned on(struct fake_cell *cell, uint32_t machine)
{
	const struct held_job *job = job_find(cell->master, "web");
	unsigned n = 0;

	for (uint32_t i = 0; i < job->count; i++)
		n += job->tasks[i].at == machine;
	return n;
}

static void test_a_drain_and_a_restart_share_one_budget(void **state)
{
	struct fake_cell *cell = cell_of(2);
	uint64_t before;
	uint32_t at;
	unsigned was;

	(void)state;
	fake_submit(cell, "%s", FAKE_JOB("web", 200, 4, "100m", "disruption_budget: 1\n"));
	fake_beat(cell);
	at = job_find(cell->master, "web")->tasks[3].at;
	was = on(cell, at);
	before = cell->master->incarnations;
	assert_int_equal(master_restart(cell->master, &root, "web", UINT32_MAX, NULL), 0);
	assert_int_equal(later(cell, before), 1);
	/* One is down already. */
	assert_int_equal(
		master_machine_drain(cell->master, &root, cell->machines[at].name, -1, NULL), 0);
	cell->now_ns += 1000 * MS;
	master_settle(cell->master);
	assert_int_equal(on(cell, at), was);
	/* Another master counts all as down until it hears of them. */
	fake_end(cell);
	fake_begin(cell);
	cell->now_ns += 1000 * MS;
	master_settle(cell->master);
	assert_int_equal(on(cell, at), was);
	for (int i = 0; i < 20; i++) {
		cell->now_ns += 500 * MS;
		fake_beat(cell);
	}
	assert_int_equal(on(cell, at), 0);
	assert_int_equal(fake_running(cell, "web"), 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(job_find(cell->master, "web")->tasks[i].incarnation > before);
	fake_free(cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scaled_jobs_have_so_many_tasks_also_after_a_restart),
		cmocka_unit_test(test_scale_refuses_what_is_not_there),
		cmocka_unit_test(test_a_gang_grows_whole_or_not_at_all_also_after_a_restart),
		cmocka_unit_test(test_a_gang_that_waits_grows_whole_also_after_a_restart),
		cmocka_unit_test(test_allocs_keep_their_indexes_over_a_restart),
		cmocka_unit_test(test_production_that_grows_counts_once),
		cmocka_unit_test(test_a_job_handed_in_again_by_its_key_is_the_first_one),
		cmocka_unit_test(test_a_drain_and_a_restart_share_one_budget),
		cmocka_unit_test(test_a_job_with_more_ports_than_may_be_runs_on),
		cmocka_unit_test(test_a_job_that_cannot_be_read_stops_nobody),
		cmocka_unit_test(test_resized_tasks_keep_their_size_over_a_restart),
		cmocka_unit_test(test_a_plan_to_resize_changes_nothing_and_comes_true),
		cmocka_unit_test(test_restarted_tasks_are_later_incarnations_in_their_place),
		cmocka_unit_test(test_a_restart_goes_on_as_the_budget_lets_it),
		cmocka_unit_test(test_a_restart_stops_where_a_task_does_not_come_up),
		cmocka_unit_test(test_a_restarted_single_instance_is_never_twice),
		cmocka_unit_test(test_a_plan_names_victims_and_nothing_changes),
		cmocka_unit_test(test_a_plan_tells_differences_from_what_is_there),
		cmocka_unit_test(test_history_survives_a_restart_and_a_second_life),
		cmocka_unit_test(test_events_have_rising_indexes_and_tell_what_happened),
		cmocka_unit_test(test_a_reader_who_was_away_too_long_is_told),
		cmocka_unit_test(test_a_restored_cell_is_later_than_all_that_was_seen),
		cmocka_unit_test(test_what_is_no_backup_replaces_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
