/* SPDX-License-Identifier: Apache-2.0 */
/* The top of config.json: reading the document, its root, mounts, hooks and annotations. */
#include "spec/oci_config.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "spec/oci_parse.h"

#define CONFIG_BYTES_MAX (8u << 20)

int oci_parse_opt_i64(const struct json_node *node, const char *key, struct oci_i64 *ret,
		      struct err *err)
{
	int r = json_get_i64(node, key, &ret->value, err);

	ret->set = r > 0;
	return r;
}

int oci_parse_opt_u64(const struct json_node *node, const char *key, struct oci_u64 *ret,
		      struct err *err)
{
	int r = json_get_u64(node, key, &ret->value, err);

	ret->set = r > 0;
	return r;
}

int oci_parse_opt_u32(const struct json_node *node, const char *key, struct oci_u32 *ret,
		      struct err *err)
{
	int r = json_get_u32(node, key, &ret->value, err);

	ret->set = r > 0;
	return r;
}

int oci_parse_opt_bool(const struct json_node *node, const char *key, struct oci_bool *ret,
		       struct err *err)
{
	int r = json_get_bool(node, key, &ret->value, err);

	ret->set = r > 0;
	return r;
}

int oci_parse_path(const struct json_node *node, const char *key, struct arena *arena,
		   const char **ret, struct err *err)
{
	struct json_node child;
	const char *path = NULL;
	int r = json_get_string(node, key, arena, &path, err);

	if (r <= 0)
		return r;
	if (path[0] != '/') {
		json_get(node, key, &child, err);
		return json_bad(&child, err, "\"%s\" is not an absolute path", path);
	}
	*ret = path;
	return 1;
}

