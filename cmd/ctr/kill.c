/* SPDX-License-Identifier: Apache-2.0 */
/* ctr kill: a signal for a container's first process. */
#include <signal.h>
#include <stdio.h>

#include "base/signal_name.h"
#include "cmd/ctr/verbs.h"

struct kill_args {
	const char *signal;
};

static int kill_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int sig = *(int *)data, stop_signal = SIGTERM, r = engine_find(engine, name, &c, err);

	if (r < 0)
		return r;
	if (c->stop_signal)
		signal_parse(c->stop_signal, &stop_signal, NULL);
	/* What asks for the end ends a restart policy too. */
	r = engine_kill(engine, c, sig, sig == SIGKILL || sig == stop_signal, err);
	if (r == 0)
		puts(name);
	return r;
}

static int kill_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct kill_args args = { .signal = "KILL" };
	char **words;
	size_t count;
	int r = options_parse(&verb_kill.command, argc, argv, &args, &words, &count, err), sig;

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = signal_parse(args.signal, &sig, err);
	return r < 0 ? err_add(err, "--signal")
		     : ctr_for_names(&verb_kill, ctr, words, kill_one, &sig, err);
}

static const struct option_entry kill_options[] = {
	OPTION_STRING(struct kill_args, signal, 's', "signal", "SIGNAL",
		      "by name or number (default KILL)"),
	OPTION_END,
};

const struct verb verb_kill = {
	.command = {
		.name = "ctr kill",
		.args = "CONTAINER...",
		.summary = "send a signal to containers",
		.details = "Examples:\n"
			   "  ctr kill web\n"
			   "  ctr kill -s HUP web",
		.options = kill_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = kill_verb,
};
