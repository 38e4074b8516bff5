/* SPDX-License-Identifier: Apache-2.0 */
/* ctr volume rm */
#include <errno.h>
#include <stdio.h>

#include "cmd/ctr/verbs.h"
#include "runtime/engine/volume.h"

struct rm_args {
	bool force;
};

static int rm_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	const struct rm_args *args = data;
	int r = engine_volume_remove(engine, name, err);

	/* By force there may be nothing to do. */
	if (r == -ENOENT && args->force)
		return 0;
	if (r == 0)
		puts(name);
	return r;
}

static int rm_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct rm_args args = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_volume_rm.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return ctr_for_names(&verb_volume_rm, ctr, words, rm_one, &args, err);
}

static const struct option_entry rm_options[] = {
	OPTION_BOOL(struct rm_args, force, 'f', "force", "do not mind one that is not there"),
	OPTION_END,
};

const struct verb verb_volume_rm = {
	.command = {
		.name = "ctr volume rm",
		.args = "VOLUME...",
		.summary = "remove volumes, and all that is in them",
		.details = "One that a container uses, running or not, stays; the container is named.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr volume rm data",
		.options = rm_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = rm_verb,
};
