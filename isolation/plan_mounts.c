/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts, masked and read-only paths of a plan. A "cgroup" mount is taken apart here into binds of
 * the container's own folders: mounting cgroup2 anew would cost an RCU wait of 8 ms, and shows no
 * other thing.
 */
#include <errno.h>
#include <limits.h>
#include <linux/mount.h>
#include <string.h>

#include "base/path.h"
#include "isolation/mount_options.h"
#include "isolation/plan_builder.h"

struct mounts {
	struct plan_builder *b;
	struct strbuf records;
	struct strbuf links;
	size_t index; /* in config->mounts, for errors */
	struct err *err;
};

static int bad(struct mounts *m, const char *field, const char *text)
{
	return err_say(m->err, EINVAL, "mounts[%zu].%s: %s", m->index, field, text);
}

static void copy_options(const struct mount_options *o, struct plan_mount *record)
{
	record->set = o->set;
	record->clear = o->clear;
	record->set_recursive = o->set_recursive;
	record->clear_recursive = o->clear_recursive;
	record->propagation = o->propagation;
	if (o->propagation_recursive)
		record->flags |= PLAN_MOUNT_PROPAGATION_RECURSIVE;
	if (o->recursive)
		record->flags |= PLAN_MOUNT_RECURSIVE;
	if (o->real_source)
		record->flags |= PLAN_MOUNT_REAL_SOURCE;
	if (o->copy_symlink)
		record->flags |= PLAN_MOUNT_COPY_SYMLINK;
	if (o->source_nofollow)
		record->flags |= PLAN_MOUNT_SOURCE_NOFOLLOW;
	if (o->target_nofollow)
		record->flags |= PLAN_MOUNT_TARGET_NOFOLLOW;
	if (o->idmap || o->idmap_recursive)
		record->flags |= PLAN_MOUNT_IDMAP;
	if (o->idmap_recursive)
		record->flags |= PLAN_MOUNT_IDMAP_RECURSIVE;
	if (o->copy_up)
		record->flags |= PLAN_MOUNT_COPY_UP;
}

static void put_option(struct mounts *m, struct strbuf *list, const char *key, const char *value)
{
	struct plan_option option = { .key = plan_put_string(m->b, key),
				      .value = plan_put_string(m->b, value) };

	strbuf_add(list, &option, sizeof(option));
}

/* The end of the first of several options in one string; \, and "," do not separate. */
static size_t option_span(const char *s)
{
	bool quoted = false;
	size_t i;

	for (i = 0; s[i] && (quoted || s[i] != ','); i++) {
		if (s[i] == '"')
			quoted = !quoted;
		else if (s[i] == '\\' && s[i + 1])
			i++;
	}
	return i;
}

static int put_data(struct mounts *m, struct strbuf *list, const char *option, bool *has_mode)
{
	while (*option) {
		size_t len = option_span(option);
		_cleanup_free_ char *key = strndup(option, len);
		char *value;

		if (!key)
			return err_set(m->err, ENOMEM, "plan mounts");
		value = strchr(key, '=');
		if (value)
			*value++ = '\0';
		*has_mode |= strcmp(key, "mode") == 0;
		if (value == key + 1)
			return bad(m, "options", "one has no name before its '='");
		if (*key)
			put_option(m, list, key, value);
		option += len + (option[len] == ',');
	}
	return 0;
}

static bool is_one_of(const char *type, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(type, *list) == 0)
			return true;
	return false;
}

/* Flags that follow from the type of a new file system. */
static uint32_t type_flags(const struct oci_config *c, const char *type, bool readonly)
{
	static const char *const kernels[] = { "proc",	  "sysfs",   "tmpfs",	   "mqueue",
					       "devpts",  "debugfs", "securityfs", "bpf",
					       "tracefs", "cgroup2", NULL };
	static const struct {
		const char *type;
		enum oci_namespace_type ns;
		uint32_t flags;
	} special[] = {
		{ "proc", OCI_NS_PID, PLAN_MOUNT_REAL_TARGET },
		{ "sysfs", OCI_NS_NETWORK, PLAN_MOUNT_REAL_TARGET },
		{ "mqueue", OCI_NS_IPC, 0 },
	};
	uint32_t flags = 0;

	if (readonly && strcmp(type, "tmpfs") == 0)
		flags |= PLAN_MOUNT_LATE_READONLY;
	if (readonly && !is_one_of(type, kernels))
		flags |= PLAN_MOUNT_SUPER_READONLY;
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		const struct oci_namespace *ns = &c->namespaces[special[i].ns];

		if (strcmp(type, special[i].type) != 0)
			continue;
		flags |= special[i].flags;
		if (!ns->present || ns->path)
			flags |= PLAN_MOUNT_HOST_FALLBACK;
	}
	return flags;
}

