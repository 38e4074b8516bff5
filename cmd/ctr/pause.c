/* SPDX-License-Identifier: Apache-2.0 */
/* ctr pause, ctr unpause: the freezer. */
#include <stdio.h>

#include "cmd/ctr/verbs.h"
#include "runtime/shim/client.h"

static int set_frozen(struct engine *engine, const char *name, void *data, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;
	bool frozen = *(bool *)data;
	int r = engine_find(engine, name, &c, err);

	if (r == 0)
		r = engine_connect(engine, c, &client, err);
	if (r < 0)
		return r;
	r = frozen ? shim_pause(client, c->id, err) : shim_resume(client, c->id, err);
	if (r < 0)
		return err_add(err, "container %s", c->name);
	puts(name);
	return 0;
}

static int for_all(const struct verb *verb, const struct ctr *ctr, int argc, char **argv,
		   bool frozen, struct err *err)
{
	char **words;
	size_t count;
	int r = options_parse(&verb->command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return ctr_for_names(verb, ctr, words, set_frozen, &frozen, err);
}

static int pause_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	return for_all(&verb_pause, ctr, argc, argv, true, err);
}

static int unpause_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	return for_all(&verb_unpause, ctr, argc, argv, false, err);
}

static const struct option_entry no_options[] = { OPTION_END };

const struct verb verb_pause = {
	.command = {
		.name = "ctr pause",
		.args = "CONTAINER...",
		.summary = "freeze all processes of containers",
		.details = "Examples:\n"
			   "  ctr pause web; ctr unpause web",
		.options = no_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},

	.run = pause_verb,
};

const struct verb verb_unpause = {
	.command = {
		.name = "ctr unpause",
		.args = "CONTAINER...",
		.summary = "let paused containers go on",
		.details = "Examples:\n"
			   "  ctr unpause web",
		.options = no_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},

	.run = unpause_verb,
};
