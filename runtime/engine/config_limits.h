/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources, rlimits and the OOM score of a container's config.json. */
#pragma once

#include "base/err.h"
#include "runtime/engine/engine_limits.h"
#include "spec/oci_config.h"

int config_limits_build(const struct engine_limits *limits, struct oci_config *config,
			struct err *err);
