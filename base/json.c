/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yajl's tree keeps a number's text, so numbers are judged here, digit by digit: nothing passes
 * through a double and nothing is cut to fit.
 */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "base/json_explain.h"

#define JSON_DEPTH_MAX 64

struct json_doc {
	yajl_val root;
};

static yajl_val value_of(const struct json_node *node)
{
	return (yajl_val)(uintptr_t)node->value;
}

/* ---- paths and errors ---- */

char *json_path(const struct json_node *node, char buf[static JSON_PATH_SIZE])
{
	const struct json_node *chain[JSON_DEPTH_MAX + 1];
	size_t depth = 0, len = 0;

	buf[0] = '\0';
	for (; node && node->parent && depth <= JSON_DEPTH_MAX; node = node->parent)
		chain[depth++] = node;
	while (depth-- > 0 && len < JSON_PATH_SIZE) {
		const struct json_node *n = chain[depth];

		if (n->key)
			len += (size_t)snprintf(buf + len, JSON_PATH_SIZE - len, "%s%s",
						len ? "." : "", n->key);
		else
			len += (size_t)snprintf(buf + len, JSON_PATH_SIZE - len, "[%zu]", n->index);
	}
	return buf;
}

int json_bad(const struct json_node *node, struct err *err, const char *fmt, ...)
{
	char path[JSON_PATH_SIZE], text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_path(node, path);
	return err_say(err, EINVAL, "%s%s%.*s", path, path[0] ? ": " : "",
		       (int)(ERR_TEXT_MAX - JSON_PATH_SIZE - 3), text);
}

static const char *type_name(yajl_val v)
{
	switch (v->type) {
	case yajl_t_string:
		return "a string";
	case yajl_t_number:
		return "a number";
	case yajl_t_object:
		return "an object";
	case yajl_t_array:
		return "an array";
	case yajl_t_true:
	case yajl_t_false:
		return "a boolean";
	default:
		return "null";
	}
}

static int wrong_type(const struct json_node *node, const char *want, struct err *err)
{
	return json_bad(node, err, "%s where %s belongs", type_name(value_of(node)), want);
}

/* ---- parsing ---- */

