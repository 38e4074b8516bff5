/* SPDX-License-Identifier: Apache-2.0 */
/* containerd-shim-cellar-v2: supervises one container, or a pod's. People never call it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/event_log.h"
#include "runtime/engine/resolve.h"
#include "runtime/shim/bootstrap.h"

static int remove_container(const char *root, const char *runroot, const char *id, bool ended,
			    struct err *err)
{
	unsigned flags = ENGINE_REMOVE_FORCE | (ended ? ENGINE_REMOVE_ENDED : 0);

	return engine_remove(root, runroot, id, flags, err);
}

static const struct shim_engine engine = {
	.remove = remove_container,
	.release = engine_release,
	.tell = event_tell,
	.resolve = engine_resolve,
};

static int run(const struct bootstrap_args *args, struct err *err)
{
	if (args->version)
		return bootstrap_version(err);
	if (args->info)
		return bootstrap_info(err);
	if (args->action && args->upgrade && !strcmp(args->action, "check"))
		return bootstrap_check(args, err);
	if (args->action && args->upgrade && !strcmp(args->action, "start"))
		return bootstrap_upgrade(args, &engine, err);
	if (args->action && !strcmp(args->action, "start"))
		return bootstrap_start(args, &engine, err);
	if (args->action && !strcmp(args->action, "delete"))
		return bootstrap_delete(args, err);
	return err_say(err, EINVAL,
		       "started by containerd and ctr, with the action start or delete, not %s",
		       args->action ? args->action : "without one");
}

int main(int argc, char **argv)
{
	struct bootstrap_args args;
	struct err err = { 0 };
	int r;

	fd_reserve_standard();
	r = bootstrap_parse(argc, argv, &args, &err);
	if (r == 0)
		r = run(&args, &err);
	if (r < 0)
		fprintf(stderr, "containerd-shim-cellar-v2: %s\n", err.text);
	return r < 0;
}
