/* SPDX-License-Identifier: Apache-2.0 */
/* ctr start: runs what was created, or has ended, once more. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ctr/attach.h"
#include "cmd/ctr/detach_keys.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/foreground.h"
#include "cmd/ctr/verbs.h"

struct start_args {
	bool attach, interactive;
	const char *detach_keys;
};

/* Between creation and start, where also a killed `ctr run` leaves it. */
static bool is_ready(const struct engine_container *c)
{
	return c->pid && strcmp(c->status, "created") == 0;
}

static int start_detached(struct engine *engine, const char *name, void *data, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = engine_find(engine, name, &c, err);

	(void)data;
	if (r < 0)
		return r;
	/* Of others, what was asked for is the case. */
	if (is_ready(c) || (!c->pid && strcmp(c->status, "restarting") != 0))
		r = engine_run_again(engine, c, err);
	if (r == 0)
		puts(name);
	return r;
}

static int check_attach(const struct engine_container *c, const struct start_args *args,
			struct err *err)
{
	if (is_ready(c))
		return err_say(err, EBUSY, "container %s is about to start; write `ctr start %s`",
			       c->name, c->name);
	if (c->pid || strcmp(c->status, "restarting") == 0)
		return err_say(err, EBUSY, "container %s is %s; write `ctr attach %s`", c->name,
			       c->status, c->name);
	if (args->interactive && !c->interactive)
		return err_say(err, EINVAL,
			       "container %s was made without -i, so it has no stdin; leave out "
			       "-i",
			       c->name);
	if (c->terminal && c->interactive && !isatty(STDIN_FILENO))
		return err_say(err, ENOTTY, "container %s has a terminal, and stdin is none",
			       c->name);
	return 0;
}

static int start_attached(const struct ctr *ctr, const char *name, const struct start_args *args,
			  struct err *err)
{
	_cleanup_(foreground_deinit) struct foreground fg = {
		.verb = &verb_start,
		.detach_keys = args->detach_keys,
		.io = ENGINE_STDIO_NONE,
	};
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = ctr_open(ctr, &fg.engine, err);

	if (r == 0)
		r = engine_find(fg.engine, name, &c, err);
	if (r == 0)
		r = check_attach(c, args, err);
	if (r < 0)
		return r;
	attach_block_signals();
	if (engine_renew(fg.engine, c, false, &fg.container, &fg.io, err) < 0) {
		ctr_complain(&verb_start, err);
		return foreground_code_of_failure(err);
	}
	/* Without -i it finds the end of its stdin at once. */
	if (!args->interactive && fg.io.stdin_fd >= 0 && !fg.container->terminal)
		close(take_fd(&fg.io.stdin_fd));
	return foreground_start(&fg, err);
}

static int start_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct start_args args = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_start.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (args.detach_keys &&
	    detach_keys_parse(args.detach_keys, &(struct detach_keys){ 0 }, err) < 0)
		return err_add(err, "--detach-keys");
	if (!args.attach && !args.interactive)
		return ctr_for_names(&verb_start, ctr, words, start_detached, NULL, err);
	if (count > 1)
		return err_say(err, EINVAL, "-a and -i are for one container");
	return start_attached(ctr, words[0], &args, err);
}

/* clang-format off */
static const struct option_entry start_options[] = {
	OPTION_BOOL(struct start_args, attach, 'a', "attach", "stay with it: its output, signals, its exit status"),
	OPTION_BOOL(struct start_args, interactive, 'i', "interactive", "the same, and pass stdin on"),
	OPTION_STRING(struct start_args, detach_keys, 0, "detach-keys", "KEYS", "leave the terminal by these keys (default " DETACH_KEYS_DEFAULT ")"),
	OPTION_END,
};
/* clang-format on */

const struct verb verb_start = {
	.command = {
		.name = "ctr start",
		.args = "CONTAINER...",
		.summary = "start what was created, or has ended",
		.details = "Name, address, log and what it wrote to its file system stay. With -a the exit\n"
			   "status is as for `ctr run`.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr start web\n"
			   "  ctr start -ai shell",
		.options = start_options,
		.hints = foreign_start_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = start_verb,
};
