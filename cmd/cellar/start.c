/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "cmd/cellar/notify.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

static const struct option_entry options[] = { OPTION_END };

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	_cleanup_fd_ int notify = -1;
	char **args;
	size_t count;
	int r = verb_parse(&verb_start, argc, argv, NULL, &args, &count, err);

	if (r != 0)
		return r;
	err_try(container_open(globals->root, args[0], &c, err));
	err_try(notify_open(globals->root, args[0], &notify, err));
	err_try(container_start(c, err));
	notify_wait(notify, container_pid(c), container_pidfd(c));
	return 0;
}

const struct verb verb_start = {
	.command = { .name = "cellar start",
		     .args = "ID",
		     .summary = "execute the program of a created container",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run,
};
