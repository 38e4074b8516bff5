/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's supervisor does without being watched: log, restart, health. */
#pragma once

#include <stdbool.h>

#include "runtime/shim/policy.h"

/* Zero is Docker's default. */
struct engine_supervision {
	struct shim_policy policy;
};
