/* SPDX-License-Identifier: Apache-2.0 */
/* restore: a container that goes on where a checkpoint of it was made. */
#include <sys/prctl.h>

#include "base/log.h"
#include "cmd/cellar/create_options.h"
#include "cmd/cellar/criu_options.h"
#include "cmd/cellar/foreground.h"

struct args {
	struct criu_args criu;
	struct create_options create;
	const char *lsm_profile, *lsm_mount_context;
	bool detach, keep, no_subreaper, tcp_close;
};

static const struct option_entry options[] = {
	CRIU_OPTIONS(struct args, criu.),
	CREATE_OPTIONS(struct args, create.),
	OPTION_BOOL(struct args, tcp_close, 0, "tcp-close", "connections that stood are closed"),
	OPTION_STRING(struct args, lsm_profile, 0, "lsm-profile", "TYPE:LABEL",
		      "process label in place of the one it had: apparmor:, selinux:"),
	OPTION_STRING(struct args, lsm_mount_context, 0, "lsm-mount-context", "CONTEXT",
		      "SELinux context of mounts in place of the one they had"),
	OPTION_BOOL(struct args, detach, 'd', "detach", "return when it runs"),
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

static int supervise(struct container *c, struct foreground *fg, int *ret_code, struct err *err)
{
	_cleanup_fd_ int master = container_take_console(c);

	if (master >= 0)
		err_try(foreground_couple(fg, master, err));
	return foreground_run(fg, container_pid(c), container_pidfd(c), ret_code, err);
}

static int restore_here(struct container_create_options *create, const struct args *a,
			struct err *err)
{
	_cleanup_foreground_ struct foreground fg = FOREGROUND_NONE;
	_cleanup_container_ struct container *c = NULL;
	int code = 0, r;

	if (create->console_socket)
		return err_say(err, EINVAL, "--console-socket goes with --detach only");
	if (!a->no_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_set(err, errno, "become the subreaper");
	create->want_console = true;
	err_try(foreground_prepare(&fg, err));
	err_try(container_create(create, &c, err));
	r = supervise(c, &fg, &code, err);
	if (r < 0 || !a->keep)
		delete_quietly(c);
	return r < 0 ? r : code;
}

static int restore(const struct args *a, const struct cellar_globals *globals, const char *id,
		   struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	struct container_criu_options criu;
	struct container_create_options create;

	err_try(criu_args_fill(&a->criu, globals, &criu, err));
	err_try(create_options_fill(&a->create, globals, id, &create, err));
	criu.tcp_close = a->tcp_close;
	criu.lsm_profile = a->lsm_profile;
	criu.lsm_mount_context = a->lsm_mount_context;
	create.restore = &criu;
	return a->detach ? container_create(&create, &c, err) : restore_here(&create, a, err);
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	struct args a = { 0 };
	char **args;
	size_t count;
	int r = verb_parse(&verb_restore, argc, argv, &a, &args, &count, err);

	if (r == 0)
		r = restore(&a, globals, args[0], err);
	options_deinit(options, &a);
	return r;
}

const struct verb verb_restore = {
	.command = { .name = "cellar restore",
		     .args = "ID",
		     .summary = "go on with a container that was checkpointed (by criu)",
		     .details = "The bundle is the one it was made from, with the same root file "
				"system; the\nid may be another. Without --detach it waits for the "
				"end, as 'cellar run' does.",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run,
};
