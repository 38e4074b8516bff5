/* SPDX-License-Identifier: Apache-2.0 */
/* ctr rm: removes containers wholly. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "cmd/ctr/verbs.h"

struct rm_args {
	bool force, volumes;
};

static int rm_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	const struct rm_args *args = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = engine_find(engine, name, &c, err);

	/* By force there may be nothing to do. */
	if (r == -ENOENT && args->force)
		return 0;
	if (r == 0)
		r = engine_destroy(engine, c,
				   (args->force ? ENGINE_REMOVE_FORCE : 0) |
					   (args->volumes ? ENGINE_REMOVE_VOLUMES : 0),
				   err);
	if (r == 0)
		puts(name);
	return r;
}

/* All shims end at the same time, not one after the other; whether they do shows when each is
 * removed. */
static void kill_all(const struct ctr *ctr, char **names)
{
	_cleanup_engine_ struct engine *engine = NULL;

	if (!names[0] || !names[1] || ctr_open(ctr, &engine, NULL) < 0)
		return;
	for (; *names; names++) {
		_cleanup_engine_container_ struct engine_container *c = NULL;

		if (engine_find(engine, *names, &c, NULL) == 0 && c->pid)
			engine_kill(engine, c, SIGKILL, true, NULL);
	}
}

static int rm_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct rm_args args = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_rm.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (args.force)
		kill_all(ctr, words);
	return ctr_for_names(&verb_rm, ctr, words, rm_one, &args, err);
}

static const struct option_entry rm_options[] = {
	OPTION_BOOL(struct rm_args, force, 'f', "force", "also what runs, which is killed"),
	OPTION_BOOL(struct rm_args, volumes, 'v', "volumes", "its anonymous volumes, too"),
	OPTION_END,
};

const struct verb verb_rm = {
	.command = {
		.name = "ctr rm",
		.args = "CONTAINER...",
		.summary = "remove containers",
		.details = "Removes the container's files, log, address and name; volumes stay, without -v.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr rm job\n"
			   "  ctr rm -f web $(ctr ps -aq)",
		.options = rm_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = rm_verb,
};
