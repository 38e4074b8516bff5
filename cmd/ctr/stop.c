/* SPDX-License-Identifier: Apache-2.0 */
/* ctr stop: asks a container to end, and makes it end when it does not. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/ctr/show.h"
#include "cmd/ctr/verbs.h"

#define TIMEOUT_S 10
#define KILL_WAIT_MS 30000

struct stop_args {
	int64_t timeout_s;
};

static int stop_running(struct engine *engine, const struct engine_container *c, int timeout_ms,
			struct err *err)
{
	struct engine_exit end;
	int sig = SIGTERM, r;

	/* The image may want another signal; one that makes no sense is the image's mistake. */
	if (c->stop_signal)
		show_parse_signal(c->stop_signal, &sig, NULL);
	r = engine_kill(engine, c, sig, true, err);
	if (r < 0)
		return r;
	r = engine_wait(engine, c, timeout_ms, &end, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = engine_kill(engine, c, SIGKILL, true, err);
	if (r == 0)
		r = engine_wait(engine, c, KILL_WAIT_MS, &end, err);
	return r == 0 ? err_say(err, ETIMEDOUT, "container %s does not end after SIGKILL", c->name)
		      : (r < 0 ? r : 0);
}

/* Ended meanwhile, and removed by --rm: what was asked for is the case. */
static bool is_over(int r)
{
	return r == -ESRCH || r == -ENOENT;
}

static int stop_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	const struct stop_args *args = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = engine_find(engine, name, &c, err);

	if (r < 0)
		return r;
	if (c->pid || strcmp(c->status, "restarting") == 0) {
		r = stop_running(engine, c, (int)args->timeout_s * 1000, err);
		if (r < 0 && !is_over(r))
			return r;
	}
	puts(name);
	return 0;
}

static int stop_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct stop_args args = { .timeout_s = TIMEOUT_S };
	char **words;
	size_t count;
	int r = options_parse(&verb_stop.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return ctr_for_names(&verb_stop, ctr, words, stop_one, &args, err);
}

static const struct option_entry stop_options[] = {
	OPTION_INT(struct stop_args, timeout_s, 't', "time", 0, 1000000, "SECONDS",
		   "patience before SIGKILL (default 10)"),
	OPTION_INT(struct stop_args, timeout_s, 0, "timeout", 0, 1000000, "SECONDS", NULL),
	OPTION_END,
};

const struct verb verb_stop = {
	.command = {
		.name = "ctr stop",
		.args = "CONTAINER...",
		.summary = "stop containers",
		.details = "Sends the image's stop signal (SIGTERM), and after some time SIGKILL.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr stop web\n"
			   "  ctr stop -t 1 web db",
		.options = stop_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = stop_verb,
};
