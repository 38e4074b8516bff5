/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from outside into the store, on libarchive: linked only into libexec's cellar-image, which
 * `ctr image import` executes, so that a start of ctr does not pay for loading it.
 */
#pragma once

#include "storage/store.h"

struct import_options {
	const char *path; /* an OCI layout: a folder, or a tar of one */
	const char *name; /* NULL: the layout's org.opencontainers.image.ref.name */
	/* Called while blobs are read; total_bytes 0 when unknown. May be NULL. */
	void (*progress)(void *data, uint64_t done_bytes, uint64_t total_bytes);
	void *progress_data;
};

/*
 * Takes every image of the layout for this machine's architecture. Digests and sizes are verified
 * while blobs are written; layers are unpacked once. named(data, name, id) is called for each.
 * On failure the store is as before, but for blobs and layers that are whole.
 */
int import_layout(struct store *store, const struct import_options *options,
		  void (*named)(void *data, const char *name, const char *id), void *data,
		  struct err *err);
