/* SPDX-License-Identifier: Apache-2.0 */
/* A document built part by part; each function fills one part of it. */
#include "runtime/engine/config_build.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/userns.h"
#include "runtime/engine/config_devices.h"
#include "runtime/engine/config_init.h"
#include "runtime/engine/config_limits.h"
#include "runtime/engine/config_mounts.h"
#include "runtime/engine/config_namespaces.h"
#include "runtime/engine/config_security.h"
#include "runtime/engine/environment.h"

static size_t count_strings(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

int config_command(const struct engine_run_options *options, const struct oci_image *image,
		   struct arena *arena, const char *const **ret_args, struct err *err)
{
	const char *const *entrypoint = options->entrypoint, *const *args = options->args;
	size_t first, second;
	const char **all;

	/* A new entrypoint does not want the arguments that were meant for the old one. */
	if (!entrypoint) {
		entrypoint = image->entrypoint;
		if (!count_strings(args))
			args = image->cmd;
	}
	first = count_strings(entrypoint);
	if (first == 1 && !entrypoint[0][0])
		first = 0;
	second = count_strings(args);
	if (!first && !second)
		return err_say(err, EINVAL,
			       "no program to run: the image names none, so write one after the "
			       "image's name");
	all = arena_calloc(arena, first + second + 1, sizeof(*all));
	if (!all)
		return err_set(err, ENOMEM, "build command");
	if (first)
		memcpy(all, entrypoint, first * sizeof(*all));
	if (second)
		memcpy(all + first, args, second * sizeof(*all));
	*ret_args = all;
	return 0;
}

static int build_env(const struct config_input *in, struct arena *arena, struct oci_process *ret,
		     struct err *err)
{
	struct environment env = { .arena = arena };
	int r = environment_set(&env, ENVIRONMENT_PATH, err);

	if (r == 0)
		r = environment_set(&env, arena_printf(arena, "HOSTNAME=%s", in->hostname), err);
	if (r == 0 && in->options->terminal)
		r = environment_set(&env, "TERM=xterm", err);
	for (const char *const *e = in->image->env; r == 0 && e && *e; e++)
		r = environment_set(&env, *e, err);
	for (const char *const *e = in->options->env; r == 0 && e && *e; e++)
		r = environment_ask(&env, *e, err);
	if (r == 0)
		r = environment_default(&env, arena_printf(arena, "HOME=%s", in->user->home), err);
	if (r < 0)
		return r;
	ret->env = env.items;
	ret->env_count = env.count;
	return 0;
}

static int build_process(const struct config_input *in, struct oci_config *config, struct err *err)
{
	struct oci_process *p = &config->process;
	const char *cwd = in->options->workdir;
	int r;

	config->has_process = true;
	p->terminal = in->options->terminal;
	p->console_width = in->options->console_width;
	p->console_height = in->options->console_height;
	p->user = in->user->user;
	if (cwd && cwd[0] != '/')
		return err_say(err, EINVAL, "--workdir: \"%s\" must begin with /", cwd);
	if (!cwd)
		cwd = in->image->working_dir;
	p->cwd = cwd && cwd[0] == '/' ? cwd : "/";
	r = config_command(in->options, in->image, config->arena, &p->args, err);
	if (r < 0)
		return r;
	p->args_count = count_strings(p->args);
	return build_env(in, config->arena, p, err);
}

int config_build(const struct config_input *in, struct oci_config **ret, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = oci_config_new();
	int r;

	if (!config)
		return err_set(err, ENOMEM, "build config.json");
	config->oci_version = OCI_VERSION;
	config->domainname = in->options->domainname;
	config->root.path = "rootfs";
	config->rootfs_propagation = config_mounts_propagation(in);
	/* The rootless get one where they may, or none. */
	if (!userns_is_rootless())
		config->cgroups_path = arena_printf(
			config->arena, "%s/cellar-%s",
			in->options->cgroup_parent ? in->options->cgroup_parent : "", in->id);
	if (!config->cgroups_path && !userns_is_rootless())
		return err_set(err, ENOMEM, "build config.json");
	config_namespaces_build(in, config);
	r = build_process(in, config, err);
	if (r == 0)
		r = config_limits_build(&in->options->limits, config, err);
	if (r == 0)
		r = config_mounts_build(in, config->arena, &config->mounts, &config->mounts_count,
					err);
	if (r == 0 && in->options->init)
		r = config_init_build(in->dir, config, err);
	if (r == 0)
		r = config_devices_build(in, config, err);
	if (r == 0)
		r = config_security_build(in, config, err);
	if (r < 0)
		return r;
	*ret = take_ptr(config);
	return 0;
}
