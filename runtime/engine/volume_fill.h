/* SPDX-License-Identifier: Apache-2.0 */
/* The first content of a volume: what an image has where the volume is to be mounted. */
#pragma once

#include "base/err.h"
#include "storage/store.h"
#include "storage/volume.h"

struct volume_fill {
	struct store *store;
	const struct store_image *image; /* held against collection */
	const char *mountpoint;		 /* any folder: the image is mounted there, unseen */
	const char *target;		 /* path in the image */
};

/* Fills the volume, which is empty. Where the image has nothing there, nothing happens. */
int volume_fill(struct volume *volume, const struct volume_fill *fill, struct arena *arena,
		struct err *err);
