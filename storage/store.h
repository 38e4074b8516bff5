/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of images and layers, and the mounts that containers are given of them.
 *
 * On disk, below ROOT (default /var/lib/cellar):
 *
 *	version              "1"; a newer one is refused
 *	lock                 flock: shared by users of images, exclusive for collection
 *	content/sha256/HEX   blobs, verified while written, renamed into place when whole
 *	content/tmp/         files in the making
 *	layers/HEX/          unpacked layers by chain id: fs/ (the tree) and diff (its diff id)
 *	layers/tmp/          layers in the making or in removal
 *	l/HEX                short symlinks to the trees, for the option string of overlay
 *	l/bottom/            the layer below all others (storage/bottom.h)
 *	images/NAME          one JSON file a name: manifest's descriptor, id, chain ids
 *	containers/ID/       the engine's (runtime/engine), with upper/ and work/ of the overlay
 *	volumes/NAME/        volumes (storage/volume.h)
 *
 * A kill at any moment leaves either the old state or the new, and rubbish only below tmp folders,
 * where the next writer sweeps away what no living process has locked. Blobs and layers that no
 * name needs, as a killed import leaves them, go with the next store_image_remove() or
 * store_prune().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_image.h"

struct store;

/*
 * Opens (making it where needed) the store at root, which may be relative. Its path must be free of
 * ',', ':', '\' and '"'.
 */
int store_open(const char *root, struct store **ret, struct err *err);
struct store *store_close(struct store *store);
int store_fd(const struct store *store);	   /* the root folder; not owned */
const char *store_root(const struct store *store); /* absolute path */

/*
 * While the returned descriptor is open nothing is collected: hold it from finding an image until
 * the disk says that a container uses its layers (so that in_use of store_image_remove finds it).
 * Waits for a collection under way. Not around store_image_remove() in the same process, which
 * would wait for it for ever.
 */
int store_hold(struct store *store, struct err *err);

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
 * By full name, by a short name ("bb" and "bb:latest" stand for "localhost/bb:latest" or
 * "docker.io/library/bb:latest"; where both are there and differ, -EINVAL names both), by id or a
 * unique prefix of at least 6 digits of it. -ENOENT says what exists.
 */
int store_image_find(struct store *store, const char *name, struct store_image **ret,
		     struct err *err);

/* --pull: where an image may come from. There is no registry client yet, so nothing is fetched. */
enum store_pull {
	STORE_PULL_MISSING, /* the default: what is not there would be fetched */
	STORE_PULL_NEVER,
	STORE_PULL_ALWAYS, /* refused in words */
};

/* "missing", "never", "always". */
int store_pull_parse(const char *text, enum store_pull *ret, struct err *err);

/* What a container wants of its image; zeroed: any platform's, as it is in the store. */
struct store_want {
	const char *platform; /* --platform, storage/platform.h reads it; NULL: not asked */
	enum store_pull pull;
};

/*
 * As store_image_find(), for --platform and --pull. An image of the name that is for another
 * platform is -ENOENT, which says what it is for; pull always -ENOTSUP.
 */
int store_image_get(struct store *store, const char *name, const struct store_want *want,
		    struct store_image **ret, struct err *err);
struct store_image *store_image_free(struct store_image *image);
int store_image_each(struct store *store, int (*fn)(void *data, const struct store_image *image),
		     void *data, struct err *err);

/*
 * Removes the name (found as store_image_find does); blobs and layers that no other name and no
 * container needs go too. in_use(layer) says whether a container needs a layer's chain id. By an id
 * that has several names: -EBUSY, which says them. Waits for imports under way.
 */
int store_image_remove(struct store *store, const char *name,
		       bool (*in_use)(void *data, const char *chain_id), void *data,
		       struct err *err);

/* Gives an image one more name (name_complete() is applied), taking it from another that has it. */
int store_image_tag(struct store *store, const char *image, const char *name, struct err *err);

struct store_pruned {
	size_t blobs, layers; /* how many were removed */
	uint64_t blob_bytes;
};

/*
 * Removes blobs and layers that no name and no container needs, as a killed import or a name that
 * was taken over leaves them. in_use as of store_image_remove(). Waits for imports under way.
 */
int store_prune(struct store *store, bool (*in_use)(void *data, const char *chain_id), void *data,
		struct store_pruned *ret, struct err *err);

/*
 * The overlay of a container: container_dir/upper over the image's layers, with container_dir/work.
 * container_dir (absolute) must exist; upper and work are made where they are missing, upper with
 * owner and mode of the image's root folder, which it becomes. ret_options, in the arena:
 * "lowerdir=ROOT/l/0123abcd:ROOT/l/...,upperdir=...,workdir=..." (topmost layer first, the store's
 * own bottom layer last, except below an opaque root), with "volatile" when is_volatile (for --rm:
 * nothing of upper is wanted after a crash).
 *
 * To be mounted by mount(2), not by fsconfig(2): that takes at most 255 bytes a value, about nine
 * layers, and appending layers ("lowerdir+") is younger than Debian 12's kernel. mount(2) takes one
 * page of options, 4095 bytes: some 140 layers below /var/lib/cellar. Where options are longer, the
 * mounter stands in ROOT/l for the moment of the mount and names the layers from there.
 */
int store_overlay_options(struct store *store, const struct store_image *image,
			  const char *container_dir, bool is_volatile, struct arena *arena,
			  const char **ret_options, struct err *err);

/*
 * The image alone, to be looked at: options of a read-only overlay, with short relative paths:
 * mount it standing in ROOT. Returns 0; or 1 where the image is a single folder, which overlay does
 * not take, and ret_options is its path.
 */
int store_overlay_lowers(struct store *store, const struct store_image *image, struct arena *arena,
			 const char **ret_options, struct err *err);

CLEANUP_DEFINE(struct store, store, store_close);
#define _cleanup_store_ _cleanup_(cleanup_store)
CLEANUP_DEFINE(struct store_image, store_image, store_image_free);
#define _cleanup_store_image_ _cleanup_(cleanup_store_image)
