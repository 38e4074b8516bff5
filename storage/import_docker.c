/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Reading what `docker save` writes:
 *
 *	manifest.json	[{"Config":"HEX.json", "RepoTags":["bb:latest"], "Layers":["ID/layer.tar"]}]
 *	HEX.json	the image's configuration, whose digest is the image's id
 *	ID/layer.tar	a layer, mostly plain; a symlink to another's where they are the same
 *
 * It has no manifest with digests, so we write one, which others read too when the image is saved as
 * an OCI layout: the digest of a plain layer is its diff id, that of a packed one is found by
 * reading it.
 */
/* clang-format on */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "storage/import_layout.h"

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define CONFIG_TYPE "application/vnd.oci.image.config.v1+json"
#define LAYER_TYPE "application/vnd.oci.image.layer.v1.tar"

/* One object of manifest.json. */
struct saved {
	const char *config;
	const char *const *tags, *const *layers;
	size_t tags_count, layers_count;
};

static int parse_saved(const struct json_node *node, struct arena *arena, struct saved *ret,
		       struct err *err)
{
	*ret = (struct saved){ 0 };
	err_try(json_object(node, err));
	err_try(json_need(json_get_string(node, "Config", arena, &ret->config, err), node, "Config",
			  err));
	err_try(json_get_strings(node, "RepoTags", arena, &ret->tags, &ret->tags_count, err));
	return json_need(
		json_get_strings(node, "Layers", arena, &ret->layers, &ret->layers_count, err),
		node, "Layers", err);
}

static const char *arena_digest(struct arena *arena, const char *text, size_t len)
{
	char hex[DIGEST_HEX_SIZE];

	digest_of(text, len, hex);
	return arena_printf(arena, "sha256:%s", hex);
}

/* Where the file is named after its digest, "HEX.json" or "blobs/sha256/HEX", it has to be it. */
static int check_config_name(const char *name, const char *digest, struct err *err)
{
	const char *slash = strrchr(name, '/'), *hex = slash ? slash + 1 : name;
	size_t len = strspn(hex, "0123456789abcdef");

	if (len == 64 && (hex[64] == '\0' || strcmp(hex + 64, ".json") == 0) &&
	    memcmp(hex, digest + strlen("sha256:"), 64) != 0)
		return err_say(err, EBADMSG, "%s is damaged: its content has digest %s", name,
			       digest);
	return 0;
}

static int read_config(struct import_reading *r, const struct saved *saved,
		       struct import_image *image, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	struct oci_descriptor *config = &image->manifest.config;
	struct import_file file;
	size_t len;

	err_try(import_source_find(r->source, saved->config, &file, err));
	err_try(import_source_read(r->source, file.path, &text, &len, err));
	err_try(import_count_document(r, len, err));
	if (oci_image_parse(text, len, r->arena, &image->config, err) < 0)
		return err_add(err, "%s", saved->config);
	image->config_text = arena_strndup(r->arena, text, len);
	image->config_len = len;
	config->media_type = CONFIG_TYPE;
	config->digest = arena_digest(r->arena, text, len);
	config->size_bytes = (int64_t)len;
	if (!image->config_text || !config->digest)
		return err_set(err, ENOMEM, "read image");
	return check_config_name(saved->config, config->digest, err);
}

struct digesting {
	struct digest_state *state;
	struct oci_descriptor *layer;
	struct arena *arena;
};

static int digest_write(void *data, size_t i, const void *bytes, size_t len, struct err *err)
{
	(void)i;
	(void)err;
	digest_update(((struct digesting *)data)->state, bytes, len);
	return 0;
}

static int digest_done(void *data, size_t i, struct err *err)
{
	struct digesting *digesting = data;
	char hex[DIGEST_HEX_SIZE];

	(void)i;
	digest_final(digesting->state, hex);
	digesting->layer->digest = arena_printf(digesting->arena, "sha256:%s", hex);
	return digesting->layer->digest ? 0 : err_set(err, ENOMEM, "read image");
}

/* Images of one archive share layers, and finding a digest reads the whole of it. */
static bool is_known(const struct import_reading *r, const char *file, struct oci_descriptor *layer)
{
	for (size_t i = 0; i < r->found.count; i++) {
		const struct import_image *image = &r->found.images[i];

		for (size_t j = 0; j < image->manifest.layers_count; j++) {
			if (strcmp(image->layer_files[j], file) != 0)
				continue;
			layer->digest = image->manifest.layers[j].digest;
			return true;
		}
	}
	return false;
}

static int find_digest(struct import_reading *r, const char *file, struct oci_descriptor *layer,
		       struct err *err)
{
	struct digesting digesting = { digest_new(), layer, r->arena };
	struct import_sink sink = { digest_write, digest_done, &digesting };
	struct import_want want = { .file = file };
	int result;

	if (is_known(r, file, layer)) {
		digest_free(digesting.state);
		return 0;
	}
	result = digesting.state ? import_source_fetch(r->source, &want, 1, &sink, err)
				 : err_set(err, ENOMEM, "read image");

	digest_free(digesting.state);
	return result;
}

static int read_layer(struct import_reading *r, const struct import_image *image, const char *name,
		      size_t i, struct oci_descriptor *layer, const char **ret_file,
		      struct err *err)
{
	struct import_file file;

