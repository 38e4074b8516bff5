/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_merge.h"

static void assert_merged(const char *source, const char *before, const char *after,
			  const char *wanted)
{
	_cleanup_free_ char *text = NULL;
	struct err err = { 0 };

	if (json_merge(source, before, after, false, &text, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(text, wanted);
}

static void what_is_unknown_stays(void **state)
{
	(void)state;
	assert_merged("{\"x\":[1.50,null],\"a\":1}", "{\"a\":1}", "{\"a\":2}",
		      "{\"x\":[1.50,null],\"a\":2}");
	assert_merged("{\"a\":{\"x\":1,\"b\":2}}", "{\"a\":{\"b\":2}}", "{\"a\":{\"b\":3}}",
		      "{\"a\":{\"x\":1,\"b\":3}}");
}

static void what_is_equal_keeps_its_spelling(void **state)
{
	(void)state;
	assert_merged("{\"b\":1e3,\"a\":\"CAP_X\"}", "{\"a\":\"x\",\"b\":1000}",
		      "{\"a\":\"x\",\"b\":1000}", "{\"b\":1e3,\"a\":\"CAP_X\"}");
	assert_merged("{\"a\":\"X\",\"c\":1}", "{\"a\":\"x\",\"c\":1}", "{\"a\":\"x\",\"c\":2}",
		      "{\"a\":\"X\",\"c\":2}");
}

static void what_is_removed_goes_and_what_is_new_comes(void **state)
{
	(void)state;
	assert_merged("{\"a\":1,\"b\":2,\"x\":3}", "{\"a\":1,\"b\":2}", "{\"b\":2,\"c\":4}",
		      "{\"b\":2,\"x\":3,\"c\":4}");
}

static void a_default_stays_out_until_it_is_changed(void **state)
{
	(void)state;
	assert_merged("{\"a\":1}", "{\"a\":1,\"d\":0}", "{\"a\":2,\"d\":0}", "{\"a\":2}");
	assert_merged("{\"a\":1}", "{\"a\":1,\"d\":0}", "{\"a\":1,\"d\":5}", "{\"a\":1,\"d\":5}");
}

static void elements_are_recognized_where_they_moved(void **state)
{
	(void)state;
	assert_merged("[{\"n\":1,\"x\":1},{\"n\":2,\"x\":2}]", "[{\"n\":1},{\"n\":2}]",
		      "[{\"n\":0},{\"n\":1},{\"n\":2}]",
		      "[{\"n\":0},{\"n\":1,\"x\":1},{\"n\":2,\"x\":2}]");
	assert_merged("[{\"n\":1,\"x\":1},{\"n\":2,\"x\":2}]", "[{\"n\":1},{\"n\":2}]",
		      "[{\"n\":2}]", "[{\"n\":2,\"x\":2}]");
	assert_merged("[{\"n\":1,\"x\":1},{\"n\":2,\"x\":2}]", "[{\"n\":1},{\"n\":2}]",
		      "[{\"n\":1},{\"n\":9}]", "[{\"n\":1,\"x\":1},{\"n\":9,\"x\":2}]");
}

static void kinds_may_change(void **state)
{
	(void)state;
	assert_merged("{\"a\":[1]}", "{\"a\":[1]}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}");
	assert_merged("{\"a\":null}", "{}", "{\"a\":1}", "{\"a\":1}");
}

static void equality_is_that_of_json(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true },
		{ "{\"a\":1}", "{\"a\":1,\"b\":null}", false },
		{ "[1,2]", "[2,1]", false },
		{ "\"1\"", "1", false },
		{ "true", "false", false },
		{ "null", "false", false },
		{ "[[],{}]", "[ [ ], { } ]", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_json_ struct json_doc *a = NULL, *b = NULL;
		struct json_node x, y;

		assert_int_equal(json_parse(cases[i].a, strlen(cases[i].a), &a, NULL), 0);
		assert_int_equal(json_parse(cases[i].b, strlen(cases[i].b), &b, NULL), 0);
		x = json_root(a);
		y = json_root(b);
		assert_int_equal(json_equal(&x, &y), cases[i].equal);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_unknown_stays),
		cmocka_unit_test(what_is_equal_keeps_its_spelling),
		cmocka_unit_test(what_is_removed_goes_and_what_is_new_comes),
		cmocka_unit_test(a_default_stays_out_until_it_is_changed),
		cmocka_unit_test(elements_are_recognized_where_they_moved),
		cmocka_unit_test(kinds_may_change),
		cmocka_unit_test(equality_is_that_of_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
