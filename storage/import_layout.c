/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a layout: index.json, nested indexes, the choice of platform, manifests, configurations.
 */
#include "storage/import_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "storage/layers.h"

#define INDEX_DEPTH_MAX 4
#define IMAGES_MAX 256
#define LAYERS_MAX 500 /* overlay's own limit */
#define REF_NAME "org.opencontainers.image.ref.name"
#define CONTAINERD_NAME "io.containerd.image.name"

struct reading {
	struct import_source *source;
	struct arena *arena;
	const char *path, *name;
	const char *architecture, *variant; /* this machine's */
	struct import_image images[IMAGES_MAX];
	size_t count;
	struct strbuf foreign; /* platforms that were passed over, for the error */
	struct err *err;
};

static void find_platform(struct reading *r)
{
	static const struct {
		const char *machine, *architecture, *variant;
	} known[] = {
		{ "x86_64", "amd64", NULL },	{ "aarch64", "arm64", "v8" },
		{ "armv7l", "arm", "v7" },	{ "armv6l", "arm", "v6" },
		{ "i686", "386", NULL },	{ "riscv64", "riscv64", NULL },
		{ "ppc64le", "ppc64le", NULL }, { "s390x", "s390x", NULL },
	};
	struct utsname uts;

	r->architecture = "unknown";
	uname(&uts);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(uts.machine, known[i].machine) != 0)
			continue;
		r->architecture = known[i].architecture;
		r->variant = known[i].variant;
	}
}

/* Absent fields fit: the configuration tells then. */
static bool platform_fits(const struct reading *r, const char *os, const char *architecture,
			  const char *variant)
{
	if ((os && strcmp(os, "linux") != 0) ||
	    (architecture && strcmp(architecture, r->architecture) != 0))
		return false;
	/* amd64's variants name levels of instructions, of which only the first is everywhere. */
	if (!variant || !*variant)
		return true;
	return strcmp(variant, r->variant ? r->variant : "v1") == 0;
}

static void note_foreign(struct reading *r, const char *os, const char *architecture,
			 const char *variant)
{
	if (r->foreign.len > 200)
		return;
	strbuf_addf(&r->foreign, "%s%.20s/%.20s%s%.20s", r->foreign.len ? ", " : "", os ? os : "?",
		    architecture ? architecture : "?", variant ? "/" : "", variant ? variant : "");
}

static int read_config(struct reading *r, struct import_image *image)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (strcmp(image->manifest.config.media_type, "application/vnd.oci.image.config.v1+json") !=
		    0 &&
	    strcmp(image->manifest.config.media_type,
		   "application/vnd.docker.container.image.v1+json") != 0)
		return err_say(r->err, EINVAL, "config.mediaType: %.100s: it holds no image to run",
			       image->manifest.config.media_type);
	err_try(import_source_read_blob(r->source, &image->manifest.config, &text, &len, r->err));
	if (oci_image_parse(text, len, r->arena, &image->config, r->err) < 0)
		return err_add(r->err, "configuration %s", image->manifest.config.digest);
	image->config_text = arena_strndup(r->arena, text, len);
	image->config_len = len;
	return image->config_text ? 0 : err_set(r->err, ENOMEM, "read image");
}

static int check_layers(struct reading *r, struct import_image *image)
{
	size_t count = image->manifest.layers_count;
	const char **chain = arena_calloc(r->arena, count + 1, sizeof(*chain));

	if (count == 0 || count > LAYERS_MAX)
		return err_say(r->err, EINVAL, "it has %zu layers; 1 to %d can be", count,
			       LAYERS_MAX);
	if (count != image->config.diff_ids_count)
		return err_say(r->err, EINVAL,
			       "its manifest has %zu layers, but its configuration %zu diff_ids",
			       count, image->config.diff_ids_count);
	for (size_t i = 0; chain && i < count; i++) {
		const char *media_type = image->manifest.layers[i].media_type;
		char id[DIGEST_HEX_SIZE];

		if (!oci_media_compression(media_type))
			return err_say(
				r->err, EINVAL,
				"layers[%zu].mediaType: %.100s: a layer is a tar, plain or with gzip or zstd",
				i, media_type);
		layer_chain_id(i ? chain[i - 1] : NULL, image->config.diff_ids[i], id);
		chain[i] = arena_strdup(r->arena, id);
		if (!chain[i])
			chain = NULL;
	}
	image->chain_ids = chain;
	return chain ? 0 : err_set(r->err, ENOMEM, "read image");
}

/* 1 fits this machine, 0 is for another. */
static int read_image(struct reading *r, const struct oci_descriptor *descriptor,
		      struct import_image *image)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	image->descriptor = *descriptor;
	err_try(import_source_read_blob(r->source, descriptor, &text, &len, r->err));
	if (oci_manifest_parse(text, len, r->arena, &image->manifest, r->err) < 0)
		return err_add(r->err, "manifest %s", descriptor->digest);
	image->manifest_text = arena_strndup(r->arena, text, len);
	image->manifest_len = len;
	if (!image->manifest_text)
		return err_set(r->err, ENOMEM, "read image");
	if (read_config(r, image) < 0)
		return err_add(r->err, "manifest %s", descriptor->digest);
	if (!platform_fits(r, image->config.os, image->config.architecture,
			   image->config.variant)) {
		note_foreign(r, image->config.os, image->config.architecture,
			     image->config.variant);
		return 0;
	}
	if (check_layers(r, image) < 0)
		return err_add(r->err, "manifest %s", descriptor->digest);
	return 1;
}

