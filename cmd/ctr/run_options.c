/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_options.h"

#include <errno.h>

/* clang-format off */
const struct option_entry run_option_table[] = {
	OPTION_BOOL(struct run_args, detach, 'd', "detach", "return when it is started, and print its id"),
	OPTION_BOOL(struct run_args, rm, 0, "rm", "remove the container when it ends"),
	OPTION_STRING(struct run_args, name, 0, "name", "NAME", "name of the container (default: one is made up)"),
	OPTION_BOOL(struct run_args, interactive, 'i', "interactive", "pass stdin on"),
	OPTION_BOOL(struct run_args, tty, 't', "tty", "give it a terminal"),
	OPTION_LIST(struct run_args, env, 'e', "env", "NAME[=VALUE]", "set a variable, or take ours"),
	OPTION_STRING(struct run_args, workdir, 'w', "workdir", "DIR", "working folder"),
	OPTION_STRING(struct run_args, user, 'u', "user", "USER[:GROUP]", "run as this user, by name or number"),
	OPTION_STRING(struct run_args, entrypoint, 0, "entrypoint", "COMMAND", "instead of the image's; \"\": none"),
	OPTION_GROUP(struct run_args, mounts, "Mounts", run_mounts_table),
	OPTION_GROUP(struct run_args, limits, "Limits", run_limits_table),
	OPTION_GROUP(struct run_args, network, "Network", run_network_table),
	OPTION_GROUP(struct run_args, security, "Security", run_security_table),
	OPTION_GROUP(struct run_args, supervision, "Supervision", run_supervision_table),
	OPTION_END,
};
/* clang-format on */

static int fill_entrypoint(const struct run_args *args, struct arena *arena,
			   struct engine_run_options *ret, struct err *err)
{
	const char **entrypoint;

	if (!args->entrypoint)
		return 0;
	entrypoint = arena_calloc(arena, 2, sizeof(*entrypoint));
	if (!entrypoint)
		return err_set(err, ENOMEM, "read the command line");
	entrypoint[0] = args->entrypoint;
	ret->entrypoint = entrypoint;
	return 0;
}

int run_args_fill(const struct run_args *args, struct arena *arena, struct engine_run_options *ret,
		  struct err *err)
{
	int r;

	ret->name = args->name;
	ret->env = args->env.items;
	ret->workdir = args->workdir;
	ret->user = args->user;
	ret->terminal = args->tty;
	ret->interactive = args->interactive;
	ret->detach = args->detach;
	ret->auto_remove = args->rm;
	r = fill_entrypoint(args, arena, ret, err);
	if (r == 0)
		r = run_mounts_fill(&args->mounts, arena, ret, err);
	if (r == 0)
		r = run_limits_fill(&args->limits, arena, ret, err);
	if (r == 0)
		r = run_network_fill(&args->network, arena, ret, err);
	if (r == 0)
		r = run_security_fill(&args->security, arena, ret, err);
	if (r == 0)
		r = run_supervision_fill(&args->supervision, arena, ret, err);
	return r;
}

void run_args_deinit(struct run_args *args)
{
	options_deinit(run_option_table, args);
}
