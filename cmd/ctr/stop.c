/* SPDX-License-Identifier: Apache-2.0 */
/* ctr stop: asks a container to end, and makes it end when it does not. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/signal_name.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/event_log.h"

#define TIMEOUT_UNSET (-2)
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
		signal_parse(c->stop_signal, &sig, NULL);
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

/* -1: without end */
static int timeout_ms(const struct stop_args *args, const struct engine_container *c)
{
	int64_t seconds = args->timeout_s == TIMEOUT_UNSET ? c->stop_timeout_s : args->timeout_s;

	return seconds < 0 ? -1 : (int)(seconds * 1000 > INT_MAX ? INT_MAX : seconds * 1000);
}

static int stop_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	const struct stop_args *args = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = engine_find(engine, name, &c, err);

	if (r < 0)
		return r;
	if (c->pid || strcmp(c->status, "restarting") == 0) {
		r = stop_running(engine, c, timeout_ms(args, c), err);
		if (r < 0 && !is_over(r))
			return r;
		event_log_append(engine_runroot(engine),
				 &(struct engine_event){ "container", "stop", c->id, c->name,
							 c->image, NULL });
	}
	puts(name);
	return 0;
}

static int stop_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct stop_args args = { .timeout_s = TIMEOUT_UNSET };
	char **words;
	size_t count;
	int r = options_parse(&verb_stop.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return ctr_for_names(&verb_stop, ctr, words, stop_one, &args, err);
}

static const struct option_entry stop_options[] = {
	OPTION_INT(struct stop_args, timeout_s, 't', "time", -1, 1000000, "SECONDS",
		   "patience before SIGKILL (default: the container's, 10); -1: no end"),
	OPTION_INT(struct stop_args, timeout_s, 0, "timeout", -1, 1000000, "SECONDS", NULL),
	OPTION_END,
};

const struct verb verb_stop = {
	.command = {
		.name = "ctr stop",
		.args = "CONTAINER...",
		.summary = "stop containers",
		.details = "Sends the stop signal of the container (--stop-signal, the image's, or SIGTERM),\n"
			   "and after some time SIGKILL.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr stop web\n"
			   "  ctr stop -t 1 web db",
		.options = stop_options,
		.hints = foreign_stop_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = stop_verb,
};
