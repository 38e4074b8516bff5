/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's supervisor does without being watched: log, restart, health. */
#pragma once

#include <stdbool.h>

#include "runtime/shim/policy.h"

/* How its health is looked after. Zero: as the image says. */
struct engine_health {
	/*
	 * Docker's words, NULL-terminated: {"NONE"}, {"CMD", PROGRAM, ARG...}, {"CMD-SHELL", TEXT};
	 * and ours: {"TCP", PORT}, {"HTTP", PORT/PATH}. NULL: not given.
	 */
	const char *const *test;
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns; /* 0: not given */
	uint32_t retries;						     /* the same */
	enum shim_health_action action;
};

/* Zero is Docker's default. */
struct engine_supervision {
	struct shim_policy policy; /* but for its health */
	struct engine_health health;
};
