/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/signal_name.h"
#include "cmd/ctr/log_reader.h"
#include "cmd/ctr/run_options.h"
#include "cmd/ctr/show.h"
#include "cmd/ctr/verbs.h"

#define S INT64_C(1000000000)

static void durations_are_in_one_unit(void **state)
{
	char buf[SHOW_SIZE];
	(void)state;

	assert_string_equal(show_duration(-5, buf), "0 seconds");
	assert_string_equal(show_duration(S, buf), "1 second");
	assert_string_equal(show_duration(119 * S, buf), "119 seconds");
	assert_string_equal(show_duration(120 * S, buf), "2 minutes");
	assert_string_equal(show_duration(3 * 3600 * S, buf), "3 hours");
	assert_string_equal(show_duration(INT64_MAX, buf), "106751 days");
}

static void status_tells_how_it_ended(void **state)
{
	struct engine_container c = { .status = "exited", .exit_code = 3, .finished_ns = S };
	char buf[SHOW_SIZE];
	(void)state;

	assert_string_equal(show_status(&c, 3 * S, buf), "Exited (3) 2 seconds ago");
	c.exit_code = -1;
	c.finished_ns = 0;
	assert_string_equal(show_status(&c, 3 * S, buf), "Exited (?)");
	c.status = "paused";
	c.started_ns = S;
	assert_string_equal(show_status(&c, 3 * S, buf), "Up 2 seconds (paused)");
	c.status = "created";
	assert_string_equal(show_status(&c, 3 * S, buf), "Created");
}

static void signals_have_names_and_numbers(void **state)
{
	static const char *const bad[] = { "", "0", "-1", "NOPE", "SIG", "9x", "1000" };
	int sig = 0;
	(void)state;

	assert_int_equal(signal_parse("9", &sig, NULL), 0);
	assert_int_equal(sig, 9);
	assert_int_equal(signal_parse("SIGTERM", &sig, NULL), 0);
	assert_int_equal(sig, SIGTERM);
	assert_int_equal(signal_parse("usr1", &sig, NULL), 0);
	assert_int_equal(sig, SIGUSR1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(signal_parse(bad[i], &sig, NULL), -EINVAL);
	assert_int_equal(sig, SIGUSR1);
}

static const char log_text[] = "2026-01-01T00:00:00Z stdout F one\n"
			       "2026-01-01T00:00:01Z stderr F oops\n"
			       "rubbish\n"
			       "2026-01-01T00:00:02Z stdout P tw\n"
			       "2026-01-01T00:00:03Z stdout F o\n"
			       "2026-01-01T00:00:04Z stdout F \n"
			       "2026-01-01T00:00:05Z stdout P end\n";

struct outputs {
	char *out, *err;
	size_t out_len, err_len;
	struct log_reader reader;
};

/* Feeds the log in pieces of step bytes. */
static void read_log(struct outputs *o, size_t step)
{
	size_t len = strlen(log_text);

	o->reader.out = open_memstream(&o->out, &o->out_len);
	o->reader.err = open_memstream(&o->err, &o->err_len);
	for (size_t at = 0; at < len; at += step)
		assert_int_equal(log_reader_feed(&o->reader, log_text + at,
						 step < len - at ? step : len - at),
				 0);
	fclose(o->reader.out);
	fclose(o->reader.err);
	log_reader_deinit(&o->reader);
}

static void outputs_deinit(struct outputs *o)
{
	free(o->out);
	free(o->err);
}

static void log_is_given_back_byte_for_byte(void **state)
{
	(void)state;

	for (size_t step = 1; step < sizeof(log_text); step++) {
		_cleanup_(outputs_deinit) struct outputs o = { 0 };

		read_log(&o, step);
		assert_string_equal(o.out, "one\ntwo\n\nend");
		assert_string_equal(o.err, "oops\n");
	}
}

static void timestamps_stand_before_lines_only(void **state)
{
	_cleanup_(outputs_deinit) struct outputs o = { .reader.timestamps = true };
	(void)state;

	read_log(&o, 1000);
	assert_string_equal(o.out, "2026-01-01T00:00:00Z one\n2026-01-01T00:00:02Z two\n"
				   "2026-01-01T00:00:04Z \n2026-01-01T00:00:05Z end");
}

static void tail_counts_lines_not_records(void **state)
{
	_cleanup_(outputs_deinit) struct outputs o = { .reader.skip = 3 };
	_cleanup_(log_reader_deinit) struct log_reader counter = { 0 };
	(void)state;

	assert_int_equal(log_reader_feed(&counter, log_text, strlen(log_text)), 0);
	assert_int_equal(counter.lines, 5);
	read_log(&o, 1000);
	assert_string_equal(o.out, "\nend");
}

static int parse_run(char **argv, struct engine_run_options *ret, struct arena *arena,
		     struct run_args *args, struct err *err)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return run_args_parse(&verb_run.command, argc, argv, args, arena, ret, err);
}

static void run_understands_what_docker_users_write(void **state)
{
	char words[][32] = { "-dit", "--rm", "-m64m",	      "--cpus=0.5", "-e",   "A=b",
			     "-eC",  "-v",   "x:/x:ro",	      "--net",	    "none", "--pids-limit",
			     "0",    "-u=7", "--entrypoint=", "image",	    "--rm" };
	char *argv[ARRAY_SIZE(words) + 1] = { NULL };
	_cleanup_(run_args_deinit) struct run_args args = RUN_ARGS_DEFAULT;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_run_options o = { 0 };
	struct err err = { 0 };
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		argv[i] = words[i];
	assert_int_equal(parse_run(argv, &o, arena, &args, &err), 0);
	assert_true(o.detach && o.interactive && o.terminal && o.auto_remove);
	assert_int_equal(o.limits.memory_bytes, 64 << 20);
	assert_int_equal(o.limits.cpu_millicpu, 500);
	assert_string_equal(o.env[0], "A=b");
	assert_string_equal(o.env[1], "C");
	assert_null(o.env[2]);
	assert_int_equal(o.mounts.count, 1);
	assert_true(o.mounts.items[0].readonly);
	assert_int_equal(o.network, ENGINE_NETWORK_NONE);
	assert_int_equal(o.limits.pids_limit, -1);
	assert_string_equal(o.user, "7");
	assert_string_equal(o.entrypoint[0], "");
}

static void defaults_are_left_to_the_engine(void **state)
{
	char image[] = "image", *argv[] = { image, NULL };
	_cleanup_(run_args_deinit) struct run_args args = RUN_ARGS_DEFAULT;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_run_options o = { 0 };
	(void)state;

	assert_int_equal(parse_run(argv, &o, arena, &args, NULL), 0);
	assert_int_equal(o.limits.pids_limit, 0);
	assert_int_equal(o.limits.memory_bytes, 0);
	assert_int_equal(o.network, ENGINE_NETWORK_BRIDGE);
	assert_null(o.entrypoint);
	assert_null(o.env);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_in_one_unit),
		cmocka_unit_test(status_tells_how_it_ended),
		cmocka_unit_test(signals_have_names_and_numbers),
		cmocka_unit_test(log_is_given_back_byte_for_byte),
		cmocka_unit_test(timestamps_stand_before_lines_only),
		cmocka_unit_test(tail_counts_lines_not_records),
		cmocka_unit_test(run_understands_what_docker_users_write),
		cmocka_unit_test(defaults_are_left_to_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
