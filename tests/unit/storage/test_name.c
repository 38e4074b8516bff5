/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/name.h"

static void full_names(void **state)
{
	static const struct {
		const char *text, *full;
	} cases[] = {
		{ "bb", "localhost/bb:latest" },
		{ "bb:1.0", "localhost/bb:1.0" },
		{ "team/bb", "localhost/team/bb:latest" },
		{ "localhost/bb", "localhost/bb:latest" },
		{ "docker.io/library/bb:x", "docker.io/library/bb:x" },
		{ "host:5000/a/b", "host:5000/a/b:latest" },
		{ "a_b--c/d.e:V_1-x.y", "localhost/a_b--c/d.e:V_1-x.y" },
	};
	char name[NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(name_complete(cases[i].text, name, NULL), 0);
		assert_string_equal(name, cases[i].full);
	}
}

static void wrong_names_are_refused(void **state)
{
	static const char *const cases[] = {
		"",	     "/",     "a/",    "/a",	 "a//b", "A",	       "a b",
		"a:",	     "a:b:c", ":x",    "../a",	 "a/..", "a@b",	       "a%2F",
		"-a",	     "a-",    "a\n",   "a:-x",	 "a:.x", "localhost/", "a:x y",
		"ho st.x/a", ".",     "a/./b", "x/../y",
	};
	char name[NAME_SIZE], longer[400], candidates[NAME_CANDIDATES][NAME_SIZE];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (name_complete(cases[i], name, &err) != -EINVAL)
			fail_msg("'%s' became %s", cases[i], name);
		assert_int_equal(name_candidates(cases[i], candidates), 0);
	}
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(name_complete(longer, name, &err), -EINVAL);
	for (size_t i = 1; i < sizeof(longer) - 1; i += 2)
		longer[i] = '/';
	longer[160] = 'b';
	longer[161] = '\0';
	assert_int_equal(name_complete(longer, name, &err), -EINVAL);
}

static void short_names_have_candidates_in_order(void **state)
{
	char c[NAME_CANDIDATES][NAME_SIZE];

	(void)state;
	assert_int_equal(name_candidates("bb", c), 2);
	assert_string_equal(c[0], "localhost/bb:latest");
	assert_string_equal(c[1], "docker.io/library/bb:latest");
	assert_int_equal(name_candidates("me/bb:1", c), 2);
	assert_string_equal(c[0], "localhost/me/bb:1");
	assert_string_equal(c[1], "docker.io/me/bb:1");
	assert_int_equal(name_candidates("quay.io/bb", c), 1);
	assert_string_equal(c[0], "quay.io/bb:latest");
}

static void names_from_layouts(void **state)
{
	char name[NAME_SIZE];

	(void)state;
	assert_int_equal(name_from_layout("localhost/bb:latest", "/x", name, NULL), 0);
	assert_string_equal(name, "localhost/bb:latest");
	assert_int_equal(name_from_layout("3.18", "/tmp/alpine", name, NULL), 0);
	assert_string_equal(name, "localhost/alpine:3.18");
	assert_int_equal(name_from_layout(NULL, "../My Image.tar.gz", name, NULL), 0);
	assert_string_equal(name, "localhost/my-image:latest");
	assert_int_equal(name_from_layout(NULL, "/", name, NULL), 0);
	assert_string_equal(name, "localhost/image:latest");
	assert_int_equal(name_from_layout("a b", "/x", name, NULL), -EINVAL);
}

static void escaped_names_are_file_names(void **state)
{
	char file[3 * NAME_SIZE];

	(void)state;
	name_escape("localhost:5000/a/b:c", file);
	assert_string_equal(file, "localhost:5000%2Fa%2Fb:c");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_names),
		cmocka_unit_test(wrong_names_are_refused),
		cmocka_unit_test(short_names_have_candidates_in_order),
		cmocka_unit_test(names_from_layouts),
		cmocka_unit_test(escaped_names_are_file_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
