/* SPDX-License-Identifier: Apache-2.0 */
/* `ctr run`: what is mounted into a container. */
#pragma once

#include "base/arena.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

struct run_mounts {
	struct options_list volumes, mounts, tmpfs, volumes_from;
};

extern const struct option_entry run_mounts_table[];

/* What is made lives in the arena, the rest in args. */
int run_mounts_fill(const struct run_mounts *args, struct arena *arena,
		    struct engine_run_options *ret, struct err *err);
