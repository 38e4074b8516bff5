/* SPDX-License-Identifier: Apache-2.0 */
/* The helper that knows archives, and what containers need of images. */
#pragma once

#include "cmd/ctr/verbs.h"

/* Room for the helper's own words in front of those of the verb. */
#define IMAGE_HELPER_WORDS 24

/* Becomes `cellar-image --root ROOT WORDS...`; words is NULL-terminated. Returns only on failure.
 */
int image_helper_exec(const struct ctr *ctr, const char *const *words, struct err *err);

/* The same as a child, which shares stdin, stdout and stderr. */
int image_helper_run(const struct ctr *ctr, const char *const *words, struct err *err);

/* Whether a container needs the layer: one that cannot be asked about is needed. data: the engine.
 */
bool image_layer_in_use(void *data, const char *chain_id);

/* A container that was made from the image with this id, "" where there is none. */
#define IMAGE_USER_SIZE 65
int image_find_user(struct engine *engine, const char *image_id, char ret[static IMAGE_USER_SIZE],
		    struct err *err);
