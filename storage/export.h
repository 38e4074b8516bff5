/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images out of the store, as one tar that is two things: an OCI layout, and what `docker load`
 * takes (manifest.json beside it names the same blobs). On libarchive, in the helper alone.
 */
#pragma once

#include "storage/store.h"

/* names: as store_image_find() takes them, NULL-terminated. Digests are verified on the way. */
int export_images(struct store *store, const char *const *names, int fd, struct err *err);
