/* SPDX-License-Identifier: Apache-2.0 */
/* `ctr run`: what a container is allowed to do. */
#pragma once

#include "base/arena.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

struct run_security {
	bool privileged, read_only;
	struct options_list cap_add, cap_drop, devices, device_rules, sysctls, options;
};

extern const struct option_entry run_security_table[];

/* What is made lives in the arena, the rest in args. */
int run_security_fill(const struct run_security *args, struct arena *arena,
		      struct engine_run_options *ret, struct err *err);
