/* SPDX-License-Identifier: Apache-2.0 */
/* ctr run: from an image to a running container, in the foreground or detached. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "cmd/ctr/attach.h"
#include "cmd/ctr/cidfile.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/run_options.h"
#include "cmd/ctr/terminal.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/quantity.h"
#include "runtime/shim/client.h"

#define REMOVAL_WAIT_MS 30000
#define FAILURE_WAIT_MS 10000

struct run {
	struct engine *engine;
	const struct engine_run_options *options;
	const char *cidfile; /* or NULL */
	struct engine_container *container;
	struct engine_stdio io;
	struct shim_client *control, *waiter;
	const char *detach_keys;
};

static void run_deinit(struct run *run)
{
	shim_close(run->control);
	shim_close(run->waiter);
	engine_stdio_close(&run->io);
	engine_container_free(run->container);
	engine_close(run->engine);
}

/* With --rm the shim removes the container and then hangs up: what ctr run leaves is nothing. */
static void await_removal(const struct run *run)
{
	struct pollfd fd = { .fd = shim_fd(run->control), .events = POLLIN };
	char rest[64];

	while (run->options->auto_remove && poll(&fd, 1, REMOVAL_WAIT_MS) > 0)
		if (read(fd.fd, rest, sizeof(rest)) <= 0)
			break;
}

/* What could not be executed is found out as soon as the container is made; the Task API carries no
 * errno, so the runtime's words tell, as they do to Docker. */
static int code_of_failure(const struct err *err)
{
	const char *exec = strstr(err->text, "exec: \"");

	if (!exec)
		return EXIT_OURS;
	return strstr(exec, "not found") || strstr(exec, "o such file") ? EXIT_NOT_FOUND
									: EXIT_NOT_EXECUTABLE;
}

/* A start that failed tells by the container's exit status why: 126, 127. */
static int fail_start(struct run *run, const struct err *err)
{
	struct pollfd fd = { .fd = shim_fd(run->waiter), .events = POLLIN };
	struct shim_exit end = { .status = EXIT_OURS };

	if (poll(&fd, 1, FAILURE_WAIT_MS) > 0)
		shim_wait_finish(run->waiter, &end, NULL);
	await_removal(run);
	if (run->cidfile && run->options->auto_remove)
		unlink(run->cidfile);
	ctr_complain(&verb_run, err);
	return end.status == EXIT_NOT_EXECUTABLE || end.status == EXIT_NOT_FOUND ? (int)end.status
										 : EXIT_OURS;
}

static void report_oom(const struct run *run)
{
	char limit[QUANTITY_TEXT_SIZE] = "its limit";

	if (run->container->limits.memory_bytes)
		quantity_format_bytes((uint64_t)run->container->limits.memory_bytes, limit);
	fprintf(stderr, "ctr: container %s: OOM-killed at %s\n", run->container->name, limit);
}

static int stay(struct run *run, struct err *err)
{
	struct attach_options attach = {
		.control = run->control,
		.waiter = run->waiter,
		.id = run->container->id,
		.io = &run->io,
		.terminal = run->options->terminal,
		.detach_keys = run->detach_keys,
	};
	struct shim_exit end;
	int r = attach_run(&attach, &end, err);

	if (r == -EINTR)
		return err_say(err, EINTR,
			       "container %s goes on running; end it by `ctr stop %s`, or by `ctr "
			       "kill %s`",
			       run->container->name, run->container->name, run->container->name);
	if (r < 0)
		return err_add(err, "container %s", run->container->name);
	if (r > 0)
		return attach_tell_detached(run->container->name);
	await_removal(run);
	/* A container may survive what happened to one of its processes. */
	if (end.oom_killed && end.status)
		report_oom(run);
	return (int)end.status;
}

static int start(struct run *run, struct err *err)
{
	int r = engine_connect(run->engine, run->container, &run->control, err);

	if (r == 0)
		r = engine_connect(run->engine, run->container, &run->waiter, err);
	if (r == 0)
		r = shim_wait_begin(run->waiter, run->container->id, NULL, err);
	if (r < 0)
		return r;
	if (engine_start(run->engine, run->container, run->control, err) < 0)
		return fail_start(run, err);
	if (!run->options->detach)
		return stay(run, err);
	puts(run->container->id);
	return 0;
}

/* Nobody could tell which container it is: there is none then. */
static int write_cidfile(struct run *run, struct err *err)
{
	int r = run->cidfile ? cidfile_write(run->cidfile, run->container->id, err) : 0;

	if (r < 0)
		engine_destroy(run->engine, run->container, true, NULL);
	return r;
}

static int run_container(const struct ctr *ctr, struct engine_run_options *options,
			 const struct run_args *args, struct err *err)
{
	_cleanup_(run_deinit) struct run run = { .options = options,
						 .cidfile = args->cidfile,
						 .detach_keys = args->supervision.detach_keys,
						 .io = ENGINE_STDIO_NONE };
	int r;

	if (options->terminal && options->interactive && !options->detach && !isatty(STDIN_FILENO))
		return err_say(err, ENOTTY,
			       "-t with -i needs a terminal, and stdin is none; leave out -t");
	if (options->terminal)
		terminal_size(&options->console_width, &options->console_height);
	r = run.cidfile ? cidfile_check(run.cidfile, err) : 0;
	if (r == 0)
		r = ctr_open(ctr, &run.engine, err);
	if (r < 0)
		return r;
	attach_block_signals();
	if (engine_create(run.engine, options, &run.container, &run.io, err) < 0) {
		ctr_complain(&verb_run, err);
		return code_of_failure(err);
	}
	r = write_cidfile(&run, err);
	return r < 0 ? r : start(&run, err);
}

static int run_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_(run_args_deinit) struct run_args args = RUN_ARGS_DEFAULT;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_run_options options = { 0 };
	char **words;
	size_t count;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "read the command line");
	r = options_parse(&verb_run.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	options.image = words[0];
	options.args = (const char *const *)words + 1;
	r = run_args_fill(&args, arena, &options, err);
	return r < 0 ? r : run_container(ctr, &options, &args, err);
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
