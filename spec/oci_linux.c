/* SPDX-License-Identifier: Apache-2.0 */
/* "linux" of config.json, but for resources and seccomp, which have files of their own. */
#include <errno.h>
#include <string.h>

#include "spec/oci_parse.h"

static int parse_namespace(const struct json_node *item, struct oci_config *c, struct err *err)
{
	struct oci_namespace *ns = NULL;
	const char *name = NULL;

	err_try(json_object(item, err));
	err_try(json_need(json_get_string(item, "type", c->arena, &name, err), item, "type", err));
	for (int t = 0; t < OCI_NS_COUNT; t++)
		if (strcmp(name, oci_namespace_name((enum oci_namespace_type)t)) == 0)
			ns = &c->namespaces[t];
	if (!ns) {
		struct json_node type;

		json_get(item, "type", &type, err);
		return json_bad(&type, err,
				"\"%s\" is no namespace (pid, network, mount, ipc, uts, "
				"user, cgroup, time)",
				name);
	}
	if (ns->present)
		return json_bad(item, err, "the %s namespace stands twice", name);
	ns->present = true;
	return oci_parse_path(item, "path", c->arena, &ns->path, err);
}

static int parse_namespaces(const struct json_node *node, struct oci_config *c, struct err *err)
{
	struct json_node array;
	size_t count;
	int r = json_get_array(node, "namespaces", &array, &count, err);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(parse_namespace(&item, c, err));
	}
	return 0;
}

int oci_parse_id_maps(const struct json_node *node, const char *key, struct arena *arena,
		      const struct oci_id_map **ret, size_t *ret_count, struct err *err)
{
	struct json_node array;
	struct oci_id_map *maps;
	size_t count;
	int r = json_get_array(node, key, &array, &count, err);

	if (r <= 0)
		return r;
	maps = arena_calloc(arena, count + 1, sizeof(*maps));
	if (!maps)
		return err_set(err, ENOMEM, "read id maps");
	for (size_t i = 0; i < count; i++) {
		struct json_node m = json_at(&array, i);

		err_try(json_object(&m, err));
		err_try(json_need(json_get_u32(&m, "containerID", &maps[i].container_id, err), &m,
				  "containerID", err));
		err_try(json_need(json_get_u32(&m, "hostID", &maps[i].host_id, err), &m, "hostID",
				  err));
		err_try(json_need(json_get_u32(&m, "size", &maps[i].size, err), &m, "size", err));
		if (maps[i].size == 0)
			return json_bad(&m, err, "size 0 maps nothing");
	}
	*ret = maps;
	*ret_count = count;
	return 0;
}

static int parse_device_type(const struct json_node *node, const char *allowed, char *ret,
			     struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *type = NULL;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "read devices");
	r = json_get_string(node, "type", arena, &type, err);
	if (r <= 0)
		return r;
	if (strlen(type) != 1 || !strchr(allowed, type[0])) {
		struct json_node bad;

		json_get(node, "type", &bad, err);
		return json_bad(&bad, err, "\"%s\" is no device type (one of \"%s\")", type,
				allowed);
	}
	*ret = type[0] == 'u' ? 'c' : type[0];
	return 1;
}

static int parse_device(const struct json_node *node, struct arena *arena, struct oci_device *d,
			struct err *err)
{
	int64_t mode = 0666;
	int r;

	err_try(json_object(node, err));
	err_try(json_need(oci_parse_path(node, "path", arena, &d->path, err), node, "path", err));
	err_try(json_need(parse_device_type(node, "cubp", &d->type, err), node, "type", err));
	r = json_get_range(node, "major", 0, UINT32_MAX, &d->major, err);
	if (r < 0 || (r == 0 && d->type != 'p'))
		return json_need(r, node, "major", err);
	r = json_get_range(node, "minor", 0, UINT32_MAX, &d->minor, err);
	if (r < 0 || (r == 0 && d->type != 'p'))
		return json_need(r, node, "minor", err);
	/* Some writers put the file type's bits in, too. */
	err_try(json_get_range(node, "fileMode", 0, 0177777, &mode, err));
	d->file_mode = (mode_t)(mode & 07777);
	err_try(json_get_u32(node, "uid", &d->uid, err));
	return json_get_u32(node, "gid", &d->gid, err);
}

