/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define INSIDE "/run/notify"
#define VARIABLE "NOTIFY_SOCKET=" INSIDE "/notify.sock"

static int add_mount(const char *state, struct oci_config *config, struct err *err)
{
	static const char *const options[] = { "bind", "nosuid", "noexec", "nodev", "ro", NULL };
	struct oci_mount *mounts =
		arena_calloc(config->arena, config->mounts_count + 1, sizeof(*mounts));
	const char *source = arena_printf(config->arena, "%s/" NOTIFY_FOLDER, state);

	if (!mounts || !source)
		return err_set(err, ENOMEM, "mount the notify socket");
	if (config->mounts_count > 0)
		memcpy(mounts, config->mounts, config->mounts_count * sizeof(*mounts));
	mounts[config->mounts_count++] = (struct oci_mount){
		.destination = INSIDE,
		.source = source,
		.options = options,
		.options_count = ARRAY_SIZE(options) - 1,
	};
	config->mounts = mounts;
	return 0;
}

static int add_variable(struct oci_process *process, struct arena *arena, struct err *err)
{
	const char **env = arena_calloc(arena, process->env_count + 2, sizeof(*env));

	if (!env)
		return err_set(err, ENOMEM, "set NOTIFY_SOCKET");
	if (process->env_count > 0)
		memcpy(env, process->env, process->env_count * sizeof(*env));
	env[process->env_count++] = VARIABLE;
	process->env = env;
	return 0;
}

int notify_prepare(int dirfd, const char *state, struct oci_config *config, struct err *err)
{
	/* Whoever the program runs as: the state folder around it keeps others out. */
	if (mkdirat(dirfd, NOTIFY_FOLDER, 0755) < 0)
		return err_set(err, errno, "create %s/" NOTIFY_FOLDER, state);
	err_try(add_mount(state, config, err));
	return add_variable(&config->process, config->arena, err);
}