/* yajl recurses over what it has read, so depth is bounded before it reads. */
static int check_depth(const char *text, size_t len, struct err *err)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return err_say(err, EINVAL, "nested deeper than %d levels",
					       JSON_DEPTH_MAX);
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_keys(const struct json_node *node, struct err *err)
{
	yajl_val v = value_of(node);
	_cleanup_free_ const char **keys = NULL;

	if (v->u.object.len < 2)
		return 0;
	keys = malloc(v->u.object.len * sizeof(*keys));
	if (!keys)
		return err_set(err, ENOMEM, "read JSON");
	memcpy(keys, v->u.object.keys, v->u.object.len * sizeof(*keys));
	qsort(keys, v->u.object.len, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < v->u.object.len; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return json_bad(node, err, "the key \"%s\" stands twice", keys[i]);
	return 0;
}

static int check_tree(const struct json_node *node, struct err *err)
{
	yajl_val v = value_of(node);
	int r = 0;

	if (YAJL_IS_OBJECT(v)) {
		r = check_keys(node, err);
		for (size_t i = 0; i < v->u.object.len && r >= 0; i++) {
			struct json_node child = json_member(node, i);

			r = check_tree(&child, err);
		}
	} else if (YAJL_IS_ARRAY(v)) {
		for (size_t i = 0; i < v->u.array.len && r >= 0; i++) {
			struct json_node child = json_at(node, i);

			r = check_tree(&child, err);
		}
	}
	return r;
}

/* A string of C would end there, and what follows be lost without a word. */
static int check_nul(const char *text, size_t len, struct err *err)
{
	for (const char *p = text; (p = memchr(p, '\\', len - (size_t)(p - text))); p += 2) {
		if ((size_t)(p - text) + 1 >= len)
			break;
		if ((size_t)(p - text) + 6 <= len && memcmp(p, "\\u0000", 6) == 0)
			return err_say(err, EINVAL, "a string with \\u0000 in it");
	}
	return memchr(text, '\0', len) ? err_say(err, EINVAL, "not valid JSON: a NUL byte") : 0;
}

int json_parse(const char *text, size_t len, struct json_doc **ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *copy = NULL;
	struct json_node root;
	char why[512] = "";

	/* How protobuf says that there is nothing. */
	if (!len)
		text = "";
	if (check_nul(text, len, err) < 0 || check_depth(text, len, err) < 0)
		return -EINVAL;
	copy = strndup(text, len);
	doc = calloc(1, sizeof(*doc));
	if (!copy || !doc)
		return err_set(err, ENOMEM, "read JSON");
	doc->root = yajl_tree_parse(copy, why, sizeof(why));
	if (!doc->root)
		return json_explain(copy, len, why, err);
	root = json_root(doc);
	if (check_tree(&root, err) < 0)
		return err ? -err->code : -EINVAL;
	*ret = take_ptr(doc);
	return 0;
}

struct json_doc *json_free(struct json_doc *doc)
{
	if (doc) {
		yajl_tree_free(doc->root);
		free(doc);
	}
	return NULL;
}

struct json_node json_root(const struct json_doc *doc)
{
	return (struct json_node){ .value = doc->root };
}

/* ---- navigation ---- */

enum json_kind json_kind(const struct json_node *node)
{
	switch (value_of(node)->type) {
	case yajl_t_string:
		return JSON_STRING;
	case yajl_t_number:
		return JSON_NUMBER;
	case yajl_t_object:
		return JSON_OBJECT;
	case yajl_t_array:
		return JSON_ARRAY;
	case yajl_t_true:
	case yajl_t_false:
		return JSON_BOOL;
	default:
		return JSON_NULL;
	}
}

size_t json_count(const struct json_node *node)
{
	yajl_val v = value_of(node);

	if (YAJL_IS_OBJECT(v))
		return v->u.object.len;
	return YAJL_IS_ARRAY(v) ? v->u.array.len : 0;
}

struct json_node json_at(const struct json_node *array, size_t index)
{
	return (struct json_node){
		.value = value_of(array)->u.array.values[index],
		.parent = array,
		.index = index,
	};
}

struct json_node json_member(const struct json_node *object, size_t index)
{
	yajl_val v = value_of(object);

	return (struct json_node){
		.value = v->u.object.values[index],
		.parent = object,
		.key = v->u.object.keys[index],
		.index = index,
	};
}

int json_object(const struct json_node *node, struct err *err)
{
	return YAJL_IS_OBJECT(value_of(node)) ? 1 : wrong_type(node, "an object", err);
}

int json_get(const struct json_node *node, const char *key, struct json_node *ret, struct err *err)
{
	yajl_val v = value_of(node);
	int r = json_object(node, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < v->u.object.len; i++) {
		if (strcmp(v->u.object.keys[i], key) != 0)
			continue;
		if (YAJL_IS_NULL(v->u.object.values[i]))
			return 0;
		*ret = json_member(node, i);
		return 1;
	}
	return 0;
}

bool json_has(const struct json_node *node, const char *key)
{
	struct json_node child;

	return json_get(node, key, &child, NULL) == 1;
}

int json_need(int r, const struct json_node *node, const char *key, struct err *err)
{
	struct json_node missing = { .parent = node, .key = key };

	return r == 0 ? json_bad(&missing, err, "missing") : r;
}

/* ---- values ---- */

int json_string(const struct json_node *node, struct arena *arena, const char **ret,
		struct err *err)
{
	yajl_val v = value_of(node);
	const char *copy;

	if (!YAJL_IS_STRING(v))
		return wrong_type(node, "a string", err);
	copy = arena_strdup(arena, YAJL_GET_STRING(v));
	if (!copy)
		return err_set(err, ENOMEM, "read JSON");
	*ret = copy;
	return 1;
}

/* Decimal digits only, with an optional minus: no fraction, no exponent. */
static int parse_number(const char *text, bool *ret_negative, uint64_t *ret)
{
	uint64_t n = 0;

	*ret_negative = *text == '-';
	text += *ret_negative;
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return -ERANGE;
	}
	*ret = n;
	return 0;
}

int json_i64(const struct json_node *node, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	yajl_val v = value_of(node);
	uint64_t magnitude;
	bool negative;
	int64_t n;

	if (!v || v->type != yajl_t_number)
		return wrong_type(node, "a number", err);
	if (parse_number(v->u.number.r, &negative, &magnitude) < 0 ||
	    magnitude > (uint64_t)INT64_MAX + negative)
		goto bad;
	n = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (n < min || n > max)
		goto bad;
	*ret = n;
	return 1;
bad:
	if (min == max)
		return json_bad(node, err, "%s, but only %" PRId64 " is known", v->u.number.r, min);
	return json_bad(node, err, "%s is not a whole number from %" PRId64 " to %" PRId64,
			v->u.number.r, min, max);
}

int json_u64(const struct json_node *node, uint64_t max, uint64_t *ret, struct err *err)
{
	yajl_val v = value_of(node);
	uint64_t n;
	bool negative;

	if (!v || v->type != yajl_t_number)
		return wrong_type(node, "a number", err);
	if (parse_number(v->u.number.r, &negative, &n) < 0 || (negative && n) || n > max)
		return json_bad(node, err, "%s is not a whole number from 0 to %" PRIu64,
				v->u.number.r, max);
	*ret = n;
	return 1;
}

int json_array(const struct json_node *node, struct err *err)
{
	return YAJL_IS_ARRAY(value_of(node)) ? 1 : wrong_type(node, "an array", err);
}

int json_bool(const struct json_node *node, bool *ret, struct err *err)
{
	yajl_val v = value_of(node);

	if (!YAJL_IS_TRUE(v) && !YAJL_IS_FALSE(v))
		return wrong_type(node, "true or false", err);
	*ret = YAJL_IS_TRUE(v);
	return 1;
}
