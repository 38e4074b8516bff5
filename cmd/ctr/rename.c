/* SPDX-License-Identifier: Apache-2.0 */
/* ctr rename: another name for a container. */
#include "cmd/ctr/verbs.h"

static int rename_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	char **words;
	size_t count;
	int r = options_parse(&verb_rename.command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = engine_find(engine, words[0], &c, err);
	return r < 0 ? r : engine_rename(engine, c, words[1], err);
}

static const struct option_entry rename_options[] = { OPTION_END };

const struct verb verb_rename = {
	.command = {
		.name = "ctr rename",
		.args = "CONTAINER NAME",
		.summary = "give a container another name",
		.details = "Its host name stays.\n\n"
			   "Examples:\n"
			   "  ctr rename bright_lantern web",
		.options = rename_options,
		.args_min = 2,
		.args_max = 2,
	},

	.run = rename_verb,
};
