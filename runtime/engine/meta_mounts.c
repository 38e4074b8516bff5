/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/meta_mounts.h"

#include <errno.h>
#include <string.h>

static const char *const type_names[] = {
	[ENGINE_MOUNT_BIND] = "bind",
	[ENGINE_MOUNT_VOLUME] = "volume",
	[ENGINE_MOUNT_TMPFS] = "tmpfs",
};

static const char *const below_names[] = {
	[ENGINE_BELOW_SAME] = NULL,
	[ENGINE_BELOW_WRITABLE] = "writable",
	[ENGINE_BELOW_NOTHING] = "nothing",
};

const char *engine_mount_type_name(enum engine_mount_type type)
{
	return type_names[type];
}

static void put_fields(struct json_writer *w, const struct engine_mount *m)
{
	json_field_string(w, "type", type_names[m->type]);
	json_field_string(w, "source", m->source);
	json_field_string(w, "target", m->target);
	json_field_bool(w, "readonly", m->readonly);
	if (m->type == ENGINE_MOUNT_VOLUME)
		json_field_bool(w, "anonymous", m->anonymous);
	json_field_string(w, "below", below_names[m->below]);
	json_field_string(w, "propagation", m->propagation);
	json_field_string(w, "options", m->tmpfs_options);
}

void meta_mounts_format(struct json_writer *w, const struct engine_mount *mounts, size_t count)
{
	json_key(w, "mounts");
	json_open_array(w);
	for (size_t i = 0; i < count; i++) {
		json_open_object(w);
		put_fields(w, &mounts[i]);
		json_close_object(w);
	}
	json_close_array(w);
}

/* Index of the word in names, or -EINVAL with the field's path. */
static int parse_word(const struct json_node *node, const char *key, const char *text,
		      const char *const *names, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] && strcmp(names[i], text) == 0)
			return (int)i;
	return json_bad(node, err, "%s \"%s\" is unknown", key, text);
}

static int parse_one(const struct json_node *node, struct arena *arena, struct engine_mount *ret,
		     struct err *err)
{
	const char *type = NULL, *below = NULL;
	int r = json_need(json_get_string(node, "type", arena, &type, err), node, "type", err);

	if (r >= 0)
		r = parse_word(node, "type", type, type_names, ARRAY_SIZE(type_names), err);
	if (r < 0)
		return r;
	ret->type = (enum engine_mount_type)r;
	r = json_get_string(node, "source", arena, &ret->source, err);
	if (ret->type != ENGINE_MOUNT_TMPFS)
		r = json_need(r, node, "source", err);
	if (r >= 0)
		r = json_need(json_get_string(node, "target", arena, &ret->target, err), node,
			      "target", err);
	if (r >= 0)
		r = json_get_bool(node, "readonly", &ret->readonly, err);
	if (r >= 0)
		r = json_get_bool(node, "anonymous", &ret->anonymous, err);
	if (r >= 0)
		r = json_get_string(node, "propagation", arena, &ret->propagation, err);
	if (r >= 0)
		r = json_get_string(node, "options", arena, &ret->tmpfs_options, err);
	if (r >= 0)
		r = json_get_string(node, "below", arena, &below, err);
	if (r > 0) {
		r = parse_word(node, "below", below, below_names, ARRAY_SIZE(below_names), err);
		ret->below = r < 0 ? ENGINE_BELOW_SAME : (enum engine_mount_below)r;
	}
	return r;
}

int meta_mounts_parse(const struct json_node *root, struct arena *arena,
		      const struct engine_mount **ret, size_t *ret_count, struct err *err)
{
	struct engine_mount *mounts;
	struct json_node array;
	size_t count = 0;
	int r = json_get_array(root, "mounts", &array, &count, err);

	if (r <= 0)
		return r;
	mounts = arena_calloc(arena, count + 1, sizeof(*mounts));
	if (!mounts)
		return err_set(err, ENOMEM, "read mounts");
	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct json_node node = json_at(&array, i);

		r = json_object(&node, err);
		if (r >= 0)
			r = parse_one(&node, arena, &mounts[i], err);
	}
	if (r < 0)
		return r;
	*ret = mounts;
	*ret_count = count;
	return 1;
}
