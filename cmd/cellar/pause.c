/* SPDX-License-Identifier: Apache-2.0 */
/* pause and resume. */
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

static const struct option_entry options[] = { OPTION_END };

static int run(const struct verb *verb, int (*act)(struct container *, struct err *),
	       const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	char **args;
	size_t count;
	int r = verb_parse(verb, argc, argv, NULL, &args, &count, err);

	if (r != 0)
		return r;
	err_try(container_open(globals->root, args[0], &c, err));
	return act(c, err);
}

static int run_pause(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	return run(&verb_pause, container_pause, globals, argc, argv, err);
}

static int run_resume(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	return run(&verb_resume, container_resume, globals, argc, argv, err);
}

const struct verb verb_pause = {
	.command = { .name = "cellar pause",
		     .args = "ID",
		     .summary = "freeze all processes of a container",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run_pause,
};

const struct verb verb_resume = {
	.command = { .name = "cellar resume",
		     .args = "ID",
		     .summary = "let a paused container go on",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run_resume,
};
