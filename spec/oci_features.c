/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table tells for each member of features where it stands and where it goes; one walk reads by
 * it, another writes.
 */
#include "spec/oci_features.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/json_merge.h"
#include "spec/oci_parse.h"

enum kind { KIND_STRINGS, KIND_BOOL };

/* Members in the order of their objects: path is the way from the root, NULL-terminated. */
static const struct member {
	const char *path[5];
	enum kind kind;
	size_t offset;
} members[] = {
#define STRINGS(field, ...)                                                         \
	{                                                                           \
		{ __VA_ARGS__ }, KIND_STRINGS, offsetof(struct oci_features, field) \
	}
#define BOOL(field, ...)                                                         \
	{                                                                        \
		{ __VA_ARGS__ }, KIND_BOOL, offsetof(struct oci_features, field) \
	}
	STRINGS(hooks, "hooks"),
	STRINGS(mount_options, "mountOptions"),
	STRINGS(linux_.namespaces, "linux", "namespaces"),
	STRINGS(linux_.capabilities, "linux", "capabilities"),
	BOOL(linux_.cgroup_v1, "linux", "cgroup", "v1"),
	BOOL(linux_.cgroup_v2, "linux", "cgroup", "v2"),
	BOOL(linux_.cgroup_systemd, "linux", "cgroup", "systemd"),
	BOOL(linux_.cgroup_systemd_user, "linux", "cgroup", "systemdUser"),
	BOOL(linux_.cgroup_rdma, "linux", "cgroup", "rdma"),
	BOOL(linux_.seccomp.enabled, "linux", "seccomp", "enabled"),
	STRINGS(linux_.seccomp.actions, "linux", "seccomp", "actions"),
	STRINGS(linux_.seccomp.operators, "linux", "seccomp", "operators"),
	STRINGS(linux_.seccomp.archs, "linux", "seccomp", "archs"),
	STRINGS(linux_.seccomp.known_flags, "linux", "seccomp", "knownFlags"),
	STRINGS(linux_.seccomp.supported_flags, "linux", "seccomp", "supportedFlags"),
	BOOL(linux_.apparmor, "linux", "apparmor", "enabled"),
	BOOL(linux_.selinux, "linux", "selinux", "enabled"),
	BOOL(linux_.intel_rdt, "linux", "intelRdt", "enabled"),
	BOOL(linux_.intel_rdt_schemata, "linux", "intelRdt", "schemata"),
	BOOL(linux_.intel_rdt_monitoring, "linux", "intelRdt", "monitoring"),
	STRINGS(linux_.memory_modes, "linux", "memoryPolicy", "modes"),
	STRINGS(linux_.memory_flags, "linux", "memoryPolicy", "flags"),
	BOOL(linux_.idmap, "linux", "mountExtensions", "idmap", "enabled"),
	BOOL(linux_.net_devices, "linux", "netDevices", "enabled"),
#undef STRINGS
#undef BOOL
};

/* at: the object in which path begins. */
static int parse_member(const struct json_node *at, const char *const *path,
			const struct member *member, struct arena *arena, void *features,
			struct err *err)
{
	void *field = (char *)features + member->offset;
	struct json_node child;
	int r;

	if (path[1]) {
		r = json_get_object(at, path[0], &child, err);
		return r <= 0 ? r : parse_member(&child, path + 1, member, arena, features, err);
	}
	if (member->kind == KIND_BOOL)
		return oci_parse_opt_bool(at, path[0], field, err);
	return json_get_strings(at, path[0], arena, field, NULL, err);
}

int oci_features_parse(const char *text, size_t len, struct arena *arena, struct oci_features *ret,
		       struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct oci_features f = { 0 };
	struct json_node root;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(json_need(json_get_string(&root, "ociVersionMin", arena, &f.version_min, err),
			  &root, "ociVersionMin", err));
	err_try(json_need(json_get_string(&root, "ociVersionMax", arena, &f.version_max, err),
			  &root, "ociVersionMax", err));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		err_try(parse_member(&root, members[i].path, &members[i], arena, &f, err));
	f.linux_.set = json_has(&root, "linux");
	err_try(oci_parse_annotations(&root, "annotations", arena, &f.annotations,
				      &f.annotations_count, err));
	err_try(json_get_strings(&root, "potentiallyUnsafeConfigAnnotations", arena,
				 &f.unsafe_annotations, NULL, err));
	f.source.json = arena_strndup(arena, text, len);
	if (!f.source.json)
		return err_set(err, ENOMEM, "read features");
	*ret = f;
	return 0;
}

static bool is_set(const struct oci_features *f, const struct member *member)
{
	const char *field = (const char *)f + member->offset;

	return member->kind == KIND_BOOL ? ((const struct oci_bool *)(const void *)field)->set
					 : *(const char *const *const *)(const void *)field != NULL;
}

static void put_value(struct json_writer *w, const struct oci_features *f,
		      const struct member *member, const char *key)
{
	const void *field = (const char *)f + member->offset;

	if (member->kind == KIND_BOOL)
		json_field_bool(w, key, ((const struct oci_bool *)field)->value);
	else
		json_field_strings(w, key, *(const char *const *const *)field);
}

static bool same_way(const struct member *a, const struct member *b, size_t depth)
{
	for (size_t i = 0; i <= depth; i++)
		if (!a->path[i] || !b->path[i] || strcmp(a->path[i], b->path[i]) != 0)
			return false;
	return true;
}

/* Members from `from` on that share its way down to depth. Returns the first that doesn't. */
static size_t put_members(struct json_writer *w, const struct oci_features *f, size_t from,
			  size_t depth)
{
	size_t i = from;

	while (i < ARRAY_SIZE(members) &&
	       (depth == 0 || same_way(&members[i], &members[from], depth - 1))) {
		const struct member *member = &members[i];
		size_t end = i;
		bool any = false;

		if (!member->path[depth + 1]) {
			if (is_set(f, member))
				put_value(w, f, member, member->path[depth]);
			i++;
			continue;
		}
		for (; end < ARRAY_SIZE(members) && same_way(&members[end], member, depth); end++)
			any |= is_set(f, &members[end]);
		if (any || (depth == 0 && f->linux_.set)) {
			json_key(w, member->path[depth]);
			json_open_object(w);
			put_members(w, f, i, depth + 1);
			json_close_object(w);
		}
		i = end;
	}
	return i;
}

static char *format_known(const struct oci_features *f)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_string(w, "ociVersionMin", f->version_min);
	json_field_string(w, "ociVersionMax", f->version_max);
	put_members(w, f, 0, 0);
	if (f->annotations) {
		json_key(w, "annotations");
		json_open_object(w);
		for (size_t i = 0; i < f->annotations_count; i++)
			json_field_string(w, f->annotations[i].key, f->annotations[i].value);
		json_close_object(w);
	}
	json_field_strings(w, "potentiallyUnsafeConfigAnnotations", f->unsafe_annotations);
	json_close_object(w);
	return json_writer_take(w, NULL);
}

int oci_features_format(const struct oci_features *f, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *before = NULL, *after = format_known(f);
	const char *source = f->source.json;
	struct oci_features parsed;

	if (!arena || !after)
		return err_set(err, ENOMEM, "write features");
	if (!source) {
		if (ret_len)
			*ret_len = strlen(after);
		*ret = take_ptr(after);
		return 0;
	}
	err_try(oci_features_parse(source, strlen(source), arena, &parsed, err));
	before = format_known(&parsed);
	if (!before)
		return err_set(err, ENOMEM, "write features");
	return json_merge(source, before, after, true, ret, ret_len, err);
}
