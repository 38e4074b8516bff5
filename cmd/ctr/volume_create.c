/* SPDX-License-Identifier: Apache-2.0 */
/* ctr volume create */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/ctr/verbs.h"
#include "runtime/engine/volume.h"

struct create_args {
	struct options_list labels;
};

static int create(const struct ctr *ctr, const struct create_args *args, const char *name,
		  struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_engine_ struct engine *engine = NULL;
	int r = arena ? ctr_open(ctr, &engine, err) : err_set(err, ENOMEM, "create volume");

	for (size_t i = 0; r == 0 && i < args->labels.count; i++)
		if (args->labels.items[i][0] == '=' || !args->labels.items[i][0])
			r = err_say(err, EINVAL,
				    "--label: \"%s\" has no name; write it as NAME=VALUE",
				    args->labels.items[i]);
	if (r == 0)
		r = engine_volume_create(engine, name, args->labels.items, arena, &name, err);
	if (r < 0)
		return r;
	puts(name);
	return 0;
}

static const struct option_entry create_options[] = {
	OPTION_LIST(struct create_args, labels, 0, "label", "NAME[=VALUE]", "a word about it"),
	OPTION_END,
};

static int create_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct create_args args = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_volume_create.command, argc, argv, &args, &words, &count, err);

	if (r == 0)
		r = create(ctr, &args, count ? words[0] : NULL, err);
	else if (r > 0)
		r = VERB_HELP;
	options_deinit(create_options, &args);
	return r;
}

const struct verb verb_volume_create = {
	.command = {
		.name = "ctr volume create",
		.args = "[NAME]",
		.summary = "make an empty volume",
		.details = "Prints its name. One that is there already stays as it is. Without a name one is\n"
			   "made up, and `ctr volume prune` takes it away once nobody uses it.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr volume create --label of=shop data",
		.options = create_options,
		.args_max = 1,
	},
	.run = create_verb,
};
