/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a container: Docker's, then those that were asked for; the outer ones first. */
#pragma once

#include "base/arena.h"
#include "runtime/engine/config_build.h"

int config_mounts_build(const struct config_input *input, struct arena *arena,
			const struct oci_mount **ret, size_t *ret_count, struct err *err);
