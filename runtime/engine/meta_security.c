/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/meta_security.h"

#include <errno.h>

#include "base/cleanup.h"

#define FIELD(name) offsetof(struct engine_security, name)

static const struct {
	const char *key;
	size_t offset;
	bool old; /* the first Cellar had it */
} switches[] = {
	{ "privileged", FIELD(privileged), true },
	{ "readonly_rootfs", FIELD(readonly_rootfs), true },
	{ "no_new_privileges", FIELD(no_new_privileges), false },
	{ "systempaths_unconfined", FIELD(systempaths_unconfined), false },
	{ "writable_cgroups", FIELD(writable_cgroups), false },
};

static const struct {
	const char *key;
	size_t offset;
} words[] = {
	{ "seccomp", FIELD(seccomp) },
	{ "apparmor", FIELD(apparmor) },
	{ "selinux_label", FIELD(selinux_label) },
};

static const struct {
	const char *key;
	size_t offset;
} lists[] = {
	{ "cap_add", FIELD(cap_add) },
	{ "cap_drop", FIELD(cap_drop) },
	{ "device_rules", FIELD(device_rules) },
};

static void *field(struct engine_security *security, size_t offset)
{
	return (char *)security + offset;
}

static void format_devices(struct json_writer *w, const struct engine_security *security)
{
	json_key(w, "devices");
	json_open_array(w);
	for (size_t i = 0; i < security->devices_count; i++) {
		const struct engine_device *d = &security->devices[i];

		json_open_object(w);
		json_field_string(w, "source", d->source);
		json_field_string(w, "target", d->target);
		json_field_bool(w, "read", d->read);
		json_field_bool(w, "write", d->write);
		json_field_bool(w, "mknod", d->mknod);
		json_close_object(w);
	}
	json_close_array(w);
}

void meta_security_format(struct json_writer *w, const struct engine_security *security)
{
	struct engine_security copy = *security;

	json_key(w, "security");
	json_open_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		json_field_bool(w, switches[i].key, *(bool *)field(&copy, switches[i].offset));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		json_field_string(w, words[i].key, *(const char **)field(&copy, words[i].offset));
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *const *list = *(const char *const **)field(&copy, lists[i].offset);

		if (list)
			json_field_strings(w, lists[i].key, list);
	}
	if (security->devices_count)
		format_devices(w, security);
	labels_format(w, "sysctls", &security->sysctls);
	json_close_object(w);
}

static int parse_devices(const struct json_node *node, struct arena *arena,
			 struct engine_security *ret, struct err *err)
{
	struct engine_device *list;
	struct json_node array;
	size_t count;
	int r = json_get_array(node, "devices", &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read devices");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(json_object(&item, err));
		err_try(json_get_string(&item, "source", arena, &list[i].source, err));
		err_try(json_get_string(&item, "target", arena, &list[i].target, err));
		err_try(json_get_bool(&item, "read", &list[i].read, err));
		err_try(json_get_bool(&item, "write", &list[i].write, err));
		err_try(json_get_bool(&item, "mknod", &list[i].mknod, err));
	}
	ret->devices = list;
	ret->devices_count = count;
	return 0;
}

static int parse_rest(const struct json_node *node, struct arena *arena,
		      struct engine_security *ret, struct err *err)
{
	size_t count;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		err_try(json_get_string(node, words[i].key, arena, field(ret, words[i].offset),
					err));
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		err_try(json_get_strings(node, lists[i].key, arena, field(ret, lists[i].offset),
					 &count, err));
	err_try(parse_devices(node, arena, ret, err));
	return labels_parse(node, "sysctls", arena, &ret->sysctls, err);
}

int meta_security_parse(const struct json_node *root, struct arena *arena,
			struct engine_security *ret, struct err *err)
{
	struct engine_security security = { 0 };
	struct json_node node;
	int r = json_get_object(root, "security", &node, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		if (r > 0 || switches[i].old)
			err_try(json_get_bool(r > 0 ? &node : root, switches[i].key,
					      field(&security, switches[i].offset), err));
	if (r > 0)
		err_try(parse_rest(&node, arena, &security, err));
	*ret = security;
	return 0;
}
