/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cellar/match.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

struct args {
	bool all, regex;
};

static const struct option_entry options[] = {
	OPTION_BOOL(struct args, all, 'a', "all", "signal every process of the container"),
	OPTION_BOOL(struct args, regex, 'r', "regex",
		    "ID is a regular expression; containers that do not run are left alone"),
	OPTION_END,
};

/* "RTMIN", "RTMIN+3", "RTMAX-1": 34 to 64 for whoever calls us, whatever our C library keeps. */
static int parse_realtime(const char *name)
{
	bool low = strncasecmp(name, "RTMIN", 5) == 0;
	char *end;
	long n;

	if (!low && strncasecmp(name, "RTMAX", 5) != 0)
		return -EINVAL;
	if (!name[5])
		return low ? 34 : 64;
	if (name[5] != (low ? '+' : '-') || !isdigit((unsigned char)name[6]))
		return -EINVAL;
	n = strtol(name + 6, &end, 10);
	if (*end || n > 64 - 34)
		return -EINVAL;
	return low ? 34 + (int)n : 64 - (int)n;
}

/* "9", "KILL", "SIGKILL", "kill", "RTMIN+3". -EINVAL. */
static int parse_signal(const char *text)
{
	const char *name = text;
	char *end;
	long n;

	if (isdigit((unsigned char)*text)) {
		n = strtol(text, &end, 10);
		return *end || n >= NSIG ? -EINVAL : (int)n;
	}
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	if (strcasecmp(name, "IO") == 0)
		return SIGIO; /* the same as POLL, by which the C library knows it */
	for (int sig = 1; sig < 32; sig++) {
		const char *known = sigabbrev_np(sig);

		if (known && strcasecmp(known, name) == 0)
			return sig;
	}
	return parse_realtime(name);
}

struct signal {
	int number;
	bool all;
};

static int kill_one(void *data, struct container *c, struct err *err)
{
	const struct signal *signal = data;
	int r = container_kill(c, signal->number, signal->all, err);

	return r == -ESRCH ? 0 : r;
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	struct args a = { 0 };
	char **args;
	size_t count;
	int r = verb_parse(&verb_kill, argc, argv, &a, &args, &count, err), sig;

	if (r != 0)
		return r;
	sig = parse_signal(count > 1 && args[1][0] ? args[1] : "TERM");
	if (sig < 0)
		return err_say(err, EINVAL, "unknown signal \"%s\"; try TERM or 15", args[1]);
	if (a.regex)
		return match_each(globals->root, args[0], kill_one, &(struct signal){ sig, a.all },
				  err);
	err_try(container_open(globals->root, args[0], &c, err));
	return container_kill(c, sig, a.all, err);
}

const struct verb verb_kill = {
	.command = { .name = "cellar kill",
		     .args = "ID [SIGNAL]",
		     .summary = "send a signal to a container (default TERM)",
		     .details =
			     "Signals are names or numbers: cellar kill web HUP, cellar kill web 9.",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 2 },
	.run = run,
};
