/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/link/document.h"

static struct document *parse(const char *text)
{
	struct document *document = NULL;
	struct err err = { 0 };

	if (document_parse(text, strlen(text), &document, &err) < 0)
		fail_msg("%s", err.text);
	return document;
}

static char *diff_of(const struct document *from, const struct document *to)
{
	struct strbuf sb = { 0 };

	document_add_diff(&sb, from, to);
	return strbuf_take(&sb);
}

static int apply(const struct document *from, const char *diff, struct document **ret)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	struct err err = { 0 };

	assert_int_equal(json_parse(diff, strlen(diff), &doc, &err), 0);
	root = json_root(doc);
	return document_apply(from, &root, ret, &err);
}

static void assert_same(const struct document *a, const struct document *b)
{
	_cleanup_free_ char *x = NULL, *y = NULL;
	size_t len;

	x = document_text(a, &len);
	y = document_text(b, &len);
	assert_string_equal(x, y);
	assert_string_equal(document_hash(a), document_hash(b));
}

static const char one[] =
	"{\"machine\":\"m\",\"tasks\":[{\"task\":\"web/0\",\"incarnation\":1,\"state\":\"running\"},"
	"{\"task\":\"web/1\",\"incarnation\":2,\"state\":\"starting\"}]}";

static void the_whole_makes_the_same_document(void **state)
{
	_cleanup_document_ struct document *from = parse(one), *to = NULL;
	_cleanup_free_ char *diff = diff_of(NULL, from);

	(void)state;
	assert_int_equal(apply(NULL, diff, &to), 0);
	assert_same(from, to);
}

static void only_what_changed_goes_over(void **state)
{
	_cleanup_document_ struct document *from = parse(one), *got = NULL;
	_cleanup_document_ struct document *to = parse(
		"{\"machine\":\"m\",\"tasks\":[{\"task\":\"web/1\",\"incarnation\":2,\"state\":"
		"\"running\"},{\"task\":\"a/0\",\"incarnation\":18446744073709551615,\"x\":1.5}]}");
	_cleanup_free_ char *diff = diff_of(from, to);

	(void)state;
	assert_null(strstr(diff, "head"));
	assert_non_null(strstr(diff, "\"drop\":[\"web/0@1\"]"));
	assert_int_equal(apply(from, diff, &got), 0);
	assert_same(to, got);
}

static void the_head_goes_over_when_it_changed(void **state)
{
	_cleanup_document_ struct document *from = parse("{\"epoch\":1,\"tasks\":[]}"), *got = NULL;
	_cleanup_document_ struct document *to = parse("{\"epoch\":2}");
	_cleanup_free_ char *diff = diff_of(from, to), *nothing = diff_of(to, to);

	(void)state;
	assert_int_equal(apply(from, diff, &got), 0);
	assert_same(to, got);
	assert_null(strstr(nothing, "head"));
}

static void the_order_of_tasks_says_nothing(void **state)
{
	_cleanup_document_ struct document *a =
		parse("{\"tasks\":[{\"task\":\"a/0\",\"incarnation\":1},{\"task\":\"b/0\","
		      "\"incarnation\":2}]}");
	_cleanup_document_ struct document *b =
		parse("{\"tasks\":[{\"task\":\"b/0\",\"incarnation\":2},{\"task\":\"a/0\","
		      "\"incarnation\":1}]}");

	(void)state;
	assert_string_equal(document_hash(a), document_hash(b));
}

static void a_change_of_something_else_is_refused(void **state)
{
	_cleanup_document_ struct document *from = parse(one),
					   *other = parse("{\"machine\":\"n\"}");
	_cleanup_document_ struct document *to = parse("{\"machine\":\"o\"}");
	_cleanup_free_ char *diff = diff_of(from, to);
	struct document *got = NULL;

	(void)state;
	assert_int_equal(apply(other, diff, &got), 1);
	assert_int_equal(apply(NULL, diff, &got), 1);
	assert_null(got);
}

static void what_was_changed_on_its_way_is_noticed(void **state)
{
	_cleanup_document_ struct document *from = parse(one);
	_cleanup_free_ char *diff = diff_of(NULL, from);
	struct document *got = NULL;

	(void)state;
	*strstr(diff, "running") = 'R';
	assert_int_equal(apply(NULL, diff, &got), -EINVAL);
	assert_int_equal(apply(NULL, "{\"hash\":\"0\",\"set\":[]}", &got), -EINVAL);
	assert_int_equal(apply(NULL, "{\"set\":[]}", &got), -EINVAL);
	assert_null(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_makes_the_same_document),
		cmocka_unit_test(only_what_changed_goes_over),
		cmocka_unit_test(the_head_goes_over_when_it_changed),
		cmocka_unit_test(the_order_of_tasks_says_nothing),
		cmocka_unit_test(a_change_of_something_else_is_refused),
		cmocka_unit_test(what_was_changed_on_its_way_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
