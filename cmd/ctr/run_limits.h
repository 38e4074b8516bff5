/* SPDX-License-Identifier: Apache-2.0 */
/* `ctr run`: what a container may use of the machine. */
#pragma once

#include "base/arena.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

struct run_limits {
	const char *memory, *cpus;
	int64_t pids_limit;
};

#define RUN_PIDS_LIMIT_UNSET (-2)
#define RUN_LIMITS_DEFAULT ((struct run_limits){ .pids_limit = RUN_PIDS_LIMIT_UNSET })

extern const struct option_entry run_limits_table[];

int run_limits_fill(const struct run_limits *args, struct engine_run_options *ret, struct err *err);
