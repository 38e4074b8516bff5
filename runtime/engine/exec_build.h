/* SPDX-License-Identifier: Apache-2.0 */
/* The process of `ctr exec`: the container's own one with what was asked for put over it. Pure. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/user.h"
#include "spec/oci_config.h"

/* user: NULL where none was asked for. The result points into config, options and arena. */
int exec_build(const struct oci_config *config, const struct engine_exec_options *options,
	       const struct user_identity *user, struct arena *arena, struct oci_process *ret,
	       struct err *err);
