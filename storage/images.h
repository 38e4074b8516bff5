/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the store's images: one JSON file a name, which says what the name stands for. */
#pragma once

#include "base/err.h"
#include "storage/store.h"

/* Writes or replaces image->name. Uses name, id, manifest, layers, size_bytes, imported_ns. */
int image_save(struct store *store, const struct store_image *image, struct err *err);

/* By its full name, without configuration. -ENOENT. */
int image_load(struct store *store, const char *name, struct store_image **ret, struct err *err);

/* As store_image_find(), without configuration: a damaged image can still be removed. */
int image_find_entry(struct store *store, const char *name, struct store_image **ret,
		     struct err *err);

/* Reads the configuration into it. */
int image_load_config(struct store *store, struct store_image *image, struct err *err);

int image_forget(struct store *store, const char *name, struct err *err);

/*
 * All of them, in order of name, without configuration; freed with image_list_free. A file that
 * can't be read is an error when strict, else logged and left out.
 */
struct image_list {
	struct store_image **images;
	size_t count;
};

int image_list_load(struct store *store, bool strict, struct image_list *ret, struct err *err);
void image_list_free(struct image_list *list);

#define _cleanup_image_list_ __attribute__((cleanup(image_list_free)))
