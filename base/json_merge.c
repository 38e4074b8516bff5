/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_merge.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <yajl/yajl_tree.h>

static bool find_member(const struct json_node *object, const char *key, struct json_node *ret)
{
	for (size_t i = 0; i < json_count(object); i++) {
		*ret = json_member(object, i);
		if (strcmp(ret->key, key) == 0)
			return true;
	}
	return false;
}

static bool objects_equal(const struct json_node *a, const struct json_node *b)
{
	struct json_node other;

	for (size_t i = 0; i < json_count(a); i++) {
		struct json_node member = json_member(a, i);

		if (!find_member(b, member.key, &other) || !json_equal(&member, &other))
			return false;
	}
	return true;
}

static bool arrays_equal(const struct json_node *a, const struct json_node *b)
{
	for (size_t i = 0; i < json_count(a); i++) {
		struct json_node x = json_at(a, i), y = json_at(b, i);

		if (!json_equal(&x, &y))
			return false;
	}
	return true;
}

bool json_equal(const struct json_node *a, const struct json_node *b)
{
	yajl_val x = (yajl_val)(uintptr_t)a->value, y = (yajl_val)(uintptr_t)b->value;

	if (json_kind(a) != json_kind(b) || json_count(a) != json_count(b))
		return false;
	switch (json_kind(a)) {
	case JSON_OBJECT:
		return objects_equal(a, b);
	case JSON_ARRAY:
		return arrays_equal(a, b);
	case JSON_STRING:
		return strcmp(x->u.string, y->u.string) == 0;
	case JSON_NUMBER:
		return strcmp(x->u.number.r, y->u.number.r) == 0;
	default:
		return x->type == y->type;
	}
}

static void merge(struct json_writer *w, const struct json_node *source,
		  const struct json_node *before, const struct json_node *after);

/* Members in the order of source, then what is new. */
static void merge_objects(struct json_writer *w, const struct json_node *source,
			  const struct json_node *before, const struct json_node *after)
{
	struct json_node b, a;

	json_open_object(w);
	for (size_t i = 0; i < json_count(source); i++) {
		struct json_node member = json_member(source, i);
		bool known = find_member(before, member.key, &b);
		bool wanted = find_member(after, member.key, &a);

		if (known && !wanted)
			continue;
		json_key(w, member.key);
		if (known)
			merge(w, &member, &b, &a);
		else
			json_put_value(w, wanted ? &a : &member);
	}
	for (size_t i = 0; i < json_count(after); i++) {
		struct json_node member = json_member(after, i);

		if (find_member(source, member.key, &a))
			continue;
		/* What a default brought in unasked stays out until it is changed. */
		if (find_member(before, member.key, &b) && json_equal(&b, &member))
			continue;
		json_key(w, member.key);
		json_put_value(w, &member);
	}
	json_close_object(w);
}

/* Where in before an element of after was; count where it is new. */
static size_t find_element(const struct json_node *before, const struct json_node *element,
			   size_t at)
{
	size_t count = json_count(before);
	struct json_node b;

	if (at < count && (b = json_at(before, at), json_equal(&b, element)))
		return at;
	for (size_t i = 0; i < count; i++) {
		b = json_at(before, i);
		if (json_equal(&b, element))
			return i;
	}
	return count;
}

static void merge_arrays(struct json_writer *w, const struct json_node *source,
			 const struct json_node *before, const struct json_node *after)
{
	size_t count = json_count(before);
	bool same_length = count == json_count(after);

	json_open_array(w);
	for (size_t i = 0; i < json_count(after); i++) {
		struct json_node a = json_at(after, i), s, b;
		size_t at = find_element(before, &a, i);

		/* Not found, and none came or went: it is the changed form of what was here. */
		if (at == count && same_length)
			at = i;
		/* Where source has other elements than before, nothing is recognized. */
		if (at == count || json_count(source) != count) {
			json_put_value(w, &a);
			continue;
		}
		s = json_at(source, at);
		b = json_at(before, at);
		merge(w, &s, &b, &a);
	}
	json_close_array(w);
}

static void merge(struct json_writer *w, const struct json_node *source,
		  const struct json_node *before, const struct json_node *after)
{
	enum json_kind kind = json_kind(after);

	if (json_equal(before, after))
		json_put_value(w, source);
	else if (kind == JSON_OBJECT && json_kind(source) == kind && json_kind(before) == kind)
		merge_objects(w, source, before, after);
	else if (kind == JSON_ARRAY && json_kind(source) == kind && json_kind(before) == kind)
		merge_arrays(w, source, before, after);
	else
		json_put_value(w, after);
}

int json_merge(const char *source, const char *before, const char *after, bool pretty, char **ret,
	       size_t *ret_len, struct err *err)
{
	_cleanup_json_ struct json_doc *s = NULL, *b = NULL, *a = NULL;
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(pretty);
	struct json_node roots[3];
	char *text;

	if (!w)
		return err_set(err, ENOMEM, "write JSON");
	err_try(json_parse(source, strlen(source), &s, err));
	err_try(json_parse(before, strlen(before), &b, err));
	err_try(json_parse(after, strlen(after), &a, err));
	roots[0] = json_root(s);
	roots[1] = json_root(b);
	roots[2] = json_root(a);
	merge(w, &roots[0], &roots[1], &roots[2]);
	text = json_writer_take(w, ret_len);
	if (!text)
		return err_set(err, ENOMEM, "write JSON");
	*ret = text;
	return 0;
}
