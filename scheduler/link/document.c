/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/document.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/map.h"

/* A task in one incarnation. */
struct item {
	const char *key, *text;
	bool gone;
};

struct document {
	struct arena *arena;
	const char *head;   /* "{...}" without the tasks */
	struct item *items; /* by key */
	size_t count;
	char hash[DOCUMENT_HASH_SIZE];
};

static struct document *document_new(void)
{
	struct document *document = calloc(1, sizeof(*document));

	if (document && !(document->arena = arena_new()))
		return document_free(document);
	return document;
}

struct document *document_free(struct document *document)
{
	if (!document)
		return NULL;
	arena_free(document->arena);
	free(document->items);
	free(document);
	return NULL;
}

const char *document_hash(const struct document *document)
{
	return document->hash;
}

/* ---- from JSON ---- */

static const char *copy_value(struct arena *arena, const struct json_node *node)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (w)
		json_put_value(w, node);
	text = w ? json_writer_take(w, &len) : NULL;
	return text ? arena_strdup(arena, text) : NULL;
}

static const char *copy_head(struct arena *arena, const struct json_node *root)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!w)
		return NULL;
	json_open_object(w);
	for (size_t i = 0; i < json_count(root); i++) {
		struct json_node member = json_member(root, i);

		if (strcmp(member.key, "tasks") == 0)
			continue;
		json_key(w, member.key);
		json_put_value(w, &member);
	}
	json_close_object(w);
	text = json_writer_take(w, &len);
	return text ? arena_strdup(arena, text) : NULL;
}

static int read_item(struct document *d, const struct json_node *node, struct item *ret,
		     struct err *err)
{
	const char *task = "";
	uint64_t incarnation = 0;

	err_try(json_object(node, err));
	err_try(json_need(json_get_string(node, "task", d->arena, &task, err), node, "task", err));
	err_try(json_need(json_get_u64(node, "incarnation", &incarnation, err), node, "incarnation",
			  err));
	ret->key = arena_printf(d->arena, "%s@%" PRIu64, task, incarnation);
	ret->text = copy_value(d->arena, node);
	return ret->key && ret->text ? 0 : err_set(err, ENOMEM, "read a document");
}

static int by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* The order of the tasks says nothing. */
static void finish(struct document *d)
{
	uint64_t hash = hash_bytes(d->head, strlen(d->head), 0);

	if (d->count)
		qsort(d->items, d->count, sizeof(*d->items), by_key);
	for (size_t i = 0; i < d->count; i++)
		hash = hash_mix(hash ^
				hash_bytes(d->items[i].text, strlen(d->items[i].text), i + 1));
	snprintf(d->hash, sizeof(d->hash), "%016" PRIx64, hash);
}

static int read_items(struct document *d, const struct json_node *root, const char *key,
		      struct err *err)
{
	struct json_node array;
	size_t count = 0;
	int r = json_get_array(root, key, &array, &count, err);

	if (r < 0)
		return r;
	d->items = calloc(count + 1, sizeof(*d->items));
	if (!d->items)
		return err_set(err, ENOMEM, "read a document");
	for (size_t i = 0; i < count; i++) {
		struct json_node one = json_at(&array, i);

		err_try(read_item(d, &one, &d->items[i], err));
		d->count++;
	}
	return 0;
}

int document_parse(const char *text, size_t len, struct document **ret, struct err *err)
{
	_cleanup_document_ struct document *d = document_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	if (!d)
		return err_set(err, ENOMEM, "read a document");
	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	d->head = copy_head(d->arena, &root);
	if (!d->head)
		return err_set(err, ENOMEM, "read a document");
	err_try(read_items(d, &root, "tasks", err));
	finish(d);
	*ret = take_ptr(d);
	return 0;
}

/* ---- to JSON ---- */

char *document_text(const struct document *d, size_t *ret_len)
{
	struct strbuf sb = { 0 };
	char *text;

	strbuf_add(&sb, d->head, strlen(d->head) - 1);
	strbuf_adds(&sb, strcmp(d->head, "{}") == 0 ? "\"tasks\":[" : ",\"tasks\":[");
	for (size_t i = 0; i < d->count; i++)
		strbuf_addf(&sb, "%s%s", i ? "," : "", d->items[i].text);
	strbuf_adds(&sb, "]}");
	*ret_len = sb.len;
	text = strbuf_take(&sb);
	return text;
}

static void add_set(struct strbuf *sb, const struct document *from, const struct document *to)
{
	const char *between = "";

	strbuf_adds(sb, ",\"set\":[");
	for (size_t i = 0, j = 0; i < to->count; i++) {
		while (from && j < from->count && strcmp(from->items[j].key, to->items[i].key) < 0)
			j++;
		if (from && j < from->count && strcmp(from->items[j].key, to->items[i].key) == 0 &&
		    strcmp(from->items[j].text, to->items[i].text) == 0)
			continue;
		strbuf_addf(sb, "%s%s", between, to->items[i].text);
		between = ",";
	}
	strbuf_adds(sb, "]");
}

