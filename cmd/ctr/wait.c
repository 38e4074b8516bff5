/* SPDX-License-Identifier: Apache-2.0 */
/* ctr wait: until containers have ended, and how. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/ctr/verbs.h"

static int wait_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	struct engine_exit end = { .code = -1 };
	int r = engine_find(engine, name, &c, err);

	(void)data;
	if (r < 0)
		return r;
	/* Ended a moment ago, its shim may not have told yet. */
	if (strcmp(c->status, "exited") == 0 && c->exit_code >= 0)
		end.code = c->exit_code;
	else if (engine_wait(engine, c, -1, &end, err) < 0)
		return -err->code;
	if (end.code < 0)
		return err_say(err, ENODATA,
			       "container %s has ended; its supervisor was killed or hangs, so "
			       "its exit status is unknown",
			       c->name);
	printf("%d\n", end.code);
	fflush(stdout);
	return 0;
}

static int wait_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	char **words;
	size_t count;
	int r = options_parse(&verb_wait.command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return ctr_for_names(&verb_wait, ctr, words, wait_one, NULL, err);
}

static const struct option_entry wait_options[] = { OPTION_END };

const struct verb verb_wait = {
	.command = {
		.name = "ctr wait",
		.args = "CONTAINER...",
		.summary = "wait until containers end, and print their exit status",
		.details = "Examples:\n"
			   "  status=$(ctr wait job)",
		.options = wait_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = wait_verb,
};
