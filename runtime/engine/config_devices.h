/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of the host in a container's config.json: their nodes, and rules to use them. */
#pragma once

#include "base/err.h"
#include "runtime/engine/config_build.h"

int config_devices_build(const struct config_input *input, struct oci_config *config,
			 struct err *err);
