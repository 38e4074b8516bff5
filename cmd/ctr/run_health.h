/* SPDX-License-Identifier: Apache-2.0 */
/* `ctr run`: how the container's health is looked after. */
#pragma once

#include "base/arena.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

struct run_health {
	const char *command, *http, *tcp;
	const char *interval, *timeout, *start_period, *start_interval, *on_failure;
	int64_t retries; /* 0: not given */
	bool none;
};

extern const struct option_entry run_health_table[];

int run_health_fill(const struct run_health *args, struct arena *arena,
		    struct engine_run_options *ret, struct err *err);
