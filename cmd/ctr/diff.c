/* SPDX-License-Identifier: Apache-2.0 */
/* ctr diff: what a container has changed of its image. */
#include <unistd.h>

#include "cmd/ctr/verbs.h"
#include "runtime/engine/diff.h"

static int diff_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_engine_ struct engine *engine = NULL;
	char **words;
	size_t count;
	int r = options_parse(&verb_diff.command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	err_try(ctr_open(ctr, &engine, err));
	err_try(engine_find(engine, words[0], &c, err));
	return engine_diff(engine, c, STDOUT_FILENO, err);
}

static const struct option_entry diff_options[] = { OPTION_END };

const struct verb verb_diff = {
	.command = {
		.name = "ctr diff",
		.args = "CONTAINER",
		.summary = "show what a container has changed of its image",
		.details = "A line each: A was added, C was changed, or something in it was, D was deleted.\n"
			   "Volumes are not the image's.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr diff web",
		.options = diff_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = diff_verb,
};
