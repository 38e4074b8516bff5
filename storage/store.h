/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of images and layers, and the mounts that containers are given of them.
 *
 * On disk, below ROOT (default /var/lib/cellar):
 *	version			"1"; a newer one is refused
 *	lock			shared by users of images, exclusive for collection
 *	content/sha256/HEX	blobs, verified while written, renamed into place when whole
 *	content/tmp/		downloads in progress; swept by the next writer that finds no owner
 *	layers/HEX/		unpacked layers by chain id: fs/ (the tree) and `diff` (its diff
 *id); made as layers/tmp/..., renamed when whole images/NAME-ESCAPED	one JSON file a name: name,
 *manifest descriptor, layer chain ids
 *	containers/ID/		the engine's (runtime/engine), with upper/ and work/ of the overlay
 *	volumes/NAME/data	named volumes
 *
 * A kill at any moment leaves either the old state or the new, and rubbish only below tmp folders.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_image.h"

struct store;

/* Opens (making it where needed) the store at root. */
int store_open(const char *root, struct store **ret, struct err *err);
struct store *store_close(struct store *store);
int store_fd(const struct store *store);	   /* the root folder; not owned */
const char *store_root(const struct store *store); /* absolute path */

struct store_image {
	struct arena *arena; /* owns the rest */
	const char *name;    /* "localhost/bb:latest" */
	const char *id;	     /* digest of the configuration, "sha256:..." */
	struct oci_descriptor manifest;
	struct oci_image config;
	const char *const *layers; /* chain ids in hex, the lowest first; NULL-terminated */
	size_t layers_count;
	int64_t size_bytes; /* of blobs */
	int64_t imported_ns;
};

/*
 * By full name, by a short name ("bb" and "bb:latest" find "localhost/bb:latest" and
 * "docker.io/library/bb:latest", in this order), by id or a unique prefix of at least 6 digits of
 * it. -ENOENT says what exists.
 */
int store_image_find(struct store *store, const char *name, struct store_image **ret,
		     struct err *err);
struct store_image *store_image_free(struct store_image *image);
int store_image_each(struct store *store, int (*fn)(void *data, const struct store_image *image),
		     void *data, struct err *err);

/* Removes the name; blobs and layers that no other name and no container needs go too.
 * in_use(layer) says whether a container needs a layer's chain id. */
int store_image_remove(struct store *store, const char *name,
		       bool (*in_use)(void *data, const char *chain_id), void *data,
		       struct err *err);

/*
 * The overlay of a container: upper and work below container_dir, over the image's layers.
 * ret_options: the data string of mount type "overlay" ("lowerdir=..,upperdir=..,workdir=.."), in
 * the arena. is_volatile adds "volatile" (for --rm: nothing of upper is wanted after a crash).
 */
int store_overlay_options(struct store *store, const struct store_image *image,
			  const char *container_dir, bool is_volatile, struct arena *arena,
			  const char **ret_options, struct err *err);

CLEANUP_DEFINE(struct store, store, store_close);
#define _cleanup_store_ _cleanup_(cleanup_store)
CLEANUP_DEFINE(struct store_image, store_image, store_image_free);
#define _cleanup_store_image_ _cleanup_(cleanup_store_image)
