/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing JSON, on yajl.
 *
 * Reading is strict and knows where it is: a getter on a wrong field fails with the field's path
 * ("process.user.uid: 4294967296 is not a number from 0 to 4294967295"). Fields nobody asks for are
 * ignored, as the OCI specifications demand. Duplicate keys are refused, and so is text behind
 * the document, and nesting beyond 64 levels.
 *
 *	struct json_doc *doc;
 *	json_parse(text, len, &doc, err);
 *	struct json_node root = json_root(doc), process, cwd;
 *	r = json_get(&root, "process", &process, err);	   // 1 there, 0 absent or null
 *	r = json_get_string(&process, "cwd", arena, &c->cwd, err);
 *
 * Getters of a field return 1 when it was there, 0 when it is absent or null (output untouched),
 * <0 on a wrong type or value. json_need() turns absence into an error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct json_doc;

/* A place in a document. Holds pointers to its parents: keep those alive while it is used. */
struct json_node {
	const void *value; /* yajl_val */
	const struct json_node *parent;
	const char *key; /* NULL in an array */
	size_t index;
};

/* Text of the path, "" for the root: "linux.resources.devices[2].type". Returns buf. */
#define JSON_PATH_SIZE 256
char *json_path(const struct json_node *node, char buf[static JSON_PATH_SIZE]);

int json_parse(const char *text, size_t len, struct json_doc **ret, struct err *err);
struct json_doc *json_free(struct json_doc *doc);
struct json_node json_root(const struct json_doc *doc);

/* Sets "PATH: text" for values that are well-formed but make no sense. Returns -code. */
int json_bad(const struct json_node *node, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool json_has(const struct json_node *node, const char *key);
int json_get(const struct json_node *node, const char *key, struct json_node *ret, struct err *err);

/* Passes r through, but turns 0 (absent) into "PATH.key: missing". */
int json_need(int r, const struct json_node *node, const char *key, struct err *err);

int json_get_object(const struct json_node *node, const char *key, struct json_node *ret,
		    struct err *err);
int json_get_array(const struct json_node *node, const char *key, struct json_node *ret,
		   size_t *ret_count, struct err *err);
/* A string with an embedded NUL is refused. */
int json_get_string(const struct json_node *node, const char *key, struct arena *arena,
		    const char **ret, struct err *err);
int json_get_bool(const struct json_node *node, const char *key, bool *ret, struct err *err);
int json_get_i64(const struct json_node *node, const char *key, int64_t *ret, struct err *err);
int json_get_u64(const struct json_node *node, const char *key, uint64_t *ret, struct err *err);
int json_get_u32(const struct json_node *node, const char *key, uint32_t *ret, struct err *err);
/* Between min and max, both included. */
int json_get_range(const struct json_node *node, const char *key, int64_t min, int64_t max,
		   int64_t *ret, struct err *err);
/* Array of strings, NULL-terminated. */
int json_get_strings(const struct json_node *node, const char *key, struct arena *arena,
		     const char *const **ret, size_t *ret_count, struct err *err);

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum json_kind json_kind(const struct json_node *node);

/* Elements of an array, members of an object. */
size_t json_count(const struct json_node *node);
struct json_node json_at(const struct json_node *array, size_t index);
struct json_node json_member(const struct json_node *object, size_t index); /* .key is its name */

/* Values of the node itself, for use in arrays and maps. Never 0: >0 or <0. */
int json_string(const struct json_node *node, struct arena *arena, const char **ret,
		struct err *err);
int json_i64(const struct json_node *node, int64_t min, int64_t max, int64_t *ret, struct err *err);
int json_u64(const struct json_node *node, uint64_t max, uint64_t *ret, struct err *err);
int json_bool(const struct json_node *node, bool *ret, struct err *err);
int json_object(const struct json_node *node, struct err *err); /* only checks the type */
int json_array(const struct json_node *node, struct err *err);	/* the same */

CLEANUP_DEFINE(struct json_doc, json_doc, json_free);
#define _cleanup_json_ _cleanup_(cleanup_json_doc)

/*
 * Writing. Errors are sticky and come out of json_writer_take(). In an object every value is
 * preceded by json_key(); json_field_* write key and value in one go and leave a NULL string
 * out.
 */
struct json_writer;

struct json_writer *json_writer_new(bool pretty); /* NULL when out of memory */
struct json_writer *json_writer_free(struct json_writer *w);

void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_put_string(struct json_writer *w, const char *s); /* NULL writes null */
void json_put_i64(struct json_writer *w, int64_t n);
void json_put_u64(struct json_writer *w, uint64_t n);
void json_put_bool(struct json_writer *w, bool b);
void json_put_null(struct json_writer *w);
void json_put_value(struct json_writer *w, const struct json_node *node); /* copies a subtree */

void json_field_string(struct json_writer *w, const char *key, const char *s);
void json_field_i64(struct json_writer *w, const char *key, int64_t n);
void json_field_u64(struct json_writer *w, const char *key, uint64_t n);
void json_field_bool(struct json_writer *w, const char *key, bool b);
void json_field_strings(struct json_writer *w, const char *key, const char *const *list);

/* The text, NUL-terminated and owned by the caller; NULL when out of memory or ill-formed. */
char *json_writer_take(struct json_writer *w, size_t *ret_len);

CLEANUP_DEFINE(struct json_writer, json_writer, json_writer_free);
#define _cleanup_json_writer_ _cleanup_(cleanup_json_writer)
