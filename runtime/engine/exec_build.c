/* SPDX-License-Identifier: Apache-2.0 */
/* One more process of a container. */
#include "runtime/engine/exec_build.h"

#include <errno.h>

#include "runtime/engine/environment.h"

static int build_env(const struct oci_config *config, const struct engine_exec_options *options,
		     const struct user_identity *user, struct arena *arena, struct oci_process *p,
		     struct err *err)
{
	struct environment env = { .arena = arena };
	int r = 0;

	for (const char *const *e = config->process.env; r == 0 && e && *e; e++)
		r = environment_set(&env, *e, err);
	if (r == 0 && user)
		r = environment_set(&env, arena_printf(arena, "HOME=%s", user->home), err);
	if (r == 0 && options->terminal)
		r = environment_default(&env, "TERM=xterm", err);
	for (const char *const *e = options->env; r == 0 && e && *e; e++)
		r = environment_ask(&env, *e, err);
	if (r < 0)
		return r;
	p->env = env.items;
	p->env_count = env.count;
	return 0;
}

int exec_build(const struct oci_config *config, const struct engine_exec_options *options,
	       const struct user_identity *user, struct arena *arena, struct oci_process *ret,
	       struct err *err)
{
	struct oci_process p = config->process;
	int r;

	p.args = options->args;
	for (p.args_count = 0; p.args[p.args_count];)
		p.args_count++;
	p.terminal = options->terminal;
	p.console_width = options->console_width;
	p.console_height = options->console_height;
	if (options->workdir && options->workdir[0] != '/')
		return err_say(err, EINVAL, "--workdir: \"%s\" must begin with /",
			       options->workdir);
	if (options->workdir)
		p.cwd = options->workdir;
	if (user)
		p.user = user->user;
	p.capabilities.permitted = p.capabilities.effective =
		p.user.uid == 0 ? p.capabilities.bounding : 0;
	r = build_env(config, options, user, arena, &p, err);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}
