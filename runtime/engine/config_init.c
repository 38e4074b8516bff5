/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/config_init.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "isolation/pid1.h"
#include "runtime/engine/layout.h"

/* Not below /dev, which may be the host's. */
#define TARGET "/sbin/cellar-pid1"

int config_init_write(int dirfd, struct err *err)
{
	return file_replace(dirfd, LAYOUT_PID1, cellar_pid1_start,
			    (size_t)(cellar_pid1_end - cellar_pid1_start), 0555, false, err);
}

static int add_mount(const char *dir, struct oci_config *config, struct err *err)
{
	static const char *const options[] = { "bind", "rprivate", "ro", "nosuid", "nodev", NULL };
	struct oci_mount *mounts =
		arena_calloc(config->arena, config->mounts_count + 1, sizeof(*mounts));
	const char *source = arena_printf(config->arena, "%s/" LAYOUT_PID1, dir);

	if (!mounts || !source)
		return err_set(err, ENOMEM, "build mounts");
	if (config->mounts_count)
		memcpy(mounts, config->mounts, config->mounts_count * sizeof(*mounts));
	mounts[config->mounts_count++] =
		(struct oci_mount){ .destination = TARGET,
				    .type = "bind",
				    .source = source,
				    .options = options,
				    .options_count = ARRAY_SIZE(options) - 1 };
	config->mounts = mounts;
	return 0;
}

int config_init_build(const char *dir, struct oci_config *config, struct err *err)
{
	struct oci_process *p = &config->process;
	const char **args = arena_calloc(config->arena, p->args_count + 2, sizeof(*args));

	if (!args)
		return err_set(err, ENOMEM, "build command");
	args[0] = TARGET;
	memcpy(args + 1, p->args, p->args_count * sizeof(*args));
	p->args = args;
	p->args_count++;
	return add_mount(dir, config, err);
}
