/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/options.h"

struct args {
	bool detach, tty, interactive, last;
	const char *bundle, *user;
	int64_t fds;
	struct options_list env;
	struct limits {
		const char *memory;
		struct options_list devices;
	} limits;
};

static const struct option_entry limits_entries[] = {
	OPTION_STRING(struct limits, memory, 'm', "memory", "SIZE", "limit of memory"),
	OPTION_LIST(struct limits, devices, 0, "device", "PATH", "add a device"),
	OPTION_END,
};

static const struct option_entry entries[] = {
	OPTION_BOOL(struct args, detach, 'd', "detach", "return when it is started"),
	OPTION_BOOL(struct args, tty, 't', "tty", "make a terminal"),
	OPTION_BOOL(struct args, interactive, 'i', NULL, "keep stdin open"),
	OPTION_STRING(struct args, bundle, 'b', "bundle", "DIR", "folder with config.json"),
	OPTION_STRING(struct args, user, 'u', "user", "UID[:GID]", "user"),
	OPTION_INT(struct args, fds, 0, "preserve-fds", 0, 100, "N", "pass fds"),
	OPTION_LIST(struct args, env, 'e', "env", "NAME=VALUE", "set a variable"),
	OPTION_GROUP(struct args, limits, "Limits", limits_entries),
	OPTION_BOOL(struct args, last, 0, "last", "stands behind a group"),
	OPTION_END,
};

static const struct option_hint hints[] = {
	{ "gpus", "use --device" },
	{ "q", "leave it out" },
	{ "health-", "look yourself" },
	{ 0 },
};

static struct options_command command = {
	.name = "test run",
	.args = "ID",
	.summary = "run a test",
	.options = entries,
	.args_max = 3,
	.hints = hints,
};

/* Splits words at blanks; the words live in a static buffer until the next call. */
static int parse(unsigned flags, const char *line, struct args *args, char ***ret, size_t *count,
		 struct err *err)
{
	static char buf[512], *argv[32];
	int argc = 0;

	snprintf(buf, sizeof(buf), "%s", line);
	for (char *w = strtok(buf, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	*args = (struct args){ 0 };
	command.flags = flags;
	return options_parse(&command, argc, argv, args, ret, count, err);
}

static void a_group_fills_its_own_struct(void **state)
{
	struct args a;
	char **rest;
	size_t count;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
		parse(0, "--memory 1m --device=/dev/x -dm2m --last id", &a, &rest, &count, &err),
		0);
	assert_string_equal(a.limits.memory, "2m");
	assert_int_equal(a.limits.devices.count, 1);
	assert_string_equal(a.limits.devices.items[0], "/dev/x");
	assert_true(a.detach && a.last);
	assert_int_equal(count, 1);
	options_deinit(entries, &a);
	assert_null(a.limits.devices.items);
}

static void every_spelling_of_a_value_is_read(void **state)
{
	static const char *const lines[] = { "--bundle /x id", "--bundle=/x id", "-b /x id",
					     "-b/x id", "-b=/x id" };
	struct args a;
	char **rest;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(parse(0, lines[i], &a, &rest, &n, NULL), 0);
		assert_string_equal(a.bundle, "/x");
		assert_int_equal(n, 1);
		assert_string_equal(rest[0], "id");
		assert_null(rest[1]);
	}
}

static void go_style_long_options_with_one_dash_are_read(void **state)
{
	struct args a;
	char **rest;
	size_t n;

	(void)state;
	assert_int_equal(parse(OPTIONS_SINGLE_DASH, "-bundle /x -detach id", &a, &rest, &n, NULL),
			 0);
	assert_string_equal(a.bundle, "/x");
	assert_true(a.detach);
	assert_int_equal(parse(OPTIONS_SINGLE_DASH, "--d -dt id", &a, &rest, &n, NULL), 0);
	assert_true(a.detach && a.tty);
}

static void boolean_letters_can_be_bundled(void **state)
{
	struct args a;
	char **rest;
	size_t n;

	(void)state;
	assert_int_equal(parse(0, "-itu 7 --detach=false id", &a, &rest, &n, NULL), 0);
	assert_true(a.interactive && a.tty);
	assert_false(a.detach);
	assert_string_equal(a.user, "7");
}

