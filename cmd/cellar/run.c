/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/process.h"
#include "cmd/cellar/create_options.h"
#include "cmd/cellar/foreground.h"
#include "cmd/cellar/notify.h"
#include "cmd/cellar/verbs.h"
#include "runtime/memory_limit.h"

struct args {
	struct create_options create;
	bool detach, keep, no_subreaper;
};

static const struct option_entry options[] = {
	CREATE_OPTIONS(struct args, create.),
	OPTION_BOOL(struct args, detach, 'd', "detach", "return when it is started"),
	OPTION_BOOL(struct args, keep, 0, "keep", "leave the container in place when it has ended"),
	OPTION_BOOL(struct args, no_subreaper, 0, "no-subreaper",
		    "leave its orphaned processes to the system's init"),
	OPTION_END,
};

static void delete_quietly(struct container *c)
{
	struct err err = { 0 };

	if (container_delete(c, true, &err) < 0)
		log_warn("%s", err.text);
}

/* A container of our own that failed to start has left a zombie. */
static void undo(struct container *c)
{
	int status;

	delete_quietly(c);
	if (container_pidfd(c) >= 0)
		process_wait(container_pidfd(c), &status);
}

static int run_detached(struct container_create_options *create, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	_cleanup_fd_ int notify = -1;
	int r;

	err_try(container_create(create, &c, err));
	r = notify_open(create->root, create->id, &notify, err);
	if (r == 0)
		r = container_start(c, err);
	if (r < 0)
		undo(c);
	else
		notify_wait(notify, container_pid(c), container_pidfd(c));
	return r;
}

static int supervise(struct container *c, const char *root, struct foreground *fg, int *ret_code,
		     struct err *err)
{
	_cleanup_fd_ int master = container_take_console(c);

	if (master >= 0)
		err_try(foreground_couple(fg, master, err));
	err_try(notify_open(root, container_id(c), &fg->notify_fd, err));
	err_try(container_start(c, err));
	return foreground_run(fg, container_pid(c), container_pidfd(c), ret_code, err);
}

static int run_here(struct container_create_options *create, const struct args *a, struct err *err)
{
	_cleanup_foreground_ struct foreground fg = FOREGROUND_NONE;
	_cleanup_container_ struct container *c = NULL;
	struct err why = { 0 };
	int code = 0, r;

	if (create->console_socket)
		return err_say(err, EINVAL, "--console-socket goes with --detach only");
	if (!a->no_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_set(err, errno, "become the subreaper");
	create->want_console = true;
	err_try(foreground_prepare(&fg, err));
	err_try(container_create(create, &c, err));
	r = supervise(c, create->root, &fg, &code, err);
	if (r == 0 && code == 128 + SIGKILL && memory_limit_killed(c, &why))
		log_error("%s", why.text);
	if (r < 0)
		undo(c);
	/* Its interpreter is missing, which nobody saw before: runc's status, as of a bad format.
	 */
	if (r < 0 && err->code == ENOENT)
		err->code = ENOEXEC;
	if (r >= 0 && !a->keep)
		delete_quietly(c);
	return r < 0 ? r : code;
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	struct container_create_options create;
	struct args a = { 0 };
	char **args;
	size_t count;
	int r = verb_parse(&verb_run, argc, argv, &a, &args, &count, err);

	if (r != 0)
		return r;
	err_try(create_options_fill(&a.create, globals, args[0], &create, err));
	create.start_here = create.start_follows = true;
	return a.detach ? run_detached(&create, err) : run_here(&create, &a, err);
}

const struct verb verb_run = {
	.command = { .name = "cellar run",
		     .args = "ID",
		     .summary = "make a container, start it, wait for it and delete it",
		     .details =
			     "The exit status is the container's, or 128 and the number of the signal\n"
			     "that ended it; 1 when it could not be run, 255 when it was no program.",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.failure_exec = 255,
	.run = run,
};
