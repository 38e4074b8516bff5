/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from outside into the store, on libarchive: linked only into libexec's cellar-image, which
 * `ctr image import` executes, so that a start of ctr does not pay for loading it.
 */
#pragma once

#include "storage/store.h"

struct import_options {
	/* An OCI layout or what docker save writes, as a folder or a tar; "-": a tar from stdin. */
	const char *path;
	const char *name;     /* NULL: those in the archive */
	const char *platform; /* "linux/arm64"; NULL: this machine's */
	/* Limits of what one layer may unpack to, 0: the defaults of storage/unpack.h. */
	uint64_t entries_max, bytes_max, ratio_max;
	/* Called while blobs are read; total_bytes 0 when unknown. May be NULL. */
	void (*progress)(void *data, uint64_t done_bytes, uint64_t total_bytes);
	void *progress_data;
};

/*
 * Takes every image of the archive that is for the platform. Digests and sizes are verified
 * while blobs are written; layers are unpacked once. named(data, name, id) is called for each.
 * On failure the store is as before, but for blobs and layers that are whole.
 */
int import_layout(struct store *store, const struct import_options *options,
		  void (*named)(void *data, const char *name, const char *id), void *data,
		  struct err *err);