	err_try(import_source_find(r->source, name, &file, err));
	*ret_file = arena_strdup(r->arena, file.path);
	if (!*ret_file)
		return err_set(err, ENOMEM, "read image");
	layer->size_bytes = file.size_bytes;
	layer->media_type = LAYER_TYPE;
	layer->digest = image->config.diff_ids[i];
	if (!*file.compression)
		return 0;
	if (strcmp(file.compression, "gzip") != 0 && strcmp(file.compression, "zstd") != 0)
		return err_say(err, ENOTSUP,
			       "%s is packed by %s: a layer is a tar, plain or with gzip or zstd",
			       name, file.compression);
	layer->media_type = arena_printf(r->arena, LAYER_TYPE "+%s", file.compression);
	return layer->media_type ? find_digest(r, *ret_file, layer, err)
				 : err_set(err, ENOMEM, "read image");
}

static int read_layers(struct import_reading *r, const struct saved *saved,
		       struct import_image *image, struct err *err)
{
	size_t count = saved->layers_count;
	struct oci_descriptor *layers = arena_calloc(r->arena, count + 1, sizeof(*layers));
	const char **files = arena_calloc(r->arena, count + 1, sizeof(*files));

	if (!layers || !files)
		return err_set(err, ENOMEM, "read image");
	if (count != image->config.diff_ids_count)
		return err_say(err, EINVAL, "it has %zu Layers, but its configuration %zu diff_ids",
			       count, image->config.diff_ids_count);
	for (size_t i = 0; i < count; i++)
		err_try(read_layer(r, image, saved->layers[i], i, &layers[i], &files[i], err));
	image->manifest.layers = layers;
	image->manifest.layers_count = count;
	image->layer_files = files;
	return import_image_complete(r, image, err);
}

static int write_manifest(struct import_reading *r, struct import_image *image, struct err *err)
{
	struct oci_descriptor *d = &image->descriptor;
	_cleanup_free_ char *text = NULL;
	size_t len;

	image->manifest.media_type = MANIFEST_TYPE;
	err_try(oci_manifest_format(&image->manifest, &text, &len, err));
	image->manifest_text = arena_strndup(r->arena, text, len);
	image->manifest_len = len;
	d->media_type = MANIFEST_TYPE;
	d->digest = arena_digest(r->arena, text, len);
	d->size_bytes = (int64_t)len;
	return image->manifest_text && d->digest ? 0 : err_set(err, ENOMEM, "read image");
}

static int add_named(struct import_reading *r, const struct import_image *image, const char *name,
		     struct err *err)
{
	struct import_image *place;

	for (size_t i = 0; i < r->found.count; i++)
		if (strcmp(r->found.images[i].name, name) == 0)
			return err_say(err, EINVAL, "two images in it are called %s", name);
	place = import_image_add(r, err);
	if (!place)
		return -ENOMEM;
	*place = *image;
	memcpy(place->name, name, strlen(name) + 1);
	return 0;
}

/* Each tag is a name. An image without any takes the archive's, and of several its id as tag. */
static int add_image(struct import_reading *r, const struct saved *saved,
		     const struct import_image *image, bool alone, struct err *err)
{
	const char *digits = image->manifest.config.digest + strlen("sha256:");
	char name[NAME_SIZE], tag[16];

	for (size_t i = 0; i < saved->tags_count; i++) {
		if (name_from_docker(saved->tags[i], name, r->name ? NULL : err) < 0 && !r->name)
			return err_add(err, "RepoTags[%zu]", i);
		/* The same image may stand twice in the list. */
		err_try(add_named(r, image, name, err));
	}
	if (saved->tags_count > 0)
		return 0;
	snprintf(tag, sizeof(tag), "%.12s", digits);
	if (r->name)
		snprintf(name, sizeof(name), "%s", digits);
	else
		err_try(name_from_layout(alone ? NULL : tag, r->path, name, err));
	return add_named(r, image, name, err);
}

static int read_saved(struct import_reading *r, const struct json_node *node, bool alone,
		      struct err *err)
{
	struct import_image image = { 0 };
	const struct oci_image *c = &image.config;
	struct saved saved;

	err_try(parse_saved(node, r->arena, &saved, err));
	err_try(read_config(r, &saved, &image, err));
	image.rank = platform_rank(&r->platform, c->os, c->architecture, c->variant);
	if (image.rank == 0) {
		import_note_foreign(r, c->os, c->architecture, c->variant);
		return 0;
	}
	err_try(read_layers(r, &saved, &image, err));
	err_try(write_manifest(r, &image, err));
	return add_image(r, &saved, &image, alone, err);
}

int import_docker_read(struct import_reading *r, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_node root;
	size_t len;

	err_try(import_source_read(r->source, "manifest.json", &text, &len, err));
	if (json_parse(text, len, &doc, err) < 0)
		return err_add(err, "manifest.json");
	root = json_root(doc);
	if (json_kind(&root) != JSON_ARRAY)
		return err_say(
			err, EINVAL,
			"manifest.json is no list of images, as docker save writes it; what skopeo wrote as dir: is to be copied to oci: first");
	for (size_t i = 0; i < json_count(&root); i++) {
		struct json_node item = json_at(&root, i);

		if (read_saved(r, &item, json_count(&root) == 1, err) < 0)
			return err_add(err, "manifest.json: image %zu", i + 1);
	}
	return 0;
}
