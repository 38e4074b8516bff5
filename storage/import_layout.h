/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an archive holds for a platform: its images, as documents, before any blob is copied. An
 * OCI layout (import_layout.c) is told by its file oci-layout, what `docker save` writes
 * (import_docker.c) by manifest.json; where both are there, as Docker 25 writes them, the layout
 * counts, which knows platforms and digests.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "spec/oci_image.h"
#include "storage/import_source.h"
#include "storage/name.h"
#include "storage/platform.h"

struct import_image {
	char name[NAME_SIZE];
	unsigned rank;			  /* how well it suits the platform */
	struct oci_descriptor descriptor; /* of the manifest */
	struct oci_manifest manifest;
	struct oci_image config;
	const char *manifest_text, *config_text; /* as they are, for the store */
	size_t manifest_len, config_len;
	const char *const *chain_ids;	/* the lowest first, NULL-terminated */
	const char *const *layer_files; /* where each layer lies; NULL: by its digest */
};

struct import_layout {
	struct import_image *images;
	size_t count, size;
};

/* What every reader of an archive is given and fills. */
struct import_reading {
	struct import_source *source;
	struct arena *arena;	    /* of all that is read */
	const char *path;	    /* gives a name where there is none; NULL: nothing does */
	const char *name;	    /* the one asked for, or NULL */
	struct platform platform;   /* whose images are wanted */
	struct import_layout found; /* freed by the caller: images */
	struct strbuf foreign;	    /* what was passed over, for the error */
	size_t documents;	    /* that were read */
	uint64_t documents_bytes;
};

/* Fails where there is no image for the platform. */
int import_read(struct import_reading *r, struct err *err);

int import_layout_read(struct import_reading *r, struct err *err);
int import_docker_read(struct import_reading *r, struct err *err);

/* For these two: a document was read. Indexes of indexes may ask for the same one for ever. */
int import_count_document(struct import_reading *r, size_t len, struct err *err);

/* Image's config_text into config, its layers against it, its chain ids. */
int import_image_complete(struct import_reading *r, struct import_image *image, struct err *err);
void import_note_foreign(struct import_reading *r, const char *os, const char *architecture,
			 const char *variant);

/* A place for one more. NULL: too many, or out of memory. */
struct import_image *import_image_add(struct import_reading *r, struct err *err);
