/* SPDX-License-Identifier: Apache-2.0 */
/* A container once more, for the files of this folder only. */
#pragma once

#include "runtime/engine/engine.h"

/* engine_renew() of one whose processes come from the images in that folder, when it is started;
 * with nobody at its stdio. criu: the program, or NULL. */
int renew_from(struct engine *engine, const struct engine_container *container, const char *images,
	       const char *criu, struct engine_container **ret, struct err *err);
