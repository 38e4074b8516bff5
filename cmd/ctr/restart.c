/* SPDX-License-Identifier: Apache-2.0 */
/* ctr restart: ends a container's process and runs it again. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/signal_name.h"
#include "cmd/ctr/verbs.h"
#include "runtime/shim/client.h"

struct restart_args {
	int64_t timeout_s;
};

static int restart_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	const struct restart_args *args = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;
	int sig = SIGTERM, r = engine_find(engine, name, &c, err);

	if (r == 0 && (strcmp(c->status, "exited") == 0 || strcmp(c->status, "created") == 0)) {
		r = engine_run_again(engine, c, err);
		if (r == 0)
			puts(name);
		return r;
	}
	if (r == 0)
		r = engine_connect(engine, c, &client, err);
	if (r < 0)
		return r;
	if (c->stop_signal)
		signal_parse(c->stop_signal, &sig, NULL);
	r = shim_restart(client, c->id, sig, (uint32_t)args->timeout_s * 1000, err);
	if (r < 0)
		return err_add(err, "container %s", c->name);
	puts(name);
	return 0;
}

static int restart_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct restart_args args = { .timeout_s = 10 };
	char **words;
	size_t count;
	int r = options_parse(&verb_restart.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return ctr_for_names(&verb_restart, ctr, words, restart_one, &args, err);
}

/* clang-format off */
static const struct option_entry restart_options[] = {
	OPTION_INT(struct restart_args, timeout_s, 't', "time", 0, 1000000, "SECONDS", "patience before SIGKILL (default 10)"),
	OPTION_INT(struct restart_args, timeout_s, 0, "timeout", 0, 1000000, "SECONDS", NULL),
	OPTION_END,
};
/* clang-format on */

const struct verb verb_restart = {
	.command = {
		.name = "ctr restart",
		.args = "CONTAINER...",
		.summary = "stop containers that run, and start them again",
		.details = "Address, name, log and what it wrote to its file system stay.\n\n"
			   "Examples:\n"
			   "  ctr restart -t 1 web",
		.options = restart_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},

	.run = restart_verb,
};
