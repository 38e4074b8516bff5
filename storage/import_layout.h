/* SPDX-License-Identifier: Apache-2.0 */
/* What a layout holds for this machine: its images, as documents, before any blob is copied. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_image.h"
#include "storage/import_source.h"
#include "storage/name.h"

struct import_image {
	char name[NAME_SIZE];
	struct oci_descriptor descriptor; /* of the manifest */
	struct oci_manifest manifest;
	struct oci_image config;
	const char *manifest_text, *config_text; /* as they are, for the store */
	size_t manifest_len, config_len;
	const char *const *chain_ids; /* the lowest first, NULL-terminated */
};

struct import_layout {
	struct arena *arena; /* not owned: everything lives in it */
	struct import_image *images;
	size_t count;
};

/* name: the one asked for, or NULL. Fails where there is no image for this machine. */
int import_layout_read(struct import_source *source, const char *path, const char *name,
		       struct arena *arena, struct import_layout *ret, struct err *err);