static int put_fs(struct mounts *m, const struct oci_mount *mount, const struct strbuf *data,
		  bool has_mode, struct plan_mount *record)
{
	const char *type = mount->type;
	bool tmpfs = type && strcmp(type, "tmpfs") == 0;

	if (!type)
		return bad(m, "type", "missing");
	record->kind = PLAN_MOUNT_FS;
	record->type = plan_put_string(m->b, type);
	record->source = plan_put_string(m->b, mount->source ? mount->source : type);
	record->options = plan_put_list(m->b, data, sizeof(struct plan_option));
	record->flags |= type_flags(m->b->config, type, record->set & MOUNT_ATTR_RDONLY);
	if (tmpfs && !has_mode)
		record->flags |= PLAN_MOUNT_INHERIT_MODE;
	if (record->flags & PLAN_MOUNT_COPY_UP && !tmpfs)
		return bad(m, "options", "tmpcopyup is for tmpfs only");
	if (record->flags & PLAN_MOUNT_IDMAP || mount->uid_maps_count || mount->gid_maps_count)
		return bad(m, "options", "id-mapped mounts are only supported for bind-mounts");
	strbuf_add(&m->records, record, sizeof(*record));
	return 0;
}

/* By maps of the mount's own, or by those of the container's user namespace. */
static int put_idmap(struct mounts *m, const struct oci_mount *mount, const char *text,
		     struct plan_mount *record)
{
	const struct oci_namespace *user = &m->b->config->namespaces[OCI_NS_USER];

	if (text && (m->b->options->rootless || mount->uid_maps_count > 0))
		return bad(m, "options", "the maps of idmap go without uidMappings, and as root");
	if (text)
		return plan_put_idmap(m->b, text, record) < 0
			       ? bad(m, "options",
				     "idmap's maps are not like uids=0-1-10;gids=0-1-10")
			       : 0;
	if (mount->uid_maps_count > 0) {
		if (mount->gid_maps_count == 0)
			return bad(
				m, "gidMappings",
				"missing: id-mapped mounts must have both uid and gid mappings specified");
		if (m->b->options->rootless)
			return bad(m, "uidMappings", "take privileges on the host");
		record->flags |= PLAN_MOUNT_IDMAP;
		plan_put_maps(m->b, mount->uid_maps, mount->uid_maps_count, &record->uid_maps);
		plan_put_maps(m->b, mount->gid_maps, mount->gid_maps_count, &record->gid_maps);
		return 0;
	}
	if (mount->gid_maps_count > 0)
		return bad(m, "uidMappings", "missing, and gidMappings go with them");
	if (record->flags & PLAN_MOUNT_IDMAP && (!user->present || user->path))
		return bad(m, "options",
			   "idmap needs uidMappings and gidMappings, or a user namespace of the "
			   "container's own");
	return 0;
}

static int put_bind(struct mounts *m, const struct oci_mount *mount, const char *idmap,
		    struct plan_mount *record)
{
	char source[PATH_MAX];

	if (!mount->source || !*mount->source)
		return bad(m, "source", "missing");
	if (mount->source[0] == '/') {
		record->source = plan_put_string(m->b, mount->source);
	} else {
		if (path_join(source, sizeof(source), m->b->options->bundle, mount->source,
			      m->err) < 0)
			return err_add(m->err, "mounts[%zu].source", m->index);
		record->source = plan_put_string(m->b, source);
	}
	if (put_idmap(m, mount, idmap, record) < 0)
		return -EINVAL;
	record->kind = PLAN_MOUNT_BIND;
	strbuf_add(&m->records, record, sizeof(*record));
	return 0;
}

static void put_folder(struct mounts *m, const struct plan_mount *like, const char *source,
		       const char *target)
{
	struct plan_mount record = *like;

	record.kind = PLAN_MOUNT_BIND;
	record.source = plan_put_string(m->b, source);
	record.target = plan_put_string(m->b, target);
	strbuf_add(&m->records, &record, sizeof(record));
}

