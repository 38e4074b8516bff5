/* SPDX-License-Identifier: Apache-2.0 */
/* `ctr run`: what the container's supervisor does while nobody watches. */
#pragma once

#include "base/arena.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

struct run_supervision {
	const char *restart, *log_driver, *log_max_size, *detach_keys;
	int64_t log_max_files; /* 0: not given */
	struct options_list log_opts;
};

extern const struct option_entry run_supervision_table[];

int run_supervision_fill(const struct run_supervision *args, struct arena *arena,
			 struct engine_run_options *ret, struct err *err);
