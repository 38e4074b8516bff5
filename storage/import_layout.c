/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an OCI layout: index.json, nested indexes, the choice of platform, manifests. */
#include "storage/import_layout.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"

#define INDEX_DEPTH_MAX 4
#define REF_NAME "org.opencontainers.image.ref.name"
#define CONTAINERD_NAME "io.containerd.image.name"

/* The configuration of a manifest. 1 an image, 0 something else that has a manifest. */
static int read_config(struct import_reading *r, struct import_image *image, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!oci_media_is_image_config(image->manifest.config.media_type))
		return 0;
	err_try(import_source_read_blob(r->source, &image->manifest.config, &text, &len, err));
	err_try(import_count_document(r, len, err));
	if (oci_image_parse(text, len, r->arena, &image->config, err) < 0)
		return err_add(err, "configuration %s", image->manifest.config.digest);
	image->config_text = arena_strndup(r->arena, text, len);
	image->config_len = len;
	return image->config_text ? 1 : err_set(err, ENOMEM, "read image");
}

/* The descriptor tells the variant where the configuration doesn't, as many don't. */
static unsigned rank_of(const struct import_reading *r, const struct import_image *image)
{
	const struct oci_image *c = &image->config;
	const char *variant = c->variant && *c->variant ? c->variant : image->descriptor.variant;

	return platform_rank(&r->platform, c->os, c->architecture, variant);
}

/* 1 fits the platform, 0 is for another or no image. */
static int read_image(struct import_reading *r, const struct oci_descriptor *descriptor,
		      struct import_image *image, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int is_image;

	image->descriptor = *descriptor;
	err_try(import_source_read_blob(r->source, descriptor, &text, &len, err));
	err_try(import_count_document(r, len, err));
	if (oci_manifest_parse(text, len, r->arena, &image->manifest, err) < 0)
		return err_add(err, "manifest %s", descriptor->digest);
	image->manifest_text = arena_strndup(r->arena, text, len);
	image->manifest_len = len;
	if (!image->manifest_text)
		return err_set(err, ENOMEM, "read image");
	is_image = read_config(r, image, err);
	if (is_image < 0)
		return err_add(err, "manifest %s", descriptor->digest);
	if (!is_image) {
		strbuf_addf(&r->foreign, "%sthings that do not run (%.60s)",
			    r->foreign.len ? ", " : "",
			    image->manifest.artifact_type ? image->manifest.artifact_type
							  : image->manifest.config.media_type);
		return 0;
	}
	image->rank = rank_of(r, image);
	if (image->rank == 0) {
		import_note_foreign(r, image->config.os, image->config.architecture,
				    image->config.variant);
		return 0;
	}
	if (import_image_complete(r, image, err) < 0)
		return err_add(err, "manifest %s", descriptor->digest);
	return 1;
}

/*
 * The layout's own name tells images apart also where all get the name asked for. Of several in an
 * index the one that suits best is taken, of equals the first: an index lists what it prefers.
 */
static int add_image(struct import_reading *r, const struct oci_descriptor *descriptor,
		     const char *ref, int depth, struct err *err)
{
	struct import_image image = { 0 }, *place;
	int fits;

	if (name_from_layout(ref, r->path, image.name, r->name ? NULL : err) < 0 && !r->name)
		return err_add(err, "manifest %s", descriptor->digest);
	fits = read_image(r, descriptor, &image, err);
	if (fits <= 0)
		return fits;
	for (size_t i = 0; i < r->found.count; i++) {
		place = &r->found.images[i];
		if (strcmp(place->name, image.name) != 0)
			continue;
		if (depth == 0 && !ref)
			return err_say(err, EINVAL,
				       "several images in it have no name (annotation " REF_NAME
				       ")");
		if (image.rank > place->rank)
			*place = image;
		return 0;
	}
	place = import_image_add(r, err);
	if (!place)
		return -ENOMEM;
	*place = image;
	return 0;
}

static int read_index(struct import_reading *r, const char *text, size_t len, const char *ref,
		      int depth, struct err *err);

static int read_nested(struct import_reading *r, const struct oci_descriptor *descriptor,
		       const char *ref, int depth, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (depth >= INDEX_DEPTH_MAX)
		return err_say(err, EINVAL, "indexes in indexes, more than %d deep",
			       INDEX_DEPTH_MAX);
	err_try(import_source_read_blob(r->source, descriptor, &text, &len, err));
	err_try(import_count_document(r, len, err));
	if (read_index(r, text, len, ref, depth, err) < 0)
		return err_add(err, "index %s", descriptor->digest);
	return 0;
}

static int read_entry(struct import_reading *r, const struct oci_descriptor *d, const char *ref,
		      int depth, struct err *err)
{
	const char *name = oci_descriptor_annotation(d, CONTAINERD_NAME);

	if (!name)
		name = oci_descriptor_annotation(d, REF_NAME);
	if (!name)
		name = ref;
	if (oci_media_is_index(d->media_type))
		return read_nested(r, d, name, depth + 1, err);
	/* The specification: what is not known is passed over. */
	if (!oci_media_is_manifest(d->media_type)) {
		strbuf_addf(&r->foreign, "%sa %.80s", r->foreign.len ? ", " : "", d->media_type);
		return 0;
	}
	if (platform_rank(&r->platform, d->os, d->architecture, d->variant) == 0) {
		import_note_foreign(r, d->os, d->architecture, d->variant);
		return 0;
	}
	return add_image(r, d, name, depth, err);
}

static int read_index(struct import_reading *r, const char *text, size_t len, const char *ref,
		      int depth, struct err *err)
{
	struct oci_index index;

	err_try(oci_index_parse(text, len, r->arena, &index, err));
	for (size_t i = 0; i < index.manifests_count; i++)
		err_try(read_entry(r, &index.manifests[i], ref, depth, err));
	return 0;
}

static int check_version(struct import_reading *r, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *text = NULL;
	const char *version = NULL;
	struct json_node root;
	size_t len;

	err_try(import_source_read(r->source, "oci-layout", &text, &len, err));
	if (json_parse(text, len, &doc, err) < 0)
		return err_add(err, "oci-layout");
	root = json_root(doc);
	if (json_object(&root, err) < 0 ||
	    json_need(json_get_string(&root, "imageLayoutVersion", r->arena, &version, err), &root,
		      "imageLayoutVersion", err) < 0)
		return err_add(err, "oci-layout");
	if (strncmp(version, "1.", 2) != 0)
		return err_say(err, EPROTONOSUPPORT,
			       "oci-layout: imageLayoutVersion: %.50s is not 1.x", version);
	return 0;
}

int import_layout_read(struct import_reading *r, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	err_try(check_version(r, err));
	err_try(import_source_read(r->source, "index.json", &text, &len, err));
	if (read_index(r, text, len, NULL, 0, err) < 0)
		return err_add(err, "index.json");
	return 0;
}
