/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for an image whatever its archive: is it whole, is it for us, what is it called. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "storage/import_layout.h"
#include "storage/layers.h"

#define IMAGES_MAX 256
#define DOCUMENTS_MAX 2000
#define DOCUMENTS_BYTES_MAX (128ULL << 20)
#define LAYERS_MAX 500 /* overlay's own limit */

void import_note_foreign(struct import_reading *r, const char *os, const char *architecture,
			 const char *variant)
{
	char text[PLATFORM_TEXT_SIZE];

	/* Attestations of BuildKit call themselves unknown/unknown. */
	if (r->foreign.len > 200 || (os && strcmp(os, "unknown") == 0))
		return;
	strbuf_addf(&r->foreign, "%s%s", r->foreign.len ? ", " : "",
		    platform_format(os, architecture, variant, text));
}

int import_count_document(struct import_reading *r, size_t len, struct err *err)
{
	r->documents_bytes += len;
	if (++r->documents > DOCUMENTS_MAX || r->documents_bytes > DOCUMENTS_BYTES_MAX)
		return err_say(
			err, EFBIG,
			"more than %d documents, or than %llu MB of them: no image has so many",
			DOCUMENTS_MAX, DOCUMENTS_BYTES_MAX >> 20);
	return 0;
}

struct import_image *import_image_add(struct import_reading *r, struct err *err)
{
	struct import_layout *found = &r->found;

	if (found->count == IMAGES_MAX) {
		err_say(err, EFBIG, "more than %d images in it", IMAGES_MAX);
		return NULL;
	}
	if (found->count == found->size) {
		size_t size = found->size ? found->size * 2 : 8;
		void *grown = reallocarray(found->images, size, sizeof(*found->images));

		if (!grown) {
			err_set(err, ENOMEM, "read image");
			return NULL;
		}
		found->images = grown;
		found->size = size;
	}
	found->images[found->count] = (struct import_image){ 0 };
	return &found->images[found->count++];
}

static int check_layer(const struct import_image *image, size_t i, struct err *err)
{
	const char *media_type = image->manifest.layers[i].media_type;

	if (oci_media_is_foreign(media_type))
		return err_say(
			err, ENOTSUP,
			"layers[%zu].mediaType: %.100s: a foreign layer lies on its maker's server alone, as those of Windows do",
			i, media_type);
	if (!oci_media_compression(media_type))
		return err_say(
			err, EINVAL,
			"layers[%zu].mediaType: %.100s: a layer is a tar, plain or with gzip or zstd",
			i, media_type);
	return 0;
}

int import_image_complete(struct import_reading *r, struct import_image *image, struct err *err)
{
	size_t count = image->manifest.layers_count;
	const char **chain = arena_calloc(r->arena, count + 1, sizeof(*chain));

	if (count == 0 || count > LAYERS_MAX)
		return err_say(err, EINVAL, "it has %zu layers; 1 to %d can be", count, LAYERS_MAX);
	if (count != image->config.diff_ids_count)
		return err_say(err, EINVAL,
			       "its manifest has %zu layers, but its configuration %zu diff_ids",
			       count, image->config.diff_ids_count);
	for (size_t i = 0; chain && i < count; i++) {
		char id[DIGEST_HEX_SIZE];

		err_try(check_layer(image, i, err));
		layer_chain_id(i ? chain[i - 1] : NULL, image->config.diff_ids[i], id);
		chain[i] = arena_strdup(r->arena, id);
		if (!chain[i])
			chain = NULL;
	}
	image->chain_ids = chain;
	return chain ? 0 : err_set(err, ENOMEM, "read image");
}

static int check_images(struct import_reading *r, struct err *err)
{
	const struct import_layout *found = &r->found;
	const struct platform *p = &r->platform;
	char wanted[PLATFORM_TEXT_SIZE];

	if (found->count == 0 && r->foreign.len > 0)
		return err_say(err, ENOENT, "it holds no image for %s, only for %s",
			       platform_format(p->os, p->architecture, p->variant, wanted),
			       strbuf_ok(&r->foreign) ? r->foreign.data : "others");
	if (found->count == 0)
		return err_say(err, ENOENT, "it holds no image");
	if (!r->name)
		return 0;
	for (size_t i = 1; i < found->count; i++)
		if (strcmp(found->images[i].descriptor.digest,
			   found->images[0].descriptor.digest) != 0)
			return err_say(
				err, EINVAL,
				"it holds %zu images: they can't all be named %.200s, so leave the name out",
				found->count, r->name);
	r->found.count = 1;
	return name_complete(r->name, r->found.images[0].name, err);
}

static int has(struct import_reading *r, const char *name, struct err *err)
{
	struct import_file file;
	struct err own = { 0 };

	if (import_source_find(r->source, name, &file, &own) == 0)
		return 1;
	return own.code == ENOENT ? 0 : err_say(err, own.code, "%s", own.text);
}

int import_read(struct import_reading *r, struct err *err)
{
	int is_layout = has(r, "oci-layout", err), is_docker, is_old;

	if (is_layout < 0)
		return is_layout;
	is_docker = is_layout ? 0 : has(r, "manifest.json", err);
	is_old = is_layout || is_docker ? 0 : has(r, "repositories", err);
	if (is_docker < 0 || is_old < 0)
		return is_docker < 0 ? is_docker : is_old;
	if (is_old)
		return err_say(
			err, ENOTSUP,
			"it was saved by a Docker before 1.10, which wrote no manifest.json");
	if (!is_layout && !is_docker)
		return err_say(
			err, ENOENT,
			"no image: there is no file oci-layout in it (OCI), and no manifest.json (docker save)");
	err_try(is_layout ? import_layout_read(r, err) : import_docker_read(r, err));
	return check_images(r, err);
}
