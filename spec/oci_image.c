/* SPDX-License-Identifier: Apache-2.0 */
/* Image documents. Docker's schema 2 has the same shape under other media types. */
#include "spec/oci_image.h"

#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "spec/oci_parse.h"

bool oci_media_is_index(const char *m)
{
	return strcmp(m, "application/vnd.oci.image.index.v1+json") == 0 ||
	       strcmp(m, "application/vnd.docker.distribution.manifest.list.v2+json") == 0;
}

bool oci_media_is_manifest(const char *m)
{
	return strcmp(m, "application/vnd.oci.image.manifest.v1+json") == 0 ||
	       strcmp(m, "application/vnd.docker.distribution.manifest.v2+json") == 0;
}

bool oci_media_is_image_config(const char *m)
{
	return strcmp(m, "application/vnd.oci.image.config.v1+json") == 0 ||
	       strcmp(m, "application/vnd.docker.container.image.v1+json") == 0;
}

bool oci_media_is_foreign(const char *m)
{
	static const char docker[] = "application/vnd.docker.image.rootfs.foreign.";

	return strncmp(m, docker, strlen(docker)) == 0;
}

const char *oci_media_compression(const char *m)
{
	static const struct {
		const char *media_type, *compression;
	} known[] = {
		{ "application/vnd.oci.image.layer.v1.tar", "" },
		{ "application/vnd.oci.image.layer.v1.tar+gzip", "gzip" },
		{ "application/vnd.oci.image.layer.v1.tar+zstd", "zstd" },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar", "" },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "gzip" },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", "zstd" },
		{ "application/vnd.docker.image.rootfs.diff.tar", "" },
		{ "application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip" },
		{ "application/vnd.docker.image.rootfs.diff.tar.zstd", "zstd" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(m, known[i].media_type) == 0)
			return known[i].compression;
	return NULL;
}

static int parse_platform(const struct json_node *node, struct arena *arena,
			  struct oci_descriptor *d, struct err *err)
{
	struct json_node platform;
	int r = json_get_object(node, "platform", &platform, err);

	if (r <= 0)
		return r;
	err_try(json_get_string(&platform, "architecture", arena, &d->architecture, err));
	err_try(json_get_string(&platform, "os", arena, &d->os, err));
	err_try(json_get_string(&platform, "variant", arena, &d->variant, err));
	err_try(json_get_string(&platform, "os.version", arena, &d->os_version, err));
	return json_get_strings(&platform, "os.features", arena, &d->os_features, NULL, err);
}

static int parse_descriptor(const struct json_node *node, struct arena *arena,
			    struct oci_descriptor *ret, struct err *err)
{
	struct oci_descriptor d = { 0 };
	struct json_node bad;

	err_try(json_object(node, err));
	err_try(json_need(json_get_string(node, "mediaType", arena, &d.media_type, err), node,
			  "mediaType", err));
	err_try(json_need(json_get_string(node, "digest", arena, &d.digest, err), node, "digest",
			  err));
	if (!digest_is_valid(d.digest)) {
		json_get(node, "digest", &bad, err);
		return json_bad(&bad, err, "\"%s\" is not sha256: and 64 hex digits", d.digest);
	}
	err_try(json_need(json_get_range(node, "size", 0, INT64_MAX, &d.size_bytes, err), node,
			  "size", err));
	err_try(json_get_string(node, "artifactType", arena, &d.artifact_type, err));
	err_try(json_get_string(node, "data", arena, &d.data, err));
	err_try(json_get_strings(node, "urls", arena, &d.urls, NULL, err));
	err_try(parse_platform(node, arena, &d, err));
	err_try(oci_parse_annotations(node, "annotations", arena, &d.annotations,
				      &d.annotations_count, err));
	*ret = d;
	return 0;
}

static int parse_descriptors(const struct json_node *node, const char *key, struct arena *arena,
			     const struct oci_descriptor **ret, size_t *ret_count, struct err *err)
{
	struct oci_descriptor *list;
	struct json_node array;
	size_t count;

	err_try(json_need(json_get_array(node, key, &array, &count, err), node, key, err));
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read image");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(parse_descriptor(&item, arena, &list[i], err));
	}
	*ret = list;
	*ret_count = count;
	return 0;
}

