/* SPDX-License-Identifier: Apache-2.0 */
/* `ctr run`: what a container may use of the machine. */
#pragma once

#include "base/arena.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

/* Of an option that was not given, where 0 is a value. */
#define RUN_UNSET INT64_MIN

struct run_limits {
	const char *memory, *memory_swap, *memory_reservation, *cpus, *shm_size;
	const char *cpuset_cpus, *cpuset_mems;
	int64_t memory_swappiness, cpu_shares, cpu_quota, cpu_period, blkio_weight;
	int64_t pids_limit, oom_score_adj;
	struct options_list block[ENGINE_BLOCK_KINDS], ulimits;
};

#define RUN_LIMITS_DEFAULT                                \
	((struct run_limits){ .pids_limit = RUN_UNSET,    \
			      .oom_score_adj = RUN_UNSET, \
			      .memory_swappiness = RUN_UNSET })

extern const struct option_entry run_limits_table[];

/* What is made lives in the arena. What this host cannot give is lowered, with a warning. */
int run_limits_fill(const struct run_limits *args, struct arena *arena,
		    struct engine_run_options *ret, struct err *err);