static void lists_collect_and_scalars_keep_the_last(void **state)
{
	struct args a;
	char **rest;
	size_t n;

	(void)state;
	assert_int_equal(parse(0, "-e A=1 --env=B=2 -b x -b y -eC=3", &a, &rest, &n, NULL), 0);
	assert_int_equal(a.env.count, 3);
	assert_string_equal(a.env.items[0], "A=1");
	assert_string_equal(a.env.items[1], "B=2");
	assert_string_equal(a.env.items[2], "C=3");
	assert_null(a.env.items[3]);
	assert_string_equal(a.bundle, "y");
	options_list_deinit(&a.env);
}

static void options_stop_at_the_first_positional_when_asked(void **state)
{
	struct args a;
	char **rest;
	size_t n;

	(void)state;
	assert_int_equal(parse(OPTIONS_STOP_AT_ARG, "-d id -t -", &a, &rest, &n, NULL), 0);
	assert_true(a.detach);
	assert_false(a.tty);
	assert_int_equal(n, 3);
	assert_string_equal(rest[1], "-t");
	assert_int_equal(parse(0, "id -t -- -d", &a, &rest, &n, NULL), 0);
	assert_true(a.tty);
	assert_false(a.detach);
	assert_string_equal(rest[1], "-d");
}

static void wrong_words_are_named(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "--nope id", "unknown option --nope; 'test run --help' lists the options" },
		{ "-x id", "unknown option -x; 'test run --help' lists the options" },
		{ "--gpus all id", "there is no --gpus: use --device" },
		{ "--gpus=all id", "there is no --gpus: use --device" },
		{ "--gpusx id", "unknown option --gpusx; 'test run --help' lists the options" },
		{ "-dq id", "there is no -q: leave it out" },
		{ "--health-cmd x id", "there is no --health-cmd: look yourself" },
		{ "--health- id", "unknown option --health-; 'test run --help' lists the options" },
		{ "--bundle", "--bundle needs a value" },
		{ "-b", "-b needs a value" },
		{ "--preserve-fds 101",
		  "--preserve-fds: '101' is not a whole number from 0 to 100" },
		{ "--preserve-fds 1x", "--preserve-fds: '1x' is not a whole number from 0 to 100" },
		{ "--tty=maybe", "--tty takes true or false, not 'maybe'" },
		{ "a b c d", "'d' is one argument too many for 'test run ID'" },
	};
	struct args a;
	char **rest;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { 0 };

		assert_int_equal(parse(0, cases[i].line, &a, &rest, &n, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void help_is_told_apart_from_failure(void **state)
{
	struct args a;
	char **rest;
	size_t n;

	(void)state;
	assert_int_equal(parse(0, "-d --help", &a, &rest, &n, NULL), 1);
	assert_int_equal(parse(0, "-h", &a, &rest, &n, NULL), 1);
	assert_int_equal(parse(OPTIONS_SINGLE_DASH, "-help", &a, &rest, &n, NULL), 1);
}

static void help_prints_every_option_of_the_table(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	options_help(&command, out);
	fclose(out);
	for (const struct option_entry *e = entries; e->name || e->letter; e++)
		assert_non_null(strstr(text, e->help));
	assert_non_null(strstr(text, "Usage: test run [OPTIONS] ID\n"));
	assert_non_null(strstr(text, "  -b, --bundle DIR"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_fills_its_own_struct),
		cmocka_unit_test(every_spelling_of_a_value_is_read),
		cmocka_unit_test(go_style_long_options_with_one_dash_are_read),
		cmocka_unit_test(boolean_letters_can_be_bundled),
		cmocka_unit_test(lists_collect_and_scalars_keep_the_last),
		cmocka_unit_test(options_stop_at_the_first_positional_when_asked),
		cmocka_unit_test(wrong_words_are_named),
		cmocka_unit_test(help_is_told_apart_from_failure),
		cmocka_unit_test(help_prints_every_option_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
