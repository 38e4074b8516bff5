/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: the process is the container's own with other arguments, or a document of its own
 * (--process); options change either.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "cmd/cellar/create_options.h"
#include "cmd/cellar/foreground.h"
#include "cmd/cellar/verbs.h"

#define PROCESS_BYTES_MAX (4u << 20)

struct args {
	const char *console_socket, *cwd, *user, *process, *pid_file, *pidfd_socket, *apparmor,
		*process_label;
	struct options_list env, additional_gids, caps, cgroups;
	bool tty, detach, no_new_privs, ignore_paused, no_subreaper;
	int64_t preserve_fds;
};

static const struct option_entry options[] = {
	OPTION_STRING(struct args, console_socket, 0, "console-socket", "SOCKET",
		      "AF_UNIX socket that gets the terminal's master"),
	OPTION_STRING(struct args, cwd, 0, "cwd", "DIR", "current folder in the container"),
	OPTION_LIST(struct args, env, 'e', "env", "NAME=VALUE", "set a variable, may be repeated"),
	OPTION_BOOL(struct args, tty, 't', "tty", "make a terminal"),
	OPTION_STRING(struct args, user, 'u', "user", "UID[:GID]", "user and group, as numbers"),
	OPTION_LIST(struct args, additional_gids, 'g', "additional-gids", "GID",
		    "one more group, may be repeated"),
	OPTION_STRING(struct args, process, 'p', "process", "FILE",
		      "the process as JSON, in place of words and options"),
	OPTION_BOOL(struct args, detach, 'd', "detach", "return when it is started"),
	OPTION_STRING(struct args, pid_file, 0, "pid-file", "FILE", "write its pid to a file"),
	OPTION_STRING(struct args, pidfd_socket, 0, "pidfd-socket", "SOCKET",
		      "AF_UNIX socket that gets a pidfd of the process"),
	OPTION_LIST(struct args, cgroups, 0, "cgroup", "[CONTROLLERS:]PATH",
		    "cgroup to run in, below the container's; may be repeated"),
	OPTION_BOOL(struct args, no_subreaper, 0, "no-subreaper",
		    "accepted for other runtimes' callers: exec adopts nobody"),
	OPTION_STRING(struct args, process_label, 0, "process-label", "LABEL", "SELinux label"),
	OPTION_STRING(struct args, apparmor, 0, "apparmor", "PROFILE", "AppArmor profile"),
	OPTION_BOOL(struct args, no_new_privs, 0, "no-new-privs", "set no_new_privs"),
	OPTION_LIST(struct args, caps, 'c', "cap", "NAME", "one more capability, may be repeated"),
	OPTION_INT(struct args, preserve_fds, 0, "preserve-fds", 0, PRESERVE_FDS_MAX, "N",
		   "keep N descriptors open, from 3 on"),
	OPTION_BOOL(struct args, ignore_paused, 0, "ignore-paused",
		    "also in a paused container, where it runs on when that is resumed"),
	OPTION_END,
};

static void args_deinit(struct args *a)
{
	options_list_deinit(&a->env);
	options_list_deinit(&a->additional_gids);
	options_list_deinit(&a->caps);
	options_list_deinit(&a->cgroups);
}

static int parse_id(const char *text, char end, uint32_t *ret, const char **ret_end)
{
	char *stop;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &stop, 10);
	if (errno || stop == text || text[0] == '-' || n > UINT32_MAX - 1 ||
	    (*stop && *stop != end))
		return -EINVAL;
	*ret = (uint32_t)n;
	*ret_end = stop;
	return 0;
}

static int set_user(const struct args *a, struct arena *arena, struct oci_user *user,
		    struct err *err)
{
	const char *at = a->user && *a->user ? a->user : NULL, *list;
	uint32_t *gids;

	if (at && (parse_id(at, ':', &user->uid, &at) < 0 ||
		   (*at && parse_id(at + 1, '\0', &user->gid, &at) < 0)))
		return err_say(err, EINVAL, "--user: '%s' is not UID[:GID] in numbers", a->user);
	if (a->additional_gids.count == 0)
		return 0;
	gids = arena_calloc(arena, user->additional_gids_count + a->additional_gids.count,
			    sizeof(*gids));
	if (!gids)
		return err_set(err, ENOMEM, "--additional-gids");
	if (user->additional_gids_count > 0)
		memcpy(gids, user->additional_gids, user->additional_gids_count * sizeof(*gids));
	for (size_t i = 0; i < a->additional_gids.count; i++) {
		list = a->additional_gids.items[i];
		if (parse_id(list, '\0', &gids[user->additional_gids_count + i], &at) < 0)
			return err_say(err, EINVAL, "--additional-gids: '%s' is no group number",
				       list);
	}
	user->additional_gids = gids;
	user->additional_gids_count += a->additional_gids.count;
	return 0;
}

static int add_env(const struct args *a, struct arena *arena, struct oci_process *p,
		   struct err *err)
{
	const char **env = arena_calloc(arena, p->env_count + a->env.count + 1, sizeof(*env));

	if (!env)
		return err_set(err, ENOMEM, "--env");
	if (p->env_count > 0)
		memcpy(env, p->env, p->env_count * sizeof(*env));
	for (size_t i = 0; i < a->env.count; i++) {
		if (!strchr(a->env.items[i], '=') || a->env.items[i][0] == '=')
			return err_say(err, EINVAL, "--env: '%s' is not NAME=VALUE",
				       a->env.items[i]);
		env[p->env_count + i] = a->env.items[i];
	}
	p->env = env;
	p->env_count += a->env.count;
	return 0;
}

