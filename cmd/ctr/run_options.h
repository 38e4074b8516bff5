/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `ctr run`, from words to what the engine takes. */
#pragma once

#include "base/arena.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

struct run_args {
	bool detach, rm, interactive, tty, privileged, read_only;
	const char *name, *workdir, *user, *entrypoint, *memory, *cpus, *network, *hostname;
	int64_t pids_limit;
	struct options_list env, volumes, cap_add, cap_drop, tmpfs;
};

#define RUN_PIDS_LIMIT_UNSET (-2)
#define RUN_ARGS_DEFAULT ((struct run_args){ .pids_limit = RUN_PIDS_LIMIT_UNSET })

extern const struct option_entry run_option_table[];

/* Fills all but image and args. What is made lives in the arena, the rest in args. */
int run_args_fill(const struct run_args *args, struct arena *arena, struct engine_run_options *ret,
		  struct err *err);
void run_args_deinit(struct run_args *args);
