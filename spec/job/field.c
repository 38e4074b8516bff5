/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/job/field.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "spec/job/amount.h"

#define NAME_MAX_LEN 63
#define FIELDS_MAX 64 /* of one table: a bit each */

struct reader {
	struct arena *arena;
	struct err *err;
};

static int read_value(struct reader *r, const struct yaml_node *node, const struct field *f,
		      void *at);

static int out_of_memory(const struct reader *r)
{
	return err_set(r->err, ENOMEM, "read the job file");
}

/* ---- scalars ---- */

static bool is_name(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.");

	return len > 0 && len <= NAME_MAX_LEN && !text[len] && isalnum((unsigned char)text[0]);
}

static bool is_in_range(const struct field *f, int64_t n)
{
	return f->min == 0 && f->max == 0 ? n >= 0 : n >= f->min && n <= f->max;
}

static int read_integer(const char *text, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno || end == text || *end ? -EINVAL : 0;
}

static const char *hint_of(enum field_kind kind)
{
	switch (kind) {
	case FIELD_CPU:
		return "an amount of CPU, like 100m or 1.5";
	case FIELD_BYTES:
		return "a number of bytes, like 16Mi or 2G";
	case FIELD_SHARE:
		return "a number of devices, like 2 or 0.25";
	case FIELD_DURATION:
		return "a time, like 500ms, 30s or 5m";
	default:
		return "a whole number";
	}
}

static int read_amount(struct reader *r, const struct yaml_node *node, const struct field *f,
		       const char *text, void *at)
{
	int64_t n = 0;
	int wrong = f->kind == FIELD_BYTES	? amount_parse_bytes(text, &n)
		    : f->kind == FIELD_DURATION ? amount_parse_ms(text, &n)
		    : f->kind == FIELD_NUMBER	? read_integer(text, &n)
						: amount_parse_milli(text, &n);

	if (wrong)
		return yaml_fail(node, r->err, "\"%s\" is not %s", text, hint_of(f->kind));
	if (!is_in_range(f, n) && f->kind == FIELD_NUMBER && f->max)
		return yaml_fail(node, r->err, "%s is not from %" PRId64 " to %" PRId64, text,
				 f->min, f->max);
	if (!is_in_range(f, n))
		return yaml_fail(node, r->err, "%s is out of the range that makes sense", text);
	*(int64_t *)at = n;
	return 0;
}

static int read_bool(struct reader *r, const struct yaml_node *node, const char *text, bool *at)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return yaml_fail(node, r->err, "\"%s\" is neither true nor false", text);
	*at = text[0] == 't';
	return 0;
}

static int read_word(struct reader *r, const struct yaml_node *node, const struct field *f,
		     const char *text, int *at)
{
	char all[200] = "";

	for (int i = 0; f->words[i]; i++) {
		if (strcmp(f->words[i], text) == 0) {
			*at = i;
			return 0;
		}
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "",
			 f->words[i]);
	}
	return yaml_fail(node, r->err, "\"%s\" is none of %s", text, all);
}

static int read_scalar(struct reader *r, const struct yaml_node *node, const struct field *f,
		       void *at)
{
	const char *text = yaml_text(node);

	if (!text)
		return yaml_fail(node, r->err, "a value is needed here");
	switch (f->kind) {
	case FIELD_NAME:
		if (!is_name(text))
			return yaml_fail(node, r->err,
					 "\"%s\" is no name: a-z, 0-9, '-' and '.', %d at most, "
					 "a letter or digit first",
					 text, NAME_MAX_LEN);
		/* fall through */
	case FIELD_TEXT:
		*(const char **)at = arena_strdup(r->arena, text);
		return *(const char **)at ? 0 : out_of_memory(r);
	case FIELD_BOOL:
		return read_bool(r, node, text, at);
	case FIELD_WORD:
		return read_word(r, node, f, text, at);
	default:
		return read_amount(r, node, f, text, at);
	}
}

/* ---- collections ---- */

static int count(const struct yaml_node *node, size_t *ret, struct err *err)
{
	struct yaml_node child;
	const char *key;
	void *state = NULL;
	int more;

	for (*ret = 0; (more = yaml_next(node, &state, &key, &child, err)) > 0; ++*ret)
		;
	return more;
}

