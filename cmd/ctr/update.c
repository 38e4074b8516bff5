/* SPDX-License-Identifier: Apache-2.0 */
/* ctr update: other limits for containers. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/quantity.h"

struct update_args {
	const char *memory, *cpus;
	int64_t pids_limit; /* 0: not given */
};

static int update_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = engine_find(engine, name, &c, err);

	if (r == 0)
		r = engine_update(engine, c, data, err);
	if (r == 0)
		puts(name);
	return r;
}

static int update_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct update_args args = { 0 };
	struct engine_update_options options = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_update.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (args.memory && quantity_parse_bytes(args.memory, &options.memory_bytes, err) < 0)
		return err_add(err, "--memory");
	if (args.cpus && quantity_parse_cpus(args.cpus, &options.cpu_millicpu, err) < 0)
		return err_add(err, "--cpus");
	options.pids_limit = args.pids_limit;
	if (!args.memory && !args.cpus && !args.pids_limit)
		return err_say(err, EINVAL,
			       "nothing to change; give --memory, --cpus or --pids-limit");
	return ctr_for_names(&verb_update, ctr, words, update_one, &options, err);
}

/* clang-format off */
static const struct option_entry update_options[] = {
	OPTION_STRING(struct update_args, memory, 'm', "memory", "SIZE", "limit of memory: 64m, 1.5g; with swap twice that"),
	OPTION_STRING(struct update_args, cpus, 0, "cpus", "NUMBER", "limit of processors: 0.5, 2"),
	OPTION_INT(struct update_args, pids_limit, 0, "pids-limit", -1, INT_MAX, "NUMBER", "limit of processes and threads; -1: none"),
	OPTION_END,
};
/* clang-format on */

const struct verb verb_update = {
	.command = {
		.name = "ctr update",
		.args = "CONTAINER...",
		.summary = "change the limits of containers",
		.details = "At once, and for later runs of it.\n\n"
			   "Examples:\n"
			   "  ctr update -m 128m --cpus 1.5 web",
		.options = update_options,
		.hints = foreign_update_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},

	.run = update_verb,
};