static int parse_subject(const struct json_node *root, struct arena *arena,
			 const struct oci_descriptor **ret, struct err *err)
{
	struct json_node node;
	struct oci_descriptor *d;
	int r = json_get_object(root, "subject", &node, err);

	if (r <= 0)
		return r;
	d = arena_alloc(arena, sizeof(*d));
	if (!d)
		return err_set(err, ENOMEM, "read image");
	err_try(parse_descriptor(&node, arena, d, err));
	*ret = d;
	return 1;
}

static int keep(const char *text, size_t len, struct arena *arena, struct oci_kept *ret,
		struct err *err)
{
	ret->json = arena_strndup(arena, text, len);
	return ret->json ? 0 : err_set(err, ENOMEM, "read image");
}

static int check_schema(const struct json_node *root, struct err *err)
{
	int64_t version = 0;

	err_try(json_object(root, err));
	return json_need(json_get_range(root, "schemaVersion", 2, 2, &version, err), root,
			 "schemaVersion", err);
}

int oci_index_parse(const char *text, size_t len, struct arena *arena, struct oci_index *ret,
		    struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct oci_index index = { 0 };
	struct json_node root;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(check_schema(&root, err));
	err_try(parse_descriptors(&root, "manifests", arena, &index.manifests,
				  &index.manifests_count, err));
	err_try(json_get_string(&root, "mediaType", arena, &index.media_type, err));
	err_try(json_get_string(&root, "artifactType", arena, &index.artifact_type, err));
	err_try(parse_subject(&root, arena, &index.subject, err));
	err_try(oci_parse_annotations(&root, "annotations", arena, &index.annotations,
				      &index.annotations_count, err));
	err_try(keep(text, len, arena, &index.source, err));
	*ret = index;
	return 0;
}

int oci_manifest_parse(const char *text, size_t len, struct arena *arena, struct oci_manifest *ret,
		       struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct oci_manifest manifest = { 0 };
	struct json_node root, config;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(check_schema(&root, err));
	err_try(json_need(json_get_object(&root, "config", &config, err), &root, "config", err));
	err_try(parse_descriptor(&config, arena, &manifest.config, err));
	err_try(parse_descriptors(&root, "layers", arena, &manifest.layers, &manifest.layers_count,
				  err));
	err_try(json_get_string(&root, "mediaType", arena, &manifest.media_type, err));
	err_try(json_get_string(&root, "artifactType", arena, &manifest.artifact_type, err));
	err_try(parse_subject(&root, arena, &manifest.subject, err));
	err_try(oci_parse_annotations(&root, "annotations", arena, &manifest.annotations,
				      &manifest.annotations_count, err));
	err_try(keep(text, len, arena, &manifest.source, err));
	*ret = manifest;
	return 0;
}

/* {"/data": {}, ...}: the names are the data. */
static int parse_name_set(const struct json_node *node, const char *key, struct arena *arena,
			  const char *const **ret, struct err *err)
{
	struct json_node map;
	const char **names;
	int r = json_get_object(node, key, &map, err);

	if (r <= 0)
		return r;
	names = arena_calloc(arena, json_count(&map) + 1, sizeof(*names));
	if (!names)
		return err_set(err, ENOMEM, "read image");
	for (size_t i = 0; i < json_count(&map); i++) {
		names[i] = arena_strdup(arena, json_member(&map, i).key);
		if (!names[i])
			return err_set(err, ENOMEM, "read image");
	}
	*ret = names;
	return 1;
}

static int parse_healthcheck(const struct json_node *node, struct arena *arena,
			     struct oci_healthcheck *h, struct err *err)
{
	struct json_node check;
	int r = json_get_object(node, "Healthcheck", &check, err);

	if (r <= 0)
		return r;
	err_try(json_get_strings(&check, "Test", arena, &h->test, NULL, err));
	err_try(json_get_i64(&check, "Interval", &h->interval_ns, err));
	err_try(json_get_i64(&check, "Timeout", &h->timeout_ns, err));
	err_try(json_get_i64(&check, "StartPeriod", &h->start_period_ns, err));
	err_try(json_get_i64(&check, "StartInterval", &h->start_interval_ns, err));
	return json_get_i64(&check, "Retries", &h->retries, err);
}