/* The layout's own name of an image tells images apart also where all get the name asked for. */
static int add_image(struct reading *r, const struct oci_descriptor *descriptor, const char *ref,
		     int depth)
{
	struct import_image image = { 0 };
	int fits;

	if (name_from_layout(ref, r->path, image.name, r->name ? NULL : r->err) < 0 && !r->name)
		return err_add(r->err, "manifest %s", descriptor->digest);
	fits = read_image(r, descriptor, &image);
	if (fits <= 0)
		return fits;
	/* An index lists first what it prefers. */
	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->images[i].name, image.name) != 0)
			continue;
		if (depth > 0 || ref)
			return 0;
		return err_say(r->err, EINVAL,
			       "several images in it have no name (annotation " REF_NAME ")");
	}
	if (r->count == IMAGES_MAX)
		return err_say(r->err, EFBIG, "more than %d images in it", IMAGES_MAX);
	r->images[r->count++] = image;
	return 0;
}

static int read_index(struct reading *r, const char *text, size_t len, const char *ref, int depth);

static int read_nested(struct reading *r, const struct oci_descriptor *descriptor, const char *ref,
		       int depth)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (depth >= INDEX_DEPTH_MAX)
		return err_say(r->err, EINVAL, "indexes in indexes, more than %d deep",
			       INDEX_DEPTH_MAX);
	err_try(import_source_read_blob(r->source, descriptor, &text, &len, r->err));
	if (read_index(r, text, len, ref, depth) < 0)
		return err_add(r->err, "index %s", descriptor->digest);
	return 0;
}

static int read_index(struct reading *r, const char *text, size_t len, const char *ref, int depth)
{
	struct oci_index index;

	err_try(oci_index_parse(text, len, r->arena, &index, r->err));
	for (size_t i = 0; i < index.manifests_count; i++) {
		const struct oci_descriptor *d = &index.manifests[i];
		const char *name = oci_descriptor_annotation(d, CONTAINERD_NAME);

		if (!name)
			name = oci_descriptor_annotation(d, REF_NAME);
		if (!name)
			name = ref;
		if (oci_media_is_index(d->media_type)) {
			err_try(read_nested(r, d, name, depth + 1));
		} else if (!oci_media_is_manifest(d->media_type)) {
			return err_say(
				r->err, EINVAL,
				"manifests[%zu].mediaType: %.100s is neither an image nor an index",
				i, d->media_type);
		} else if (!platform_fits(r, d->os, d->architecture, d->variant)) {
			note_foreign(r, d->os, d->architecture, d->variant);
		} else {
			err_try(add_image(r, d, name, depth));
		}
	}
	return 0;
}

static int check_layout(struct reading *r)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *text = NULL;
	const char *version = NULL;
	struct json_node root;
	size_t len;

	if (import_source_read(r->source, "oci-layout", &text, &len, r->err) < 0)
		return r->err->code == ENOENT
			       ? err_say(r->err, ENOENT,
					 "no OCI image layout: there is no file oci-layout in it")
			       : -r->err->code;
	if (json_parse(text, len, &doc, r->err) < 0)
		return err_add(r->err, "oci-layout");
	root = json_root(doc);
	if (json_object(&root, r->err) < 0 ||
	    json_need(json_get_string(&root, "imageLayoutVersion", r->arena, &version, r->err),
		      &root, "imageLayoutVersion", r->err) < 0)
		return err_add(r->err, "oci-layout");
	if (strncmp(version, "1.", 2) != 0)
		return err_say(r->err, EPROTONOSUPPORT,
			       "oci-layout: imageLayoutVersion: %.50s is not 1.x", version);
	return 0;
}

static int check_images(struct reading *r)
{
	if (r->count == 0 && r->foreign.len > 0)
		return err_say(r->err, ENOENT,
			       "it holds no image for this machine (linux/%s), only for %s",
			       r->architecture, r->foreign.data ? r->foreign.data : "others");
	if (r->count == 0)
		return err_say(r->err, ENOENT, "it holds no image");
	if (r->name && r->count > 1)
		return err_say(
			r->err, EINVAL,
			"it holds %zu images: they can't all be named %.200s, so leave the name out",
			r->count, r->name);
	return r->name ? name_complete(r->name, r->images[0].name, r->err) : 0;
}

static int read_all(struct reading *r)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	err_try(check_layout(r));
	err_try(import_source_read(r->source, "index.json", &text, &len, r->err));
	if (read_index(r, text, len, NULL, 0) < 0)
		return err_add(r->err, "index.json");
	return check_images(r);
}

int import_layout_read(struct import_source *source, const char *path, const char *name,
		       struct arena *arena, struct import_layout *ret, struct err *err)
{
	_cleanup_free_ struct reading *r = calloc(1, sizeof(*r));
	struct err own = { 0 };
	int result;

	if (!r)
		return err_set(err, ENOMEM, "read image");
	r->source = source;
	r->arena = arena;
	r->path = path;
	r->name = name;
	r->err = err ? err : &own;
	find_platform(r);
	result = read_all(r);
	strbuf_deinit(&r->foreign);
	if (result < 0)
		return result;
	ret->arena = arena;
	ret->count = r->count;
	ret->images = arena_calloc(arena, r->count, sizeof(*ret->images));
	if (!ret->images)
		return err_set(err, ENOMEM, "read image");
	memcpy(ret->images, r->images, r->count * sizeof(*ret->images));
	return 0;
}
