/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks: from what was asked for and what an image says to what a shim does. Pure. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine_supervision.h"
#include "spec/oci_config.h"
#include "spec/oci_image.h"

/*
 * What is to be done in the end: what was asked for, over what the image says, over Docker's
 * defaults. ret->test is NULL where there is no check. A check of the image that nobody understands
 * is left out with a warning; one that was asked for is -EINVAL.
 */
int health_choose(const struct engine_health *asked, const struct oci_healthcheck *image,
		  const char *const *shell, struct arena *arena, struct engine_health *ret,
		  struct err *err);

/* The same for the shim. config: of the container, whose own process the check is like. Texts are
 * in the arena. Of the result kind is NONE where there is no check. */
int health_build(const struct engine_health *health, const struct oci_config *config,
		 struct arena *arena, struct shim_health *ret, struct err *err);
