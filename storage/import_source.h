/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image is read from: a folder, or a tar (plain, gzip, zstd, xz, bzip2). A tar is listed
 * once when it is opened, and what looks like a document is kept on the way; blobs are read by one
 * more pass, so ask for many at once. A plain tar is skipped through by seeking.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "spec/oci_image.h"

struct import_source;

int import_source_open(const char *path, struct import_source **ret, struct err *err);
/* Takes over fd in any case, which has to be seekable. */
int import_source_open_fd(int fd, struct import_source **ret, struct err *err);
struct import_source *import_source_close(struct import_source *source);

/* A small file, "index.json"; NUL-terminated. -ENOENT. */
int import_source_read(struct import_source *source, const char *name, char **ret, size_t *ret_len,
		       struct err *err);

/* A document by its descriptor, verified. */
int import_source_read_blob(struct import_source *source, const struct oci_descriptor *descriptor,
			    char **ret, size_t *ret_len, struct err *err);

/* A file as it is found, links followed; -ENOENT. */
struct import_file {
	char path[192]; /* where it really lies: two links to one file give the same */
	int64_t size_bytes;
	const char *compression; /* by its first bytes: "", "gzip", "zstd", or another's name */
};

int import_source_find(struct import_source *source, const char *name, struct import_file *ret,
		       struct err *err);

/*
 * Calls write(data, i, bytes, len) with the content of each wanted blob, in whatever order they
 * come, and done(data, i) after each; an error of theirs ends it. Fails where one is missing or
 * truncated; sizes and digests are for write and done to judge.
 */
struct import_want {
	const struct oci_descriptor *descriptor;
	const char *file; /* import_file's path; NULL: the blob of the descriptor's digest */
	bool got;	  /* out */
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
