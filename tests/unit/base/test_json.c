/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static int parse(const char *text, struct json_doc **doc, struct err *err)
{
	return json_parse(text, strlen(text), doc, err);
}

static void numbers_are_exact(void **state)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err err = { 0 };
	struct json_node root;
	uint32_t u32 = 7;
	uint64_t u64 = 0;
	int64_t i64 = 0;

	(void)state;
	assert_int_equal(parse("{\"a\":4294967295,\"b\":4294967296,\"c\":18446744073709551615,"
			       "\"d\":-9223372036854775808,\"e\":1.0,\"f\":1e3,\"g\":-1}",
			       &doc, &err),
			 0);
	root = json_root(doc);
	assert_int_equal(json_get_u32(&root, "a", &u32, &err), 1);
	assert_int_equal(u32, UINT32_MAX);
	assert_true(json_get_u32(&root, "b", &u32, &err) < 0);
	assert_string_equal(err.text, "b: 4294967296 is not a whole number from 0 to 4294967295");
	assert_int_equal(u32, UINT32_MAX);
	assert_int_equal(json_get_u64(&root, "c", &u64, &err), 1);
	assert_true(u64 == UINT64_MAX);
	assert_int_equal(json_get_i64(&root, "d", &i64, &err), 1);
	assert_true(i64 == INT64_MIN);
	assert_true(json_get_i64(&root, "c", &i64, &err) < 0);
	assert_true(json_get_i64(&root, "e", &i64, &err) < 0);
	assert_true(json_get_u64(&root, "f", &u64, &err) < 0);
	assert_true(json_get_u64(&root, "g", &u64, &err) < 0);
}

static void absent_and_null_leave_the_output(void **state)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err err = { 0 };
	struct json_node root;
	bool b = true;

	(void)state;
	assert_int_equal(parse("{\"a\":null}", &doc, &err), 0);
	root = json_root(doc);
	assert_int_equal(json_get_bool(&root, "a", &b, &err), 0);
	assert_int_equal(json_get_bool(&root, "b", &b, &err), 0);
	assert_true(b);
	assert_true(json_need(0, &root, "b", &err) < 0);
	assert_string_equal(err.text, "b: missing");
}

static void errors_name_the_path(void **state)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct err err = { 0 };
	struct json_node root, linux_node, devices, device;
	const char *text = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(parse("{\"linux\":{\"devices\":[{},{\"type\":5}]}}", &doc, &err), 0);
	root = json_root(doc);
	assert_int_equal(json_get_object(&root, "linux", &linux_node, &err), 1);
	assert_int_equal(json_get_array(&linux_node, "devices", &devices, &count, &err), 1);
	assert_int_equal(count, 2);
	device = json_at(&devices, 1);
	assert_true(json_get_string(&device, "type", arena, &text, &err) < 0);
	assert_string_equal(err.text, "linux.devices[1].type: a number where a string belongs");
}

static void malformed_documents_are_refused(void **state)
{
	static const char *const bad[] = { "",		 "{",
					   "{\"a\":1}}", "{\"a\":1,\"a\":2}",
					   "[1,]",	 "{\"a\":{\"b\":1,\"c\":2,\"b\":3}}",
					   "{} {}" };
	char deep[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_doc *doc = NULL;
		struct err err = { 0 };

		if (parse(bad[i], &doc, &err) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_null(doc);
		assert_true(strlen(err.text) > 0);
		assert_null(strchr(err.text, '\n'));
	}
	memset(deep, '[', sizeof(deep));
	struct json_doc *doc = NULL;

	assert_true(json_parse(deep, sizeof(deep), &doc, NULL) < 0);
	assert_true(json_parse("{\"a\":\"\0\"}", 9, &doc, NULL) < 0);
}

static void wrong_text_is_named_by_line_and_column(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ " \n", "not valid JSON: it is empty" },
		{ "{\n\"a\": 1,", "not valid JSON: it ends in the middle, in line 2" },
		{ "{\n  \"a\": }\n", "not valid JSON in line 2, column 8: " },
		{ "{\"a\": nul}", "not valid JSON in line 1, column 10: " },
		{ "{\"a\": \"x\\u0000y\"}", "a string with \\u0000 in it" },
	};
	struct json_doc *doc = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { 0 };

		assert_true(parse(cases[i].text, &doc, &err) < 0);
		if (strncmp(err.text, cases[i].sentence, strlen(cases[i].sentence)) != 0)
			fail_msg("said: %s", err.text);
	}
	/* An escaped backslash in front of it makes it six harmless letters. */
	assert_int_equal(parse("{\"a\": \"\\\\u0000\"}", &doc, NULL), 0);
	json_free(doc);
}

static void written_text_is_read_again(void **state)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_json_writer_ struct json_writer *copy = json_writer_new(false);
	_cleanup_free_ char *text = NULL, *again = NULL;
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	(void)state;
	json_open_object(w);
	json_field_string(w, "s", "a \"quoted\"\n\\ text");
	json_field_u64(w, "u", UINT64_MAX);
	json_field_bool(w, "b", true);
	json_field_string(w, "left out", NULL);
	json_close_object(w);
	text = json_writer_take(w, NULL);
	assert_non_null(text);
	assert_int_equal(parse(text, &doc, NULL), 0);
	root = json_root(doc);
	json_put_value(copy, &root);
	again = json_writer_take(copy, NULL);
	assert_string_equal(text, again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(absent_and_null_leave_the_output),
		cmocka_unit_test(errors_name_the_path),
		cmocka_unit_test(malformed_documents_are_refused),
		cmocka_unit_test(wrong_text_is_named_by_line_and_column),
		cmocka_unit_test(written_text_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
