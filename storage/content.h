/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs by digest, below content/. A blob that is there is whole: it was digested while it was
 * written, synced and then renamed into place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/oci_image.h"
#include "storage/store.h"

struct content_writer;

/* Is it there, with that size? 1, 0, or <0 when its size is another. size_bytes -1: any. */
int content_find(struct store *store, const char *digest, int64_t size_bytes, struct err *err);

int content_open(struct store *store, const char *digest, struct err *err); /* fd, for reading */

/* The text of a document (at most 4 MiB), NUL-terminated, its digest verified again. */
int content_read(struct store *store, const char *digest, char **ret, size_t *ret_len,
		 struct err *err);

/* digest and size_bytes are what commit demands; more than size_bytes fails while writing. */
int content_writer_open(struct store *store, const char *digest, int64_t size_bytes,
			struct content_writer **ret, struct err *err);
int content_write(struct content_writer *writer, const void *data, size_t len, struct err *err);
int content_writer_commit(struct content_writer *writer, struct err *err);
struct content_writer *content_writer_close(struct content_writer *writer); /* drops what is not
									       committed */

int content_put(struct store *store, const char *digest, const void *data, size_t len,
		struct err *err);

/* Fails with both values where the data is not what the descriptor says. */
int content_verify(const struct oci_descriptor *descriptor, const void *data, size_t len,
		   struct err *err);

/* Removes one; 0 also where it is gone. */
int content_remove(struct store *store, const char *digest, struct err *err);

/* Sweeps, once per open store, what killed writers left in the tmp folders. */
int content_sweep(struct store *store, struct err *err);

CLEANUP_DEFINE(struct content_writer, content_writer, content_writer_close);
#define _cleanup_content_writer_ _cleanup_(cleanup_content_writer)

#define CONTENT_DOCUMENT_MAX (4 << 20)
