/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/platform.h"

static const char *read(const char *text, char out[static PLATFORM_TEXT_SIZE])
{
	struct platform p;
	struct err err = { 0 };

	if (platform_parse(text, &p, &err) < 0)
		return "refused";
	return platform_format(p.os, p.architecture, p.variant, out);
}

static void words_of_several_worlds_are_read(void **state)
{
	static const char *const cases[][2] = {
		{ "linux/amd64", "linux/amd64" },     { "linux/arm64/v8", "linux/arm64/v8" },
		{ "arm64", "linux/arm64" },	      { "x86_64", "linux/amd64" },
		{ "aarch64", "linux/arm64" },	      { "linux/armhf", "linux/arm/v7" },
		{ "armel", "linux/arm/v6" },	      { "linux/i386", "linux/386" },
		{ "windows/amd64", "windows/amd64" },
	};
	char out[PLATFORM_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(read(cases[i][0], out), cases[i][1]);
}

static void what_is_no_platform_is_refused(void **state)
{
	static const char *const cases[] = { "",	  "/",		"linux/",   "/amd64",
					     "a/b/c/d",	  "linux//v8",	"li nux/x", "linux/amd64/",
					     "linux/a\n", "linux/AMD64" };
	char out[PLATFORM_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(read(cases[i], out), "refused");
}

static unsigned rank(const char *want, const char *architecture, const char *variant)
{
	struct platform p;

	assert_int_equal(platform_parse(want, &p, NULL), 0);
	return platform_rank(&p, "linux", architecture, variant);
}

static void a_level_runs_what_is_below_it(void **state)
{
	(void)state;
	assert_true(rank("linux/amd64/v3", "amd64", "v3") > rank("linux/amd64/v3", "amd64", "v2"));
	assert_true(rank("linux/amd64/v3", "amd64", "v2") > rank("linux/amd64/v3", "amd64", NULL));
	assert_true(rank("linux/amd64/v3", "amd64", "") == rank("linux/amd64/v3", "amd64", "v1"));
	assert_int_equal(rank("linux/amd64/v2", "amd64", "v3"), 0);
	assert_int_equal(rank("linux/amd64", "amd64", "v2"), 0);
	assert_true(rank("linux/arm/v7", "arm", "v6") > 0);
	assert_int_equal(rank("linux/arm/v6", "arm", "v7"), 0);
	assert_int_equal(rank("linux/arm/v6", "arm", NULL), 0);
}

static void arm64_is_v8_where_nothing_is_said(void **state)
{
	(void)state;
	assert_true(rank("linux/arm64", "arm64", "v8") > 0);
	assert_true(rank("linux/arm64/v8", "arm64", NULL) > 0);
	assert_int_equal(rank("linux/arm64", "arm64", "v9"), 0);
	assert_true(rank("linux/arm64/v9", "arm64", "v8.2") > 0);
}

static void others_do_not_fit(void **state)
{
	struct platform p = { "linux", "amd64", "" };

	(void)state;
	assert_int_equal(platform_rank(&p, "windows", "amd64", NULL), 0);
	assert_int_equal(platform_rank(&p, "linux", "arm64", NULL), 0);
	assert_int_equal(platform_rank(&p, "unknown", "unknown", NULL), 0);
	assert_int_equal(rank("linux/amd64", "amd64", "special"), 0);
	assert_true(platform_rank(&p, NULL, NULL, NULL) > 0);
	assert_true(platform_rank(&p, NULL, NULL, NULL) < platform_rank(&p, "linux", "amd64", ""));
}

static void this_machine_has_one(void **state)
{
	struct platform p;

	(void)state;
	platform_host(&p);
	assert_string_equal(p.os, "linux");
	assert_true(p.architecture[0]);
	assert_true(platform_rank(&p, "linux", p.architecture, "") > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_several_worlds_are_read),
		cmocka_unit_test(what_is_no_platform_is_refused),
		cmocka_unit_test(a_level_runs_what_is_below_it),
		cmocka_unit_test(arm64_is_v8_where_nothing_is_said),
		cmocka_unit_test(others_do_not_fit),
		cmocka_unit_test(this_machine_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
