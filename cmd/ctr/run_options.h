/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of `ctr run`, from words to what the engine takes. A group of options is a struct, a
 * table and a function that fills in the engine's options, in a file of its own: run_NAME.c.
 */
#pragma once

#include "base/arena.h"
#include "cmd/ctr/run_health.h"
#include "cmd/ctr/run_limits.h"
#include "cmd/ctr/run_mounts.h"
#include "cmd/ctr/run_namespaces.h"
#include "cmd/ctr/run_network.h"
#include "cmd/ctr/run_security.h"
#include "cmd/ctr/run_supervision.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

struct run_args {
	bool detach, rm, interactive, tty, init;
	const char *name, *workdir, *user, *entrypoint, *domainname, *platform, *pull, *cidfile;
	const char *stop_signal;
	int64_t stop_timeout_s;
	struct options_list env, env_files, labels, label_files, annotations;
	struct run_mounts mounts;
	struct run_namespaces namespaces;
	struct run_limits limits;
	struct run_network network;
	struct run_security security;
	struct run_supervision supervision;
	struct run_health health;
};

#define RUN_ARGS_DEFAULT \
	((struct run_args){ .limits = RUN_LIMITS_DEFAULT, .stop_timeout_s = RUN_UNSET })

extern const struct option_entry run_option_table[];

/* What is typed behind `ctr run` or `ctr create`: the command's options are run_option_table, or
 * its rest. >0: --help. cidfile is the caller's. What is made lives in the arena, the rest in args.
 */
int run_args_parse(const struct options_command *command, int argc, char **argv,
		   struct run_args *args, struct arena *arena, struct engine_run_options *ret,
		   struct err *err);
void run_args_deinit(struct run_args *args);