int oci_parse_annotations(const struct json_node *node, const char *key, struct arena *arena,
			  const struct oci_annotation **ret, size_t *ret_count, struct err *err)
{
	struct json_node map;
	struct oci_annotation *list;
	int r = json_get_object(node, key, &map, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, json_count(&map) + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read %s", key);
	for (size_t i = 0; i < json_count(&map); i++) {
		struct json_node item = json_member(&map, i);

		if (item.key[0] == '\0')
			return json_bad(&map, err, "an empty key");
		list[i].key = arena_strdup(arena, item.key);
		if (!list[i].key)
			return err_set(err, ENOMEM, "read %s", key);
		err_try(json_string(&item, arena, &list[i].value, err));
	}
	*ret = list;
	*ret_count = json_count(&map);
	return 1;
}

static int parse_version(const struct json_node *root, struct oci_config *c, struct err *err)
{
	struct json_node node;
	const char *v;

	err_try(json_need(json_get_string(root, "ociVersion", c->arena, &c->oci_version, err), root,
			  "ociVersion", err));
	v = c->oci_version;
	if (v[0] == '1' && v[1] == '.' && v[2] >= '0' && v[2] <= '9')
		return 0;
	json_get(root, "ociVersion", &node, err);
	return json_bad(&node, err,
			"\"%s\" is not a version 1.x of the specification (we speak "
			"up to " OCI_VERSION ")",
			v);
}

static int parse_root(const struct json_node *root, struct oci_config *c, struct err *err)
{
	struct json_node node, path;

	err_try(json_need(json_get_object(root, "root", &node, err), root, "root", err));
	err_try(json_need(json_get_string(&node, "path", c->arena, &c->root.path, err), &node,
			  "path", err));
	if (c->root.path[0] == '\0') {
		json_get(&node, "path", &path, err);
		return json_bad(&path, err, "empty");
	}
	return json_get_bool(&node, "readonly", &c->root.readonly, err);
}

/* runtime-spec 1.0 allowed a relative destination, which is then relative to "/". */
static int parse_destination(const struct json_node *node, struct arena *arena, struct oci_mount *m,
			     struct err *err)
{
	const char *written = NULL;
	struct json_node bad;
	char *clean;

	err_try(json_need(json_get_string(node, "destination", arena, &written, err), node,
			  "destination", err));
	if (written[0] == '\0') {
		json_get(node, "destination", &bad, err);
		return json_bad(&bad, err, "empty");
	}
	clean = arena_printf(arena, "/%s", written);
	if (!clean)
		return err_set(err, ENOMEM, "read mounts");
	path_clean(clean);
	m->destination = clean;
	return 0;
}

static int parse_mounts(const struct json_node *root, struct oci_config *c, struct err *err)
{
	static const char *const none[] = { NULL };
	struct json_node array;
	struct oci_mount *list;
	size_t count;
	int r = json_get_array(root, "mounts", &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(c->arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read mounts");
	for (size_t i = 0; i < count; i++) {
		struct json_node m = json_at(&array, i);

		err_try(json_object(&m, err));
		err_try(parse_destination(&m, c->arena, &list[i], err));
		err_try(json_get_string(&m, "type", c->arena, &list[i].type, err));
		err_try(json_get_string(&m, "source", c->arena, &list[i].source, err));
		list[i].options = none;
		err_try(json_get_strings(&m, "options", c->arena, &list[i].options,
					 &list[i].options_count, err));
		err_try(oci_parse_id_maps(&m, "uidMappings", c->arena, &list[i].uid_maps,
					  &list[i].uid_maps_count, err));
		err_try(oci_parse_id_maps(&m, "gidMappings", c->arena, &list[i].gid_maps,
					  &list[i].gid_maps_count, err));
	}
	c->mounts = list;
	c->mounts_count = count;
	return 0;
}

static int parse_hook(const struct json_node *node, struct arena *arena, struct oci_hook *hook,
		      struct err *err)
{
	int64_t timeout = 0;

	err_try(json_object(node, err));
	err_try(json_need(oci_parse_path(node, "path", arena, &hook->path, err), node, "path",
			  err));
	err_try(json_get_strings(node, "args", arena, &hook->args, NULL, err));
	err_try(json_get_strings(node, "env", arena, &hook->env, NULL, err));
	err_try(json_get_range(node, "timeout", 1, 1000000, &timeout, err));
	hook->timeout_s = (int)timeout;
	return 0;
}

static int parse_hook_list(const struct json_node *hooks, const char *key, struct arena *arena,
			   struct oci_hook_list *ret, struct err *err)
{
	struct json_node array;
	struct oci_hook *list;
	size_t count;
	int r = json_get_array(hooks, key, &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read hooks");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(parse_hook(&item, arena, &list[i], err));
	}
	ret->hooks = list;
	ret->count = count;
	return 0;
}

static int parse_hooks(const struct json_node *root, struct oci_config *c, struct err *err)
{
	struct json_node node;
	int r = json_get_object(root, "hooks", &node, err);

	if (r <= 0)
		return r;
	err_try(parse_hook_list(&node, "prestart", c->arena, &c->hooks.prestart, err));
	err_try(parse_hook_list(&node, "createRuntime", c->arena, &c->hooks.create_runtime, err));
	err_try(parse_hook_list(&node, "createContainer", c->arena, &c->hooks.create_container,
				err));
	err_try(parse_hook_list(&node, "startContainer", c->arena, &c->hooks.start_container, err));
	err_try(parse_hook_list(&node, "poststart", c->arena, &c->hooks.poststart, err));
	return parse_hook_list(&node, "poststop", c->arena, &c->hooks.poststop, err);
}

static int parse_document(const struct json_node *root, struct oci_config *c, struct err *err)
{
	struct json_node node;
	int r;

	err_try(json_object(root, err));
	err_try(parse_version(root, c, err));
	err_try(parse_root(root, c, err));
	r = json_get_object(root, "process", &node, err);
	if (r < 0 || (r > 0 && oci_parse_process(&node, c->arena, &c->process, err) < 0))
		return -EINVAL;
	c->has_process = r > 0;
	err_try(json_get_string(root, "hostname", c->arena, &c->hostname, err));
	err_try(json_get_string(root, "domainname", c->arena, &c->domainname, err));
	err_try(parse_mounts(root, c, err));
	err_try(parse_hooks(root, c, err));
	err_try(oci_parse_annotations(root, "annotations", c->arena, &c->annotations,
				      &c->annotations_count, err));
	err_try(oci_parse_vm(root, c->arena, &c->vm, err));
	r = json_get_object(root, "linux", &node, err);
	return r <= 0 ? r : oci_parse_linux(&node, c, err);
}

int oci_mounts_parse(const char *text, size_t len, struct oci_config **ret, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *c = oci_config_new();
	_cleanup_json_ struct json_doc *bare = NULL, *whole = NULL;
	struct json_node root;
	const char *object;

	if (!c)
		return err_set(err, ENOMEM, "read mounts");
	err_try(json_parse(text, len, &bare, err));
	root = json_root(bare);
	if (json_kind(&root) == JSON_ARRAY) {
		object = arena_printf(c->arena, "{\"mounts\": %.*s}", (int)len, text);
		if (!object)
			return err_set(err, ENOMEM, "read mounts");
		err_try(json_parse(object, strlen(object), &whole, err));
		root = json_root(whole);
	}
	err_try(json_object(&root, err));
	err_try(parse_mounts(&root, c, err));
	if (!c->mounts)
		return err_say(err, EINVAL, "mounts: missing");
	*ret = take_ptr(c);
	return 0;
}

int oci_config_parse(const char *text, size_t len, struct oci_config **ret, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *c = oci_config_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	if (!c)
		return err_set(err, ENOMEM, "read config.json");
	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(parse_document(&root, c, err));
	c->source.json = arena_strndup(c->arena, text, len);
	if (!c->source.json)
		return err_set(err, ENOMEM, "read config.json");
	*ret = take_ptr(c);
	return 0;
}

int oci_config_load(int dirfd, const char *path, struct oci_config **ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	err_try(file_read(dirfd, path, CONFIG_BYTES_MAX, &text, &len, err));
	if (oci_config_parse(text, len, ret, err) < 0)
		return err_add(err, "%s", path);
	return 0;
}

int oci_process_parse(const char *text, size_t len, struct arena *arena, struct oci_process *ret,
		      struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	return oci_parse_process(&root, arena, ret, err);
}

int oci_resources_parse(const char *text, size_t len, struct arena *arena,
			struct oci_resources *ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	return oci_parse_resources(&root, arena, ret, err);
}

struct oci_config *oci_config_new(void)
{
	static const char *const none[] = { NULL };
	struct arena *arena = arena_new();
	struct oci_config *c = arena ? arena_alloc(arena, sizeof(*c)) : NULL;

	if (!c) {
		arena_free(arena);
		return NULL;
	}
	c->arena = arena;
	c->oci_version = OCI_VERSION;
	c->process.env = none;
	return c;
}

/* The document itself lies in its arena. */
struct oci_config *oci_config_free(struct oci_config *config)
{
	if (config)
		arena_free(config->arena);
	return NULL;
}

const char *oci_config_annotation(const struct oci_config *config, const char *key)
{
	for (size_t i = 0; i < config->annotations_count; i++)
		if (strcmp(config->annotations[i].key, key) == 0)
			return config->annotations[i].value;
	return NULL;
}