static int parse_image_config(const struct json_node *root, struct arena *arena,
			      struct oci_image *image, struct err *err)
{
	struct json_node node;
	int r = json_get_object(root, "config", &node, err);

	if (r <= 0)
		return r;
	err_try(json_get_string(&node, "User", arena, &image->user, err));
	err_try(json_get_string(&node, "WorkingDir", arena, &image->working_dir, err));
	err_try(json_get_string(&node, "StopSignal", arena, &image->stop_signal, err));
	err_try(json_get_strings(&node, "Env", arena, &image->env, NULL, err));
	err_try(json_get_strings(&node, "Entrypoint", arena, &image->entrypoint, NULL, err));
	err_try(json_get_strings(&node, "Cmd", arena, &image->cmd, NULL, err));
	err_try(json_get_strings(&node, "Shell", arena, &image->shell, NULL, err));
	err_try(parse_name_set(&node, "Volumes", arena, &image->volumes, err));
	err_try(parse_name_set(&node, "ExposedPorts", arena, &image->exposed_ports, err));
	err_try(oci_parse_annotations(&node, "Labels", arena, &image->labels, &image->labels_count,
				      err));
	return parse_healthcheck(&node, arena, &image->healthcheck, err);
}

static int parse_rootfs(const struct json_node *root, struct arena *arena, struct oci_image *image,
			struct err *err)
{
	struct json_node rootfs, array;
	size_t count;

	err_try(json_need(json_get_object(root, "rootfs", &rootfs, err), root, "rootfs", err));
	err_try(json_need(json_get_strings(&rootfs, "diff_ids", arena, &image->diff_ids,
					   &image->diff_ids_count, err),
			  &rootfs, "diff_ids", err));
	err_try(json_get_array(&rootfs, "diff_ids", &array, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		if (!digest_is_valid(image->diff_ids[i]))
			return json_bad(&item, err, "\"%s\" is not sha256: and 64 hex digits",
					image->diff_ids[i]);
	}
	return 0;
}

static int parse_history_item(const struct json_node *node, struct arena *arena,
			      struct oci_history *h, struct err *err)
{
	err_try(json_object(node, err));
	err_try(json_get_string(node, "created", arena, &h->created, err));
	err_try(json_get_string(node, "created_by", arena, &h->created_by, err));
	err_try(json_get_string(node, "author", arena, &h->author, err));
	err_try(json_get_string(node, "comment", arena, &h->comment, err));
	return json_get_bool(node, "empty_layer", &h->empty_layer, err);
}

static int parse_history(const struct json_node *root, struct arena *arena, struct oci_image *image,
			 struct err *err)
{
	struct oci_history *list;
	struct json_node array;
	size_t count;
	int r = json_get_array(root, "history", &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read image");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(parse_history_item(&item, arena, &list[i], err));
	}
	image->history = list;
	image->history_count = count;
	return 1;
}

int oci_image_parse(const char *text, size_t len, struct arena *arena, struct oci_image *ret,
		    struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct oci_image image = { 0 };
	struct json_node root;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(json_need(json_get_string(&root, "architecture", arena, &image.architecture, err),
			  &root, "architecture", err));
	err_try(json_need(json_get_string(&root, "os", arena, &image.os, err), &root, "os", err));
	err_try(json_get_string(&root, "variant", arena, &image.variant, err));
	err_try(json_get_string(&root, "created", arena, &image.created, err));
	err_try(json_get_string(&root, "author", arena, &image.author, err));
	err_try(json_get_string(&root, "os.version", arena, &image.os_version, err));
	err_try(json_get_strings(&root, "os.features", arena, &image.os_features, NULL, err));
	err_try(parse_image_config(&root, arena, &image, err));
	err_try(parse_rootfs(&root, arena, &image, err));
	err_try(parse_history(&root, arena, &image, err));
	err_try(keep(text, len, arena, &image.source, err));
	*ret = image;
	return 0;
}

const char *oci_descriptor_annotation(const struct oci_descriptor *d, const char *key)
{
	for (size_t i = 0; i < d->annotations_count; i++)
		if (strcmp(d->annotations[i].key, key) == 0)
			return d->annotations[i].value;
	return NULL;
}
