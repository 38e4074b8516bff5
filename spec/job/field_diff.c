/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two documents of one table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "spec/job/field.h"

#define PATH_SIZE 128

struct differ {
	field_diff_fn fn;
	void *data;
};

static void format_texts(struct strbuf *sb, const char *const *texts)
{
	strbuf_adds(sb, "[");
	for (size_t i = 0; texts[i]; i++)
		strbuf_addf(sb, "%s%s", i ? ", " : "", texts[i]);
	strbuf_adds(sb, "]");
}

static void format_pairs(struct strbuf *sb, const struct field_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++)
		strbuf_addf(sb, "%s%s=%s", i ? ", " : "", pairs->items[i].key,
			    pairs->items[i].value);
}

static void format_number(struct strbuf *sb, enum field_kind kind, int64_t n)
{
	static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti" };
	size_t unit = 0;

	while (kind == FIELD_BYTES && unit + 1 < ARRAY_SIZE(units) && n && n % 1024 == 0) {
		n /= 1024;
		unit++;
	}
	strbuf_addf(sb, "%" PRId64 "%s", n,
		    kind == FIELD_BYTES			       ? units[unit]
		    : kind == FIELD_CPU || kind == FIELD_SHARE ? "m"
		    : kind == FIELD_DURATION		       ? "ms"
							       : "");
}

/* "" for what is not there. */
static char *format(const struct field *f, const void *at)
{
	const char *const *texts;
	struct strbuf sb = { 0 };

	strbuf_adds(&sb, "");
	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
		strbuf_adds(&sb, *(const char *const *)at ? *(const char *const *)at : "");
		break;
	case FIELD_BOOL:
		strbuf_adds(&sb, *(const bool *)at ? "true" : "false");
		break;
	case FIELD_WORD:
		strbuf_adds(&sb, *(const int *)at >= 0 ? f->words[*(const int *)at] : "");
		break;
	case FIELD_TEXTS:
		texts = *(const char *const *const *)at;
		if (texts)
			format_texts(&sb, texts);
		break;
	case FIELD_PAIRS:
		format_pairs(&sb, at);
		break;
	default:
		format_number(&sb, f->kind, *(const int64_t *)at);
		break;
	}
	return strbuf_take(&sb);
}

static int compare(const struct differ *d, const char *prefix, const struct field *fields,
		   const void *a, const void *b);

/* An item that only one of them has is told by its number alone. */
static int compare_lists(const struct differ *d, const char *path, const struct field *f,
			 const struct field_list *a, const struct field_list *b)
{
	size_t most = a->count > b->count ? a->count : b->count;

	for (size_t i = 0; i < most; i++) {
		char item[PATH_SIZE];
		int r;

		snprintf(item, sizeof(item), "%s[%zu]", path, i);
		if (i < a->count && i < b->count)
			r = compare(d, item, f->fields, (const char *)a->items + i * f->size,
				    (const char *)b->items + i * f->size);
		else
			r = d->fn(d->data, item, i < a->count ? "there" : "",
				  i < b->count ? "there" : "");
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_values(const struct differ *d, const char *path, const struct field *f,
			  const void *a, const void *b)
{
	_cleanup_free_ char *from = format(f, a), *to = format(f, b);

	return from && to && strcmp(from, to) != 0 ? d->fn(d->data, path, from, to) : 0;
}

static int compare(const struct differ *d, const char *prefix, const struct field *fields,
		   const void *a, const void *b)
{
	int r = 0;

	for (const struct field *f = fields; r == 0 && f->name; f++) {
		const void *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;
		char path[PATH_SIZE];

		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", f->name);
		if (f->kind == FIELD_OBJECT)
			r = compare(d, path, f->fields, x, y);
		else if (f->kind == FIELD_OBJECTS)
			r = compare_lists(d, path, f, x, y);
		else
			r = compare_values(d, path, f, x, y);
	}
	return r;
}

int fields_diff(const struct field *fields, const void *from, const void *to, field_diff_fn fn,
		void *data)
{
	return compare(&(struct differ){ fn, data }, "", fields, from, to);
}