static int read_texts(struct reader *r, const struct yaml_node *node, const char ***at)
{
	const char **items, *key;
	struct yaml_node child;
	void *state = NULL;
	size_t n, i = 0;

	if (!yaml_is_sequence(node))
		return yaml_fail(node, r->err, "a list is needed here, like [a, b]");
	err_try(count(node, &n, r->err));
	items = arena_calloc(r->arena, n + 1, sizeof(*items));
	if (!items)
		return out_of_memory(r);
	while (yaml_next(node, &state, &key, &child, r->err) > 0) {
		const char *text = yaml_text(&child);

		if (!text)
			return yaml_fail(&child, r->err, "a text is needed here");
		items[i] = arena_strdup(r->arena, text);
		if (!items[i++])
			return out_of_memory(r);
	}
	*at = items;
	return 0;
}

static int read_pairs(struct reader *r, const struct yaml_node *node, struct field_pairs *at)
{
	struct yaml_node child;
	struct field_pair *items;
	void *state = NULL;
	const char *key;
	size_t n, i = 0;

	if (!yaml_is_mapping(node))
		return yaml_fail(node, r->err, "names with values are needed here, like {a: 1}");
	err_try(count(node, &n, r->err));
	items = arena_calloc(r->arena, n + 1, sizeof(*items));
	if (!items)
		return out_of_memory(r);
	while (yaml_next(node, &state, &key, &child, r->err) > 0) {
		const char *text = yaml_text(&child);

		if (!text)
			return yaml_fail(&child, r->err, "a text is needed here");
		items[i].key = arena_strdup(r->arena, key);
		items[i].value = arena_strdup(r->arena, text);
		if (!items[i].key || !items[i].value)
			return out_of_memory(r);
		i++;
	}
	*at = (struct field_pairs){ items, n };
	return 0;
}

static int read_objects(struct reader *r, const struct yaml_node *node, const struct field *f,
			struct field_list *at)
{
	struct yaml_node child;
	void *state = NULL;
	const char *key;
	size_t n, i = 0;
	char *items;

	if (!yaml_is_sequence(node))
		return yaml_fail(node, r->err, "a list is needed here");
	err_try(count(node, &n, r->err));
	if (f->max && n > (size_t)f->max && !node->accepted)
		return yaml_fail(node, r->err,
				 "there are %zu of them, and %" PRId64 " at most may be", n,
				 f->max);
	items = arena_calloc(r->arena, n + 1, f->size);
	if (!items)
		return out_of_memory(r);
	while (yaml_next(node, &state, &key, &child, r->err) > 0) {
		child.path = arena_printf(r->arena, "%s[%zu]", node->path, i);
		if (!child.path)
			return out_of_memory(r);
		err_try(fields_read(&child, f->fields, r->arena, items + i++ * f->size, r->err));
	}
	*at = (struct field_list){ items, n };
	return 0;
}

static int read_value(struct reader *r, const struct yaml_node *node, const struct field *f,
		      void *at)
{
	switch (f->kind) {
	case FIELD_TEXTS:
		return read_texts(r, node, at);
	case FIELD_PAIRS:
		return read_pairs(r, node, at);
	case FIELD_OBJECT:
		return fields_read(node, f->fields, r->arena, at, r->err);
	case FIELD_OBJECTS:
		return read_objects(r, node, f, at);
	default:
		return read_scalar(r, node, f, at);
	}
}

/* ---- a mapping ---- */

static int unknown(const struct yaml_node *node, const struct field *fields, const char *key,
		   struct err *err)
{
	char all[300] = "";

	for (const struct field *f = fields; f->name; f++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
			 f == fields ? "" : ", ", f->name);
	return yaml_fail(node, err, "\"%s\" is unknown here; there are %s", key, all);
}

int fields_read(const struct yaml_node *node, const struct field *fields, struct arena *arena,
		void *target, struct err *err)
{
	struct reader r = { arena, err };
	struct yaml_node child;
	void *state = NULL;
	const char *key;
	uint64_t seen = 0;
	int more;

	if (!yaml_is_mapping(node))
		return yaml_fail(node, err, "names with values are needed here, like {a: 1}");
	while ((more = yaml_next(node, &state, &key, &child, err)) > 0) {
		const struct field *f = fields;

		while (f->name && strcmp(f->name, key) != 0)
			f++;
		if (!f->name)
			return unknown(&child, fields, key, err);
		seen |= 1ull << (f - fields);
		err_try(read_value(&r, &child, f, (char *)target + f->offset));
	}
	if (more < 0)
		return more;
	for (const struct field *f = fields; f->name; f++)
		if (f->needed && !(seen & 1ull << (f - fields)))
			return yaml_fail(node, err, "%s is missing: %s", f->name, f->help);
	return 0;
}
