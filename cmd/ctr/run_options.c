/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_options.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "runtime/engine/meta.h"
#include "runtime/engine/quantity.h"
#include "runtime/engine/volume.h"

/* clang-format off */
const struct option_entry run_option_table[] = {
	OPTION_BOOL(struct run_args, detach, 'd', "detach", "return when it is started, and print its id"),
	OPTION_BOOL(struct run_args, rm, 0, "rm", "remove the container when it ends"),
	OPTION_STRING(struct run_args, name, 0, "name", "NAME", "name of the container (default: one is made up)"),
	OPTION_BOOL(struct run_args, interactive, 'i', "interactive", "pass stdin on"),
	OPTION_BOOL(struct run_args, tty, 't', "tty", "give it a terminal"),
	OPTION_LIST(struct run_args, env, 'e', "env", "NAME[=VALUE]", "set a variable, or take ours"),
	OPTION_LIST(struct run_args, volumes, 'v', "volume", "SOURCE:TARGET[:ro]", "mount a path of the host, or a named volume"),
	OPTION_LIST(struct run_args, tmpfs, 0, "tmpfs", "TARGET[:OPTIONS]", "mount an empty tmpfs (size=64m,mode=1777)"),
	OPTION_STRING(struct run_args, workdir, 'w', "workdir", "DIR", "working folder"),
	OPTION_STRING(struct run_args, user, 'u', "user", "USER[:GROUP]", "run as this user, by name or number"),
	OPTION_STRING(struct run_args, entrypoint, 0, "entrypoint", "COMMAND", "instead of the image's; \"\": none"),
	OPTION_STRING(struct run_args, memory, 'm', "memory", "SIZE", "limit of memory: 64m, 1.5g; with swap twice that"),
	OPTION_STRING(struct run_args, cpus, 0, "cpus", "NUMBER", "limit of processors: 0.5, 2"),
	OPTION_INT(struct run_args, pids_limit, 0, "pids-limit", -1, INT_MAX, "NUMBER", "limit of processes and threads (default 2048); -1: none"),
	OPTION_STRING(struct run_args, network, 0, "network", "NETWORK", "bridge (default), none, or host"),
	OPTION_STRING(struct run_args, network, 0, "net", "NETWORK", NULL),
	OPTION_STRING(struct run_args, hostname, 0, "hostname", "NAME", "host name (default: the beginning of the id)"),
	OPTION_LIST(struct run_args, cap_add, 0, "cap-add", "CAPABILITY", "add a capability, or ALL"),
	OPTION_LIST(struct run_args, cap_drop, 0, "cap-drop", "CAPABILITY", "drop a capability, or ALL"),
	OPTION_BOOL(struct run_args, privileged, 0, "privileged", "no confinement: all capabilities and devices, no seccomp"),
	OPTION_BOOL(struct run_args, read_only, 0, "read-only", "mount the root filesystem read-only"),
	OPTION_END,
};
/* clang-format on */

static int fill_limits(const struct run_args *args, struct engine_run_options *ret, struct err *err)
{
	/* Docker's 0 is no limit, everywhere. */
	if (args->memory && strcmp(args->memory, "0") != 0 &&
	    quantity_parse_bytes(args->memory, &ret->memory_bytes, err) < 0)
		return err_add(err, "--memory");
	if (args->cpus && strcmp(args->cpus, "0") != 0 &&
	    quantity_parse_cpus(args->cpus, &ret->cpu_millicpu, err) < 0)
		return err_add(err, "--cpus");
	if (args->pids_limit != RUN_PIDS_LIMIT_UNSET)
		ret->pids_limit = args->pids_limit > 0 ? args->pids_limit : -1;
	return 0;
}

/* Of both lists together. */
static const char *target_at(const struct engine_run_options *o, size_t i)
{
	return i < o->volumes_count ? o->volumes[i].target : o->tmpfs[i - o->volumes_count].target;
}

static int check_targets(const struct engine_run_options *o, struct err *err)
{
	for (size_t i = 1; i < o->volumes_count + o->tmpfs_count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(target_at(o, i), target_at(o, j)) == 0)
				return err_say(err, EINVAL,
					       "--volume, --tmpfs: two are to be mounted at %s",
					       target_at(o, i));
	return 0;
}

static int fill_mounts(const struct run_args *args, struct arena *arena,
		       struct engine_run_options *ret, struct err *err)
{
	struct engine_volume *volumes =
		arena_calloc(arena, args->volumes.count + 1, sizeof(*volumes));
	struct engine_tmpfs *tmpfs = arena_calloc(arena, args->tmpfs.count + 1, sizeof(*tmpfs));

	if (!volumes || !tmpfs)
		return err_set(err, ENOMEM, "read the command line");
	for (size_t i = 0; i < args->volumes.count; i++)
		if (volume_parse(args->volumes.items[i], arena, &volumes[i], err) < 0)
			return err_add(err, "--volume");
	for (size_t i = 0; i < args->tmpfs.count; i++)
		if (volume_parse_tmpfs(args->tmpfs.items[i], arena, &tmpfs[i], err) < 0)
			return err_add(err, "--tmpfs");
	ret->volumes = volumes;
	ret->volumes_count = args->volumes.count;
	ret->tmpfs = tmpfs;
	ret->tmpfs_count = args->tmpfs.count;
	return check_targets(ret, err);
}

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
	ret->hostname = args->hostname;
	ret->terminal = args->tty;
	ret->interactive = args->interactive;
	ret->detach = args->detach;
	ret->auto_remove = args->rm;
	ret->privileged = args->privileged;
	ret->readonly_rootfs = args->read_only;
	ret->cap_add = args->cap_add.items;
	ret->cap_drop = args->cap_drop.items;
	r = fill_limits(args, ret, err);
	if (r == 0)
		r = fill_mounts(args, arena, ret, err);
	if (r == 0)
		r = fill_entrypoint(args, arena, ret, err);
	if (r == 0 && args->network && meta_network_parse(args->network, &ret->network, err) < 0)
		r = err_add(err, "--network");
	return r;
}

void run_args_deinit(struct run_args *args)
{
	options_list_deinit(&args->env);
	options_list_deinit(&args->volumes);
	options_list_deinit(&args->tmpfs);
	options_list_deinit(&args->cap_add);
	options_list_deinit(&args->cap_drop);
}
