/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a container: Docker's, then those that were asked for; the outer ones first. */
#pragma once

#include "base/arena.h"
#include "runtime/engine/config_build.h"

/* linux.rootfsPropagation that they need, or NULL: a shared bind stays its source's peer only where
 * the container's mounts are not cut off from the host's first. */
const char *config_mounts_propagation(const struct config_input *input);

int config_mounts_build(const struct config_input *input, struct arena *arena,
			const struct oci_mount **ret, size_t *ret_count, struct err *err);
