/* SPDX-License-Identifier: Apache-2.0 */
/* ctr exec: one more process in a running container. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "cmd/ctr/assignment_file.h"
#include "cmd/ctr/attach.h"
#include "cmd/ctr/detach_keys.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/terminal.h"
#include "cmd/ctr/verbs.h"
#include "runtime/shim/client.h"

#define FAILURE_WAIT_MS 10000

struct exec_args {
	bool detach, interactive, tty;
	struct options_list env, env_files;
	const char *workdir, *user, *detach_keys;
};

struct exec {
	struct engine *engine;
	struct engine_container *container;
	struct engine_exec_options options;
	struct engine_stdio io;
	struct shim_client *control, *waiter;
	char *exec_id;
	const char *detach_keys;
};

static void exec_deinit(struct exec *exec)
{
	shim_close(exec->control);
	shim_close(exec->waiter);
	engine_stdio_close(&exec->io);
	engine_container_free(exec->container);
	engine_close(exec->engine);
	free(exec->exec_id);
}

/* As for run: the status that Wait gives tells why. */
static int fail_start(struct exec *exec, const struct err *err)
{
	struct pollfd fd = { .fd = shim_fd(exec->waiter), .events = POLLIN };
	struct shim_exit end = { .status = EXIT_OURS };

	if (poll(&fd, 1, FAILURE_WAIT_MS) > 0)
		shim_wait_finish(exec->waiter, &end, NULL);
	shim_delete(exec->control, exec->container->id, exec->exec_id, NULL, NULL);
	ctr_complain(&verb_exec, err);
	return end.status == EXIT_NOT_EXECUTABLE || end.status == EXIT_NOT_FOUND ? (int)end.status
										 : EXIT_OURS;
}

static int stay(struct exec *exec, struct err *err)
{
	struct attach_options attach = {
		.control = exec->control,
		.waiter = exec->waiter,
		.id = exec->container->id,
		.exec_id = exec->exec_id,
		.io = &exec->io,
		.terminal = exec->options.terminal,
		.detach_keys = exec->detach_keys,
	};
	struct shim_exit end;
	int r = attach_run(&attach, &end, err);

	if (r < 0)
		return err_add(err, "process in container %s", exec->container->name);
	if (r > 0)
		return attach_tell_detached(exec->container->name);
	/* Forgets it; where the container ended too there is nobody left to ask. */
	shim_delete(exec->control, exec->container->id, exec->exec_id, NULL, NULL);
	return (int)end.status;
}

static int start(struct exec *exec, struct err *err)
{
	const char *id = exec->container->id;
	int r = engine_connect(exec->engine, exec->container, &exec->control, err);

	if (r == 0)
		r = engine_connect(exec->engine, exec->container, &exec->waiter, err);
	if (r == 0)
		r = engine_exec(exec->engine, exec->container, exec->control, &exec->options,
				&exec->exec_id, &exec->io, err);
	if (r == 0)
		r = shim_wait_begin(exec->waiter, id, exec->exec_id, err);
	if (r == -ETIMEDOUT)
		err_add(err, "container %s", exec->container->name);
	if (r < 0)
		return r;
	if (shim_start(exec->control, id, exec->exec_id, NULL, err) < 0)
		return fail_start(exec, err);
	return exec->options.detach ? 0 : stay(exec, err);
}

static int execute(const struct ctr *ctr, const char *name, struct exec *exec, struct err *err)
{
	struct engine_exec_options *o = &exec->options;
	int r;

	if (o->terminal && o->interactive && !o->detach && !isatty(STDIN_FILENO))
		return err_say(err, ENOTTY,
			       "-t with -i needs a terminal, and stdin is none; leave out -t");
	if (o->terminal)
		terminal_size(&o->console_width, &o->console_height);
	r = ctr_open(ctr, &exec->engine, err);
	if (r == 0)
		r = engine_find(exec->engine, name, &exec->container, err);
	if (r < 0)
		return r;
	if (exec->container->damage && strcmp(exec->container->status, "damaged") == 0)
		return err_say(err, EBADMSG, "container %s is damaged (%s)", exec->container->name,
			       exec->container->damage);
	if (strcmp(exec->container->status, "running") != 0)
		return err_say(err, ESRCH, "container %s is %s, not running", exec->container->name,
			       exec->container->status);
	attach_block_signals();
	return start(exec, err);
}

static void exec_args_deinit(struct exec_args *args)
{
	options_list_deinit(&args->env);
	options_list_deinit(&args->env_files);
}

static int exec_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_(exec_args_deinit) struct exec_args args = { 0 };
	_cleanup_(exec_deinit) struct exec exec = { .io = ENGINE_STDIO_NONE };
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *const *env = NULL;
	char **words;
	size_t count;
	int r = options_parse(&verb_exec.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (!arena)
		return err_set(err, ENOMEM, "read the command line");
	if (assignment_files_read(&args.env_files, &args.env, ASSIGNMENT_BARE_FROM_OURS, arena,
				  &env, err) < 0)
		return err_add(err, "--env-file");
	exec.detach_keys = args.detach_keys;
	exec.options = (struct engine_exec_options){
		.args = (const char *const *)words + 1,
		.env = env,
		.workdir = args.workdir,
		.user = args.user,
		.terminal = args.tty,
		.interactive = args.interactive,
		.detach = args.detach,
	};
	return execute(ctr, words[0], &exec, err);
}

/* clang-format off */
static const struct option_entry exec_options[] = {
	OPTION_BOOL(struct exec_args, detach, 'd', "detach", "return when it is started"),
	OPTION_BOOL(struct exec_args, interactive, 'i', "interactive", "pass stdin on"),
	OPTION_BOOL(struct exec_args, tty, 't', "tty", "give it a terminal"),
	OPTION_LIST(struct exec_args, env, 'e', "env", "NAME[=VALUE]", "set a variable, or take ours"),
	OPTION_LIST(struct exec_args, env_files, 0, "env-file", "FILE", "set the variables of a file, a line NAME=VALUE each"),
	OPTION_STRING(struct exec_args, workdir, 'w', "workdir", "DIR", "working folder"),
	OPTION_STRING(struct exec_args, user, 'u', "user", "USER[:GROUP]", "run as this user, by name or number"),
	OPTION_STRING(struct exec_args, detach_keys, 0, "detach-keys", "KEYS", "leave the terminal by these keys (default " DETACH_KEYS_DEFAULT ")"),
	OPTION_END,
};
/* clang-format on */

const struct verb verb_exec = {
	.command = {
		.name = "ctr exec",
		.args = "CONTAINER COMMAND [ARG...]",
		.summary = "run one more command in a running container",
		.details =
			"The exit status is the command's; 125, 126 and 127 as for `ctr run`.\n"
			"\n"
			"Examples:\n"
			"  ctr exec web ps\n"
			"  ctr exec -it web sh\n"
			"  ctr exec -u 1000 -w /tmp -e A=b web env",
		.options = exec_options,
		.hints = foreign_exec_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_min = 2,
		.args_max = SIZE_MAX,
	},
	.failure = EXIT_OURS,
	.run = exec_verb,
};
