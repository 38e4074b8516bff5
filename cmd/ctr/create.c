/* SPDX-License-Identifier: Apache-2.0 */
/* ctr create: a container that is started later. */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "cmd/ctr/cidfile.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/run_options.h"
#include "cmd/ctr/verbs.h"

static int create_container(const struct ctr *ctr, const struct engine_run_options *options,
			    const struct run_args *args, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *container = NULL;
	_cleanup_engine_ struct engine *engine = NULL;
	int r = args->cidfile ? cidfile_check(args->cidfile, err) : 0;

	if (r == 0)
		r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = engine_create(engine, options, &container, NULL, err);
	if (r < 0)
		return r;
	if (args->cidfile && cidfile_write(args->cidfile, container->id, err) < 0) {
		engine_destroy(engine, container, ENGINE_REMOVE_VOLUMES, NULL);
		return -err->code;
	}
	puts(container->id);
	return 0;
}

static int create_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_(run_args_deinit) struct run_args args = RUN_ARGS_DEFAULT;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_run_options options = { 0 };
	int r = run_args_parse(&verb_create.command, argc, argv, &args, arena, &options, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	options.later = options.detach = true;
	return create_container(ctr, &options, &args, err);
}

const struct verb verb_create = {
	.command = {
		.name = "ctr create",
		.args = "IMAGE [COMMAND [ARG...]]",
		.summary = "make a container, to be started later",
		.details = "All is as for `ctr run`; `ctr start` does the rest.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr create --name web -p 8080:80 bb httpd -f\n"
			   "  ctr cp ./www web:/www\n"
			   "  ctr start web",
		/* But for --detach, the first. */
		.options = run_option_table + 1,
		.hints = foreign_run_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.failure = EXIT_OURS,
	.run = create_verb,
};
