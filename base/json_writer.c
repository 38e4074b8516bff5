/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "base/json.h"

struct json_writer {
	yajl_gen gen;
	bool failed;
};

struct json_writer *json_writer_new(bool pretty)
{
	struct json_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->gen = yajl_gen_alloc(NULL);
	if (!w->gen) {
		free(w);
		return NULL;
	}
	yajl_gen_config(w->gen, yajl_gen_beautify, pretty);
	yajl_gen_config(w->gen, yajl_gen_indent_string, "  ");
	return w;
}

struct json_writer *json_writer_free(struct json_writer *w)
{
	if (w) {
		yajl_gen_free(w->gen);
		free(w);
	}
	return NULL;
}

static void note(struct json_writer *w, yajl_gen_status status)
{
	if (status != yajl_gen_status_ok)
		w->failed = true;
}

void json_open_object(struct json_writer *w)
{
	note(w, yajl_gen_map_open(w->gen));
}

void json_close_object(struct json_writer *w)
{
	note(w, yajl_gen_map_close(w->gen));
}

void json_open_array(struct json_writer *w)
{
	note(w, yajl_gen_array_open(w->gen));
}

void json_close_array(struct json_writer *w)
{
	note(w, yajl_gen_array_close(w->gen));
}

/* Bytes of the UTF-8 character at s; 0: it is none. */
static size_t character(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c >> 5 == 0x6 ? 2 : c >> 4 == 0xe ? 3 : c >> 3 == 0x1e ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((unsigned char)s[i] >> 6 != 2)
			return 0;
	return n;
}

static size_t first_bad(const char *s, size_t from)
{
	size_t n;

	for (; s[from]; from += n) {
		n = character(s + from);
		if (!n)
			break;
	}
	return from;
}

/* yajl writes any bytes, and reads back UTF-8 alone: what is none becomes '?'. */
static char *as_utf8(const char *s)
{
	char *copy = strdup(s);

	for (size_t at = 0; copy && copy[at = first_bad(copy, at)];)
		copy[at++] = '?';
	return copy;
}

void json_put_string(struct json_writer *w, const char *s)
{
	_cleanup_free_ char *copy = NULL;

	if (!s) {
		note(w, yajl_gen_null(w->gen));
		return;
	}
	if (s[first_bad(s, 0)]) {
		s = copy = as_utf8(s);
		if (!s) {
			w->failed = true;
			return;
		}
	}
	note(w, yajl_gen_string(w->gen, (const unsigned char *)s, strlen(s)));
}

void json_key(struct json_writer *w, const char *key)
{
	json_put_string(w, key);
}

void json_put_i64(struct json_writer *w, int64_t n)
{
	note(w, yajl_gen_integer(w->gen, n));
}

void json_put_u64(struct json_writer *w, uint64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)n);

	note(w, yajl_gen_number(w->gen, text, (size_t)len));
}

void json_put_bool(struct json_writer *w, bool b)
{
	note(w, yajl_gen_bool(w->gen, b));
}

void json_put_null(struct json_writer *w)
{
	note(w, yajl_gen_null(w->gen));
}

void json_put_value(struct json_writer *w, const struct json_node *node)
{
	yajl_val v = (yajl_val)(uintptr_t)node->value;

	switch (v->type) {
	case yajl_t_string:
		json_put_string(w, YAJL_GET_STRING(v));
		break;
	case yajl_t_number:
		note(w, yajl_gen_number(w->gen, v->u.number.r, strlen(v->u.number.r)));
		break;
	case yajl_t_object:
		json_open_object(w);
		for (size_t i = 0; i < json_count(node); i++) {
			struct json_node child = json_member(node, i);

			json_key(w, child.key);
			json_put_value(w, &child);
		}
		json_close_object(w);
		break;
	case yajl_t_array:
		json_open_array(w);
		for (size_t i = 0; i < json_count(node); i++) {
			struct json_node child = json_at(node, i);

			json_put_value(w, &child);
		}
		json_close_array(w);
		break;
	case yajl_t_true:
	case yajl_t_false:
		json_put_bool(w, YAJL_IS_TRUE(v));
		break;
	default:
		json_put_null(w);
		break;
	}
}

void json_field_string(struct json_writer *w, const char *key, const char *s)
{
	if (!s)
		return;
	json_key(w, key);
	json_put_string(w, s);
}

void json_field_i64(struct json_writer *w, const char *key, int64_t n)
{
	json_key(w, key);
	json_put_i64(w, n);
}

void json_field_u64(struct json_writer *w, const char *key, uint64_t n)
{
	json_key(w, key);
	json_put_u64(w, n);
}

void json_field_double(struct json_writer *w, const char *key, double n)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%g", n);

	json_key(w, key);
	note(w, yajl_gen_number(w->gen, text, (size_t)len));
}

void json_field_bool(struct json_writer *w, const char *key, bool b)
{
	json_key(w, key);
	json_put_bool(w, b);
}

void json_field_strings(struct json_writer *w, const char *key, const char *const *list)
{
	if (!list)
		return;
	json_key(w, key);
	json_open_array(w);
	for (; *list; list++)
		json_put_string(w, *list);
	json_close_array(w);
}

char *json_writer_take(struct json_writer *w, size_t *ret_len)
{
	const unsigned char *text;
	size_t len;
	char *copy;

	if (w->failed || yajl_gen_get_buf(w->gen, &text, &len) != yajl_gen_status_ok)
		return NULL;
	copy = malloc(len + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (ret_len)
		*ret_len = len;
	return copy;
}