static void add_caps(const struct args *a, struct oci_capabilities *caps)
{
	for (size_t i = 0; i < a->caps.count; i++) {
		int cap = oci_capability_parse(a->caps.items[i]);

		/* As in config.json, and as runc does. */
		if (cap < 0) {
			log_warn("--cap: unknown capability \"%s\" ignored", a->caps.items[i]);
			continue;
		}
		caps->set = true;
		caps->bounding |= UINT64_C(1) << cap;
		caps->effective |= UINT64_C(1) << cap;
		caps->permitted |= UINT64_C(1) << cap;
	}
}

static int read_process(const char *path, struct arena *arena, struct oci_process *ret,
			struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	err_try(file_read(AT_FDCWD, path, PROCESS_BYTES_MAX, &text, &len, err));
	return oci_process_parse(text, len, arena, ret, err) < 0 ? err_add(err, "%s", path) : 0;
}

/* words: the program and its arguments. */
static int compose(struct container *c, const struct args *a, char **words, size_t count,
		   struct arena *arena, struct oci_process *p, struct err *err)
{
	const struct oci_config *config = container_config(c);

	if (a->process)
		return read_process(a->process, arena, p, err);
	if (!config)
		return err_say(err, ENOENT, "container %s has lost its config.json",
			       container_id(c));
	*p = config->process;
	p->args = (const char *const *)words;
	p->args_count = count;
	p->terminal = a->tty;
	if (a->cwd)
		p->cwd = a->cwd;
	if (a->no_new_privs)
		p->no_new_privileges = true;
	if (a->apparmor)
		p->apparmor_profile = a->apparmor;
	if (a->process_label)
		p->selinux_label = a->process_label;
	err_try(add_env(a, arena, p, err));
	add_caps(a, &p->capabilities);
	return set_user(a, arena, &p->user, err);
}

/* In the words that runc's callers look for. */
static int launch(struct container *c, const struct container_exec_options *o,
		  struct container_process *ret, struct err *err)
{
	return container_exec(c, o, ret, err) < 0
		       ? err_add(err, "unable to start container process")
		       : 0;
}

static int exec_here(struct container *c, const struct container_exec_options *o, struct err *err)
{
	_cleanup_foreground_ struct foreground fg = FOREGROUND_NONE;
	_cleanup_fd_ int pidfd = -1, master = -1;
	struct container_process process;
	int code = 0, r = 0;

	if (o->console_socket)
		return err_say(err, EINVAL, "--console-socket goes with --detach only");
	if (o->process->terminal)
		err_try(foreground_check_tty(err));
	err_try(foreground_prepare(&fg, err));
	err_try(launch(c, o, &process, err));
	pidfd = process.pidfd;
	master = process.console_fd;
	if (master >= 0)
		r = foreground_couple(&fg, master, err);
	if (r == 0)
		r = foreground_run(&fg, process.pid, pidfd, &code, err);
	if (r < 0)
		process_pidfd_signal(pidfd, SIGKILL);
	return r < 0 ? r : code;
}

static int exec_detached(struct container *c, const struct container_exec_options *o,
			 struct err *err)
{
	struct container_process process;

	if (o->process->terminal && !o->console_socket)
		return err_say(
			err, EINVAL,
			"cannot allocate tty if the runtime will detach without setting console socket (--console-socket)");
	err_try(launch(c, o, &process, err));
	cleanup_fd(&process.pidfd);
	cleanup_fd(&process.console_fd);
	return 0;
}

static int exec(const struct cellar_globals *globals, const struct args *a, char **args,
		size_t count, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_process process = { 0 };
	struct container_exec_options o = {
		.process = &process,
		.console_socket = a->console_socket,
		.pid_file = a->pid_file,
		.pidfd_socket = a->pidfd_socket,
		.cgroups = a->cgroups.count ? a->cgroups.items : NULL,
		.preserve_fds = (unsigned)a->preserve_fds,
		.ignore_paused = a->ignore_paused,
	};

	if (!arena)
		return err_set(err, ENOMEM, "exec");
	if (!a->process && count < 2)
		return err_say(
			err, EINVAL,
			"exec args cannot be empty: no program is given, neither as words nor by --process");
	err_try(create_options_check_fds(a->preserve_fds, err));
	err_try(container_open(globals->root, args[0], &c, err));
	err_try(compose(c, a, args + 1, count - 1, arena, &process, err));
	return a->detach ? exec_detached(c, &o, err) : exec_here(c, &o, err);
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_(args_deinit) struct args a = { 0 };
	char **args;
	size_t count;
	int r = verb_parse(&verb_exec, argc, argv, &a, &args, &count, err);

	if (r != 0)
		return r;
	r = exec(globals, &a, args, count, err);
	return r < 0 ? err_add(err, "exec failed") : r;
}

const struct verb verb_exec = {
	.command = { .name = "cellar exec",
		     .args = "ID [PROGRAM [ARG...]]",
		     .summary = "run one more program in a container",
		     .details = "The exit status is the program's; 255 when it could not be run.\n"
				"  cellar exec -t web sh",
		     .options = options,
		     .flags = OPTIONS_SINGLE_DASH | OPTIONS_STOP_AT_ARG,
		     .args_min = 1,
		     .args_max = SIZE_MAX },
	.failure = 255,
	.run = run,
};
