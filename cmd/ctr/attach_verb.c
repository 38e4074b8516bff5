/* SPDX-License-Identifier: Apache-2.0 */
/* ctr attach: a person's terminal, or pipes, on a container that runs already. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ctr/attach.h"
#include "cmd/ctr/detach_keys.h"
#include "cmd/ctr/next_shim.h"
#include "cmd/ctr/verbs.h"

struct attach_args {
	bool no_stdin;
	const char *detach_keys;
};

struct attached {
	struct engine *engine;
	struct engine_container *container;
	struct engine_stdio io;
	struct shim_client *control, *waiter;
};

static void attached_deinit(struct attached *a)
{
	shim_close(a->control);
	shim_close(a->waiter);
	engine_stdio_close(&a->io);
	engine_container_free(a->container);
	engine_close(a->engine);
}

static struct next_shim shims_of(struct attached *a)
{
	return (struct next_shim){ .engine = a->engine,
				   .container = a->container,
				   .control = &a->control,
				   .waiter = &a->waiter,
				   .late = &a->io };
}

static int connect_shim(struct attached *a, struct err *err)
{
	struct next_shim shims = shims_of(a);

	return next_shim_connect(&shims, a->container, err);
}

/* attach_options.find_next */
static int find_next_shim(void *data, struct shim_client **ret_control,
			  struct shim_client **ret_waiter, struct shim_exit *ret)
{
	struct attached *a = data;
	struct next_shim next = shims_of(a);
	int r = next_shim_find(&next, ret);

	if (r != 0)
		return r;
	*ret_control = a->control;
	*ret_waiter = a->waiter;
	return 0;
}

static int stay(struct attached *a, const struct attach_args *args, struct err *err)
{
	const struct engine_container *c = a->container;
	struct attach_options options = {
		.control = a->control,
		.waiter = a->waiter,
		.id = c->id,
		.io = &a->io,
		.terminal = c->terminal,
		.detach_keys = args->detach_keys,
		.late = true,
		.find_next = find_next_shim,
		.data = a,
	};
	struct shim_exit end;
	int r = attach_run(&options, &end, err);

	if (r == -EINTR)
		return err_say(err, EINTR, "container %s goes on running", c->name);
	if (r < 0)
		return err_add(err, "container %s", c->name);
	if (r > 0)
		return attach_tell_detached(c->name);
	if (end.unknown)
		return err_say(err, ENODATA,
			       "container %s has ended; its supervisor was killed, so its exit "
			       "status is unknown",
			       c->name);
	return (int)end.status;
}

static int attach_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_(attached_deinit) struct attached a = { .io = ENGINE_STDIO_NONE };
	struct attach_args args = { 0 };
	bool want_stdin;
	char **words;
	size_t count;
	int r = options_parse(&verb_attach.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = ctr_open(ctr, &a.engine, err);
	if (r == 0)
		r = engine_find(a.engine, words[0], &a.container, err);
	if (r < 0)
		return r;
	if (!a.container->pid || strcmp(a.container->status, "created") == 0)
		return err_say(err, ESRCH, "container %s is %s, not running", a.container->name,
			       a.container->status);
	want_stdin = a.container->interactive && !args.no_stdin;
	if (want_stdin && a.container->terminal && !isatty(STDIN_FILENO))
		return err_say(err, ENOTTY,
			       "container %s has a terminal, and stdin is none; add --no-stdin",
			       a.container->name);
	attach_block_signals();
	r = connect_shim(&a, err);
	if (r == 0)
		r = engine_attach(a.engine, a.container, a.control, want_stdin, &a.io, err);
	return r < 0 ? r : stay(&a, &args, err);
}

/* clang-format off */
static const struct option_entry attach_options[] = {
	OPTION_BOOL(struct attach_args, no_stdin, 0, "no-stdin", "only watch"),
	OPTION_STRING(struct attach_args, detach_keys, 0, "detach-keys", "KEYS", "leave the terminal by these keys (default " DETACH_KEYS_DEFAULT ")"),
	OPTION_END,
};
/* clang-format on */

const struct verb verb_attach = {
	.command = {
		.name = "ctr attach",
		.args = "CONTAINER",
		.summary = "see what a running container writes, and type to it",
		.details = "Shows what it writes from now on; ctrl-p ctrl-q leaves it running. Several may\n"
			   "attach at once; one that does not read is left behind. It goes on when the\n"
			   "container's supervisor dies and another one takes over. The exit status is the\n"
			   "container's.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr run -dit --name box bb sh; ctr attach box",
		.options = attach_options,
		.args_min = 1,
		.args_max = 1,
	},
	.failure = EXIT_OURS,
	.run = attach_verb,
};
