/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/labels.h"

#include <errno.h>
#include <string.h>

int labels_parse_word(const char *text, struct arena *arena, struct oci_annotation *ret,
		      struct err *err)
{
	size_t len = strcspn(text, "=");
	struct oci_annotation label;

	if (!len)
		return err_say(err, EINVAL, "\"%s\" has no key; write it as KEY=VALUE", text);
	label.key = arena_strndup(arena, text, len);
	label.value = text[len] ? text + len + 1 : "";
	if (!label.key)
		return err_set(err, ENOMEM, "read labels");
	*ret = label;
	return 0;
}

static void put(struct oci_annotation *items, size_t *count, const struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		size_t at = 0;

		while (at < *count && strcmp(items[at].key, labels->items[i].key) != 0)
			at++;
		items[at] = labels->items[i];
		*count += at == *count;
	}
}

int labels_merge(const struct labels *under, const struct labels *over, struct arena *arena,
		 struct labels *ret, struct err *err)
{
	struct oci_annotation *items =
		arena_calloc(arena, under->count + over->count + 1, sizeof(*items));
	size_t count = 0;

	if (!items)
		return err_set(err, ENOMEM, "merge labels");
	put(items, &count, under);
	put(items, &count, over);
	*ret = (struct labels){ items, count };
	return 0;
}

void labels_format(struct json_writer *w, const char *key, const struct labels *labels)
{
	if (!labels->count)
		return;
	json_key(w, key);
	json_open_object(w);
	for (size_t i = 0; i < labels->count; i++)
		json_field_string(w, labels->items[i].key, labels->items[i].value);
	json_close_object(w);
}

int labels_parse(const struct json_node *root, const char *key, struct arena *arena,
		 struct labels *ret, struct err *err)
{
	struct oci_annotation *items;
	struct json_node object;
	size_t count;
	int r = json_get_object(root, key, &object, err);

	if (r <= 0)
		return r;
	count = json_count(&object);
	items = arena_calloc(arena, count + 1, sizeof(*items));
	if (!items)
		return err_set(err, ENOMEM, "read labels");
	for (size_t i = 0; i < count; i++) {
		struct json_node member = json_member(&object, i);

		items[i].key = arena_strdup(arena, member.key);
		if (!items[i].key)
			return err_set(err, ENOMEM, "read labels");
		err_try(json_string(&member, arena, &items[i].value, err));
	}
	*ret = (struct labels){ items, count };
	return 0;
}
