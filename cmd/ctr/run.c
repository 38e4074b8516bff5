/* SPDX-License-Identifier: Apache-2.0 */
/* ctr run: from an image to a running container, in the foreground or detached. */
#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "cmd/ctr/attach.h"
#include "cmd/ctr/cidfile.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/foreground.h"
#include "cmd/ctr/run_options.h"
#include "cmd/ctr/terminal.h"
#include "cmd/ctr/verbs.h"

/* Nobody could tell which container it is: there is none then. */
static int write_cidfile(struct foreground *fg, struct err *err)
{
	int r = fg->cidfile ? cidfile_write(fg->cidfile, fg->container->id, err) : 0;

	if (r < 0)
		engine_destroy(fg->engine, fg->container, true, NULL);
	return r;
}

static int run_container(const struct ctr *ctr, struct engine_run_options *options,
			 const struct run_args *args, struct err *err)
{
	_cleanup_(foreground_deinit) struct foreground fg = {
		.verb = &verb_run,
		.detach = options->detach,
		.cidfile = args->cidfile,
		.detach_keys = args->supervision.detach_keys,
		.io = ENGINE_STDIO_NONE,
	};
	int r;

	if (options->terminal && options->interactive && !options->detach && !isatty(STDIN_FILENO))
		return err_say(err, ENOTTY,
			       "-t with -i needs a terminal, and stdin is none; leave out -t");
	if (options->terminal)
		terminal_size(&options->console_width, &options->console_height);
	r = fg.cidfile ? cidfile_check(fg.cidfile, err) : 0;
	if (r == 0)
		r = ctr_open(ctr, &fg.engine, err);
	if (r < 0)
		return r;
	attach_block_signals();
	if (engine_create(fg.engine, options, &fg.container, &fg.io, err) < 0) {
		ctr_complain(&verb_run, err);
		return foreground_code_of_failure(err);
	}
	r = write_cidfile(&fg, err);
	return r < 0 ? r : foreground_start(&fg, err);
}

static int run_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_(run_args_deinit) struct run_args args = RUN_ARGS_DEFAULT;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_run_options options = { 0 };
	int r = run_args_parse(&verb_run.command, argc, argv, &args, arena, &options, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return run_container(ctr, &options, &args, err);
}

const struct verb verb_run = {
	.command = {
		.name = "ctr run",
		.args = "IMAGE [COMMAND [ARG...]]",
		.summary = "run a command in a new container",
		.details =
			"The exit status is the command's; 125 when Cellar failed, 126 when the command\n"
			"cannot be executed, 127 when there is no such command.\n"
			"\n"
			"Examples:\n"
			"  ctr run --rm bb echo hello           one command, nothing left behind\n"
			"  ctr run --rm -it bb sh               a shell on your terminal\n"
			"  ctr run -d --name web bb httpd -f    in the background; then `ctr logs web`\n"
			"  ctr run --rm -m 64m --cpus 0.5 --pids-limit 32 bb sh\n"
			"  ctr run --rm -v /srv:/data:ro -v cache:/cache bb ls /data\n"
			"  echo hello | ctr run --rm -i bb tr a-z A-Z",
		.options = run_option_table,
		.hints = foreign_run_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.failure = EXIT_OURS,
	.run = run_verb,
};
