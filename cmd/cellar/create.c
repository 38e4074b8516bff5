/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar/create_options.h"
#include "cmd/cellar/verbs.h"

struct args {
	struct create_options create;
	bool no_subreaper;
};

static const struct option_entry options[] = {
	CREATE_OPTIONS(struct args, create.),
	OPTION_BOOL(struct args, no_subreaper, 0, "no-subreaper",
		    "accepted for other runtimes' callers: create adopts nobody"),
	OPTION_END,
};

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	struct args a = { 0 };
	struct container_create_options create;
	char **args;
	size_t count;
	int r = verb_parse(&verb_create, argc, argv, &a, &args, &count, err);

	if (r != 0)
		return r;
	err_try(create_options_fill(&a.create, globals, args[0], &create, err));
	return container_create(&create, &c, err);
}

const struct verb verb_create = {
	.command = { .name = "cellar create",
		     .args = "ID",
		     .summary = "make a container, ready for 'start'",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run,
};