/* "cpu" -> "cpu,cpuacct" for hierarchies that several controllers share. */
static void put_controller_links(struct mounts *m, const char *folder, const char *name)
{
	_cleanup_free_ char *list = strdup(name);
	char *save = NULL;

	if (!list || !strchr(name, ','))
		return;
	for (char *one = strtok_r(list, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
		_cleanup_strbuf_ struct strbuf path = { 0 };
		struct plan_link link;

		strbuf_addf(&path, "%s/%s", folder, one);
		link.path = plan_put_string(m->b, strbuf_ok(&path) ? path.data : NULL);
		link.target = plan_put_string(m->b, name);
		strbuf_add(&m->links, &link, sizeof(link));
	}
}

static int put_cgroup_v1(struct mounts *m, const struct oci_mount *mount,
			 const struct plan_mount *like)
{
	const struct plan_options *o = m->b->options;
	_cleanup_strbuf_ struct strbuf data = { 0 };
	struct plan_mount tmpfs = *like;

	tmpfs.kind = PLAN_MOUNT_FS;
	tmpfs.type = plan_put_string(m->b, "tmpfs");
	tmpfs.source = tmpfs.type;
	if (like->set & MOUNT_ATTR_RDONLY)
		tmpfs.flags |= PLAN_MOUNT_LATE_READONLY;
	put_option(m, &data, "mode", "755");
	tmpfs.options = plan_put_list(m->b, &data, sizeof(struct plan_option));
	strbuf_add(&m->records, &tmpfs, sizeof(tmpfs));
	for (size_t i = 0; i < o->cgroups_count; i++) {
		const struct plan_cgroup *cgroup = &o->cgroups[i];
		const char *name = strrchr(cgroup->mountpoint, '/');
		char target[PATH_MAX];

		if (!name || !name[1])
			continue;
		if (path_join(target, sizeof(target), mount->destination, name + 1, m->err) < 0)
			return err_add(m->err, "mounts[%zu].destination", m->index);
		put_folder(m, like, cgroup->folder, target);
		put_controller_links(m, mount->destination, name + 1);
	}
	return 0;
}

static int put_cgroup(struct mounts *m, const struct oci_mount *mount, struct plan_mount *record)
{
	const struct plan_options *o = m->b->options;

	if (o->cgroups_count == 0) {
		/* The host's, with what is mounted below: on v1 that is all of its hierarchies. */
		record->set_recursive |= MOUNT_ATTR_RDONLY;
		record->flags |= PLAN_MOUNT_RECURSIVE;
		put_folder(m, record, "/sys/fs/cgroup", mount->destination);
		return 0;
	}
	if (o->cgroups_count == 1 && o->cgroups[0].v2) {
		put_folder(m, record, o->cgroups[0].folder, mount->destination);
		return 0;
	}
	return put_cgroup_v1(m, mount, record);
}

/* annotations_check() of the runtime lets pass what SELinux knows only. */
static const char *label_option(const struct oci_config *config)
{
	const char *type = oci_config_annotation(config, "run.oci.mount_context_type");

	return type && *type ? type : "context";
}

static int put_mount(struct mounts *m, const struct oci_mount *mount)
{
	_cleanup_strbuf_ struct strbuf data = { 0 };
	struct mount_options options = { 0 };
	struct plan_mount record = { 0 };
	const char *type = mount->type ? mount->type : "";
	bool has_mode = false, is_foreign = false;
	int r;

	for (size_t i = 0; i < mount->options_count; i++) {
		const char *option = mount->options[i];

		if (mount_options_add(&options, option) != 1)
			continue;
		is_foreign |= !mount_option_is_superblock(option);
		r = plan_check_owner(m->b, mount, m->index, option, m->err);
		if (r < 0 || (r == 0 && put_data(m, &data, option, &has_mode) < 0))
			return -EINVAL;
	}
	if (strcmp(mount->destination, "/") == 0)
		return bad(m, "destination", "may not be the root itself");
	options.bind |= strcmp(type, "bind") == 0;
	copy_options(&options, &record);
	if (plan_check_proc(mount, m->index, options.bind, &record, m->err) < 0)
		return -EINVAL;
	record.target = plan_put_string(m->b, mount->destination);
	if (options.remount) {
		record.kind = PLAN_MOUNT_REMOUNT;
		strbuf_add(&m->records, &record, sizeof(record));
		return 0;
	}
	if (options.bind && is_foreign && !options.remount)
		return bad(m, "options",
			   "bind mounts cannot have any filesystem-specific options applied");
	if (options.bind)
		return put_bind(m, mount, options.idmap_text, &record);
	if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0)
		return put_cgroup(m, mount, &record);
	if (m->b->config->mount_label && *m->b->config->mount_label && strcmp(type, "proc") != 0 &&
	    strcmp(type, "sysfs") != 0 && strcmp(type, "mqueue") != 0)
		put_option(m, &data, label_option(m->b->config), m->b->config->mount_label);
	return put_fs(m, mount, &data, has_mode, &record);
}

static void put_paths(struct plan_builder *b, const char *const *paths, struct plan_list *ret)
{
	_cleanup_strbuf_ struct strbuf records = { 0 };

	for (; paths && *paths; paths++) {
		struct plan_path path = { .path = plan_put_string(b, *paths) };

		strbuf_add(&records, &path, sizeof(path));
	}
	*ret = plan_put_list(b, &records, sizeof(struct plan_path));
}

int plan_put_mounts(struct plan_builder *b, struct err *err)
{
	struct mounts m = { .b = b, .err = err };
	int r = 0;

	for (m.index = 0; m.index < b->config->mounts_count && r == 0; m.index++)
		r = put_mount(&m, &b->config->mounts[m.index]);
	b->head.mounts = plan_put_list(b, &m.records, sizeof(struct plan_mount));
	b->head.links = plan_put_list(b, &m.links, sizeof(struct plan_link));
	strbuf_deinit(&m.records);
	strbuf_deinit(&m.links);
	put_paths(b, b->config->masked_paths, &b->head.masked);
	put_paths(b, b->config->readonly_paths, &b->head.readonly);
	return r;
}
