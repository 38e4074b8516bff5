/* SPDX-License-Identifier: Apache-2.0 */
/* What confines a container, in its config.json. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "runtime/engine/config_build.h"

/* The bounding set that was asked for, of what the host has. */
int config_capabilities(const struct engine_security *security, uint64_t host, uint64_t *ret,
			struct err *err);

/* Capabilities, masks, seccomp, labels, sysctls. After the mounts are there. */
int config_security_build(const struct config_input *input, struct oci_config *config,
			  struct err *err);
