/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/meta_namespaces.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define CONTAINER "container:"
#define TEXT_MAX 300

static const char *const mode_names[ENGINE_NS_MODES] = {
	[ENGINE_NS_PRIVATE] = "private",     [ENGINE_NS_HOST] = "host",
	[ENGINE_NS_CONTAINER] = "container", [ENGINE_NS_SHAREABLE] = "shareable",
	[ENGINE_NS_NONE] = "none",
};

static const struct {
	const char *key;
	size_t at;
} fields[] = {
	{ "pid", offsetof(struct engine_namespaces, pid) },
	{ "ipc", offsetof(struct engine_namespaces, ipc) },
	{ "uts", offsetof(struct engine_namespaces, uts) },
	{ "cgroup", offsetof(struct engine_namespaces, cgroup) },
};

const char *engine_ns_mode_name(enum engine_ns_mode mode)
{
	return mode_names[mode];
}

void meta_namespaces_format(struct json_writer *w, const struct engine_namespaces *ns)
{
	json_key(w, "namespaces");
	json_open_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct engine_ns *one = (const void *)((const char *)ns + fields[i].at);
		char text[TEXT_MAX];

		if (one->mode == ENGINE_NS_PRIVATE)
			continue;
		snprintf(text, sizeof(text), CONTAINER "%s", one->container ? one->container : "");
		json_field_string(w, fields[i].key,
				  one->mode == ENGINE_NS_CONTAINER ? text : mode_names[one->mode]);
	}
	if (ns->user)
		json_field_string(w, "user", "auto");
	if (ns->id_base)
		json_field_u64(w, "id_base", ns->id_base);
	json_close_object(w);
}

static int parse_mode(const struct json_node *node, const char *key, const char *text,
		      struct arena *arena, struct engine_ns *ret, struct err *err)
{
	if (strncmp(text, CONTAINER, strlen(CONTAINER)) == 0) {
		ret->mode = ENGINE_NS_CONTAINER;
		ret->container = arena_strdup(arena, text + strlen(CONTAINER));
		return ret->container ? 0 : err_set(err, ENOMEM, "read namespaces");
	}
	for (int mode = 0; mode < ENGINE_NS_MODES; mode++)
		if (strcmp(mode_names[mode], text) == 0) {
			ret->mode = (enum engine_ns_mode)mode;
			return 0;
		}
	return json_bad(node, err, "%s \"%s\" is unknown", key, text);
}

int meta_namespaces_parse(const struct json_node *root, struct arena *arena,
			  struct engine_namespaces *ret, struct err *err)
{
	struct engine_namespaces ns = { 0 };
	struct json_node node;
	const char *text;
	int r = json_get_object(root, "namespaces", &node, err);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		r = json_get_string(&node, fields[i].key, arena, &text, err);
		if (r > 0)
			r = parse_mode(&node, fields[i].key, text, arena,
				       (void *)((char *)&ns + fields[i].at), err);
		if (r < 0)
			return r;
	}
	r = json_get_string(&node, "user", arena, &text, err);
	if (r < 0)
		return r;
	ns.user = r > 0;
	r = json_get_u32(&node, "id_base", &ns.id_base, err);
	if (r < 0)
		return r;
	*ret = ns;
	return 1;
}