static void add_drop(struct strbuf *sb, const struct document *from, const struct document *to)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (w)
		json_open_array(w);
	for (size_t i = 0, j = 0; w && i < from->count; i++) {
		while (j < to->count && strcmp(to->items[j].key, from->items[i].key) < 0)
			j++;
		if (j == to->count || strcmp(to->items[j].key, from->items[i].key) != 0)
			json_put_string(w, from->items[i].key);
	}
	if (w)
		json_close_array(w);
	text = w ? json_writer_take(w, &len) : NULL;
	if (!text)
		sb->failed = true;
	else
		strbuf_addf(sb, ",\"drop\":%s", text);
}

void document_add_diff(struct strbuf *sb, const struct document *from, const struct document *to)
{
	strbuf_addf(sb, "{\"hash\":\"%s\"", to->hash);
	if (from)
		strbuf_addf(sb, ",\"base\":\"%s\"", from->hash);
	if (!from || strcmp(from->head, to->head) != 0)
		strbuf_addf(sb, ",\"head\":%s", to->head);
	add_set(sb, from, to);
	if (from)
		add_drop(sb, from, to);
	strbuf_adds(sb, "}");
}

/* ---- from a diff ---- */

static struct item *find(struct document *d, size_t count, const char *key)
{
	struct item wanted = { .key = key };

	return count ? bsearch(&wanted, d->items, count, sizeof(*d->items), by_key) : NULL;
}

static int copy_from(struct document *d, const struct document *from, size_t room)
{
	d->items = calloc((from ? from->count : 0) + room + 1, sizeof(*d->items));
	if (!d->items)
		return -ENOMEM;
	for (size_t i = 0; from && i < from->count; i++) {
		d->items[i].key = arena_strdup(d->arena, from->items[i].key);
		d->items[i].text = arena_strdup(d->arena, from->items[i].text);
		if (!d->items[i].key || !d->items[i].text)
			return -ENOMEM;
		d->count++;
	}
	return 0;
}

static int drop_items(struct document *d, size_t had, const struct json_node *diff, struct err *err)
{
	struct json_node array;
	size_t count = 0, kept = 0;

	err_try(json_get_array(diff, "drop", &array, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct json_node one = json_at(&array, i);
		const char *key = "";
		struct item *item;

		err_try(json_string(&one, d->arena, &key, err));
		item = find(d, had, key);
		if (item)
			item->gone = true;
	}
	for (size_t i = 0; i < d->count; i++)
		if (!d->items[i].gone)
			d->items[kept++] = d->items[i];
	d->count = kept;
	return 0;
}

static int change(struct document *d, const struct document *from, const struct json_node *diff,
		  struct err *err)
{
	struct json_node array, head;
	size_t count = 0, had = from ? from->count : 0;

	err_try(json_get_array(diff, "set", &array, &count, err));
	if (copy_from(d, from, count) < 0)
		return err_set(err, ENOMEM, "read a change");
	for (size_t i = 0; i < count; i++) {
		struct json_node one = json_at(&array, i);
		struct item item = { 0 }, *known;

		err_try(read_item(d, &one, &item, err));
		known = find(d, had, item.key);
		if (known)
			*known = item;
		else
			d->items[d->count++] = item;
	}
	err_try(drop_items(d, had, diff, err));
	if (json_has(diff, "head")) {
		err_try(json_get_object(diff, "head", &head, err));
		d->head = copy_value(d->arena, &head);
	} else if (from) {
		d->head = arena_strdup(d->arena, from->head);
	} else {
		return json_bad(diff, err, "there is no head");
	}
	return d->head ? 0 : err_set(err, ENOMEM, "read a change");
}

int document_apply(const struct document *from, const struct json_node *diff, struct document **ret,
		   struct err *err)
{
	_cleanup_document_ struct document *d = document_new();
	const char *base = NULL, *hash = "";

	if (!d)
		return err_set(err, ENOMEM, "read a change");
	err_try(json_get_string(diff, "base", d->arena, &base, err));
	err_try(json_need(json_get_string(diff, "hash", d->arena, &hash, err), diff, "hash", err));
	if (base && (!from || strcmp(base, from->hash) != 0))
		return 1;
	err_try(change(d, base ? from : NULL, diff, err));
	finish(d);
	if (strcmp(d->hash, hash) != 0)
		return base ? 1
			    : json_bad(diff, err, "what came is not what was sent (%s, not %s)",
				       d->hash, hash);
	*ret = take_ptr(d);
	return 0;
}
