/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents by table: a mapping of YAML fills a struct, field by field, and the JSON schema is
 * written from the same table. What the schema does not show is not read, and the other way round.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "spec/job/yaml.h"

enum field_kind {
	FIELD_TEXT,	/* const char * */
	FIELD_NAME,	/* const char *: a-z, 0-9, '-', '.', at most 63, a letter or digit first */
	FIELD_BOOL,	/* bool */
	FIELD_NUMBER,	/* int64_t from min to max */
	FIELD_CPU,	/* int64_t, millicores: 100m, 0.5, 2 */
	FIELD_BYTES,	/* int64_t: 16Mi, 1.5Gi, 10M, 4096 */
	FIELD_SHARE,	/* int64_t, milli: 2, 0.25 */
	FIELD_DURATION, /* int64_t, ms: 500ms, 30s, 5m, 1h */
	FIELD_WORD,	/* int, the place in words */
	FIELD_TEXTS,	/* const char *const *, NULL-terminated; NULL when absent */
	FIELD_PAIRS,	/* struct field_pairs: a mapping from word to text */
	FIELD_OBJECT,	/* a struct, by the table fields */
	FIELD_OBJECTS,	/* struct field_list of such structs */
};

struct field_pairs {
	const struct field_pair {
		const char *key, *value;
	} * items;
	size_t count;
};

/* Structs in a row; FIELD_EACH walks them. */
struct field_list {
	void *items;
	size_t count;
};
#define FIELD_EACH(type, it, list)                                                \
	for (const struct type *it = (list).items,                                \
			       *end_##it = (list).count ? it + (list).count : it; \
	     it < end_##it; it++)

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	bool needed;
	const char *help;	  /* one sentence for the schema */
	int64_t min, max;	  /* of numbers, amounts, durations; both 0: anything not negative;
					   max of FIELD_OBJECTS: so many at most; 0: any number */
	const char *const *words; /* FIELD_WORD; NULL-terminated */
	const struct field *fields; /* FIELD_OBJECT, FIELD_OBJECTS */
	size_t size;		    /* of one struct of FIELD_OBJECTS */
};

#define FIELD_END            \
	{                    \
		.name = NULL \
	}

/*
 * Fills target, which holds the defaults; what is made lives in the arena. A name that the table
 * does not know, one given twice, one needed and not given, a value of a wrong form: -EINVAL with
 * the place.
 */
int fields_read(const struct yaml_node *node, const struct field *fields, struct arena *arena,
		void *target, struct err *err);

/* The table as a JSON schema (draft 2020-12) of an object: its members, without the braces. */
void fields_schema(const struct field *fields, struct json_writer *w);

/* path: "tasks.resources.cpu"; from and to as text, "" for what is not there. A return value <0
 * ends it and is passed on. */
typedef int (*field_diff_fn)(void *data, const char *path, const char *from, const char *to);
/* Told of each field in which two structs of the table differ. */
int fields_diff(const struct field *fields, const void *from, const void *to, field_diff_fn fn,
		void *data);