static int parse_devices(const struct json_node *node, struct oci_config *c, struct err *err)
{
	struct json_node array;
	struct oci_device *list;
	size_t count;
	int r = json_get_array(node, "devices", &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(c->arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read devices");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(parse_device(&item, c->arena, &list[i], err));
	}
	c->devices = list;
	c->devices_count = count;
	return 0;
}

static int parse_sysctls(const struct json_node *node, struct oci_config *c, struct err *err)
{
	struct json_node map;
	struct oci_sysctl *list;
	int r = json_get_object(node, "sysctl", &map, err);

	if (r <= 0)
		return r;
	list = arena_calloc(c->arena, json_count(&map) + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read sysctl");
	for (size_t i = 0; i < json_count(&map); i++) {
		struct json_node item = json_member(&map, i);

		list[i].key = arena_strdup(c->arena, item.key);
		if (!list[i].key)
			return err_set(err, ENOMEM, "read sysctl");
		err_try(json_string(&item, c->arena, &list[i].value, err));
	}
	c->sysctls = list;
	c->sysctls_count = json_count(&map);
	return 0;
}

static int parse_path_list(const struct json_node *node, const char *key, struct arena *arena,
			   const char *const **ret, struct err *err)
{
	struct json_node array;
	size_t count;
	int r = json_get_strings(node, key, arena, ret, &count, err);

	if (r <= 0)
		return r;
	err_try(json_get_array(node, key, &array, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		if ((*ret)[i][0] != '/')
			return json_bad(&item, err, "\"%s\" is not an absolute path", (*ret)[i]);
	}
	return 1;
}

static int parse_propagation(const struct json_node *node, struct oci_config *c, struct err *err)
{
	static const char *const known[] = { "private", "rprivate", "slave",	  "rslave",
					     "shared",	"rshared",  "unbindable", "runbindable" };
	struct json_node bad;
	int r = json_get_string(node, "rootfsPropagation", c->arena, &c->rootfs_propagation, err);

	if (r <= 0)
		return r;
	if (c->rootfs_propagation[0] == '\0') {
		c->rootfs_propagation = NULL;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(c->rootfs_propagation, known[i]) == 0)
			return 1;
	json_get(node, "rootfsPropagation", &bad, err);
	return json_bad(&bad, err,
			"\"%s\" is no propagation (private, slave, shared, unbindable, "
			"each also with r in front)",
			c->rootfs_propagation);
}

int oci_parse_linux(const struct json_node *node, struct oci_config *c, struct err *err)
{
	struct json_node child;
	int r;

	err_try(parse_namespaces(node, c, err));
	err_try(oci_parse_id_maps(node, "uidMappings", c->arena, &c->uid_maps, &c->uid_maps_count,
				  err));
	err_try(oci_parse_id_maps(node, "gidMappings", c->arena, &c->gid_maps, &c->gid_maps_count,
				  err));
	err_try(parse_devices(node, c, err));
	err_try(json_get_string(node, "cgroupsPath", c->arena, &c->cgroups_path, err));
	if (c->cgroups_path && !*c->cgroups_path)
		c->cgroups_path = NULL; /* Go's callers mean none by it */
	err_try(parse_propagation(node, c, err));
	err_try(json_get_string(node, "mountLabel", c->arena, &c->mount_label, err));
	err_try(parse_path_list(node, "maskedPaths", c->arena, &c->masked_paths, err));
	err_try(parse_path_list(node, "readonlyPaths", c->arena, &c->readonly_paths, err));
	err_try(parse_sysctls(node, c, err));
	err_try(oci_parse_kernel_view(node, c, err));
	err_try(oci_parse_intel_rdt(node, c->arena, &c->intel_rdt, err));
	err_try(oci_parse_net_devices(node, c, err));
	r = json_get_object(node, "resources", &child, err);
	if (r < 0 || (r > 0 && oci_parse_resources(&child, c->arena, &c->resources, err) < 0))
		return -EINVAL;
	r = json_get_object(node, "seccomp", &child, err);
	if (r < 0 || (r > 0 && oci_parse_seccomp(&child, c->arena, &c->seccomp, err) < 0))
		return -EINVAL;
	return 0;
}
