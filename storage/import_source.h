/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCI layout to read from: a folder, or a tar of one (gzip and zstd too). A tar is read from its
 * start at each call, so ask for many blobs at once; a plain one is skipped through by seeking.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "spec/oci_image.h"

struct import_source;

int import_source_open(const char *path, struct import_source **ret, struct err *err);
struct import_source *import_source_close(struct import_source *source);

/* A small file of the layout, "index.json"; NUL-terminated. -ENOENT. */
int import_source_read(struct import_source *source, const char *name, char **ret, size_t *ret_len,
		       struct err *err);

/* A document by its descriptor, verified. */
int import_source_read_blob(struct import_source *source, const struct oci_descriptor *descriptor,
			    char **ret, size_t *ret_len, struct err *err);

/*
 * Calls write(data, i, bytes, len) with the content of each wanted blob, in whatever order they
 * come, and done(data, i) after each; an error of theirs ends it. Fails where one is missing or
 * truncated; sizes and digests are for write and done to judge.
 */
struct import_want {
	const struct oci_descriptor *descriptor;
	bool got; /* out */
};

struct import_sink {
	int (*write)(void *data, size_t i, const void *bytes, size_t len, struct err *err);
	int (*done)(void *data, size_t i, struct err *err);
	void *data;
};

int import_source_fetch(struct import_source *source, struct import_want *wants, size_t count,
			const struct import_sink *sink, struct err *err);

CLEANUP_DEFINE(struct import_source, import_source, import_source_close);
#define _cleanup_import_source_ _cleanup_(cleanup_import_source)
