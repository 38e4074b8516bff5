/* SPDX-License-Identifier: Apache-2.0 */
/* cellar, the OCI runtime: global options, then a verb of the table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "cmd/cellar/rootless.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

static const struct verb *const verbs[] = {
	&verb_checkpoint, &verb_create, &verb_delete, &verb_events, &verb_exec,	 &verb_features,
	&verb_kill,	  &verb_list,	&verb_mounts, &verb_pause,  &verb_ps,	 &verb_restore,
	&verb_resume,	  &verb_run,	&verb_spec,   &verb_start,  &verb_state, &verb_update,
};

static const struct option_entry global_options[] = {
	OPTION_STRING(struct cellar_globals, root, 0, "root", "DIR",
		      "folder of the containers' state (default " CONTAINER_ROOT_DEFAULT
		      "; if not root, $XDG_RUNTIME_DIR/cellar)"),
	OPTION_STRING(struct cellar_globals, log, 0, "log", "FILE",
		      "append messages to a file, or to syslog:NAME or journald:NAME"),
	OPTION_STRING(struct cellar_globals, log_format, 0, "log-format", "text|json",
		      "form of the messages (default text)"),
	OPTION_STRING(struct cellar_globals, log_level, 0, "log-level", "LEVEL",
		      "least level to write: debug, info, warning, error (default info)"),
	OPTION_BOOL(struct cellar_globals, systemd_cgroup, 0, "systemd-cgroup",
		    "let systemd make cgroups; linux.cgroupsPath is slice:prefix:name"),
	OPTION_STRING(struct cellar_globals, cgroup_manager, 0, "cgroup-manager", "MANAGER",
		      "who makes cgroups: cgroupfs (default), systemd, disabled (nobody)"),
	OPTION_STRING(struct cellar_globals, rootless, 0, "rootless", "true|false|auto",
		      "do without a cgroup that may not be made (default auto: if not root)"),
	OPTION_STRING(struct cellar_globals, criu, 0, "criu", "FILE",
		      "program for checkpoint and restore (default criu of the system)"),
	OPTION_BOOL(struct cellar_globals, debug, 0, "debug", "write debugging messages too"),
	OPTION_BOOL(struct cellar_globals, version, 'v', "version", "print the version"),
	OPTION_END,
};

static const struct options_command program = {
	.name = "cellar",
	.args = "COMMAND [ARG...]",
	.summary = "run containers as the Open Container Initiative specifies them",
	.options = global_options,
	.flags = OPTIONS_STOP_AT_ARG | OPTIONS_SINGLE_DASH,
	.args_max = SIZE_MAX,
};

static int print_help(void)
{
	options_help(&program, stdout);
	puts("\nCommands:");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-12s%s\n", strchr(verbs[i]->command.name, ' ') + 1,
		       verbs[i]->command.summary);
	puts("\n'cellar COMMAND --help' tells more about a command.");
	return 0;
}

static int fail(const struct cellar_globals *globals, int status, const struct err *err)
{
	/* Callers read the last error line of the log, which is stderr where no other is named; a
	 * person reads stderr. */
	bool json = globals->log_format && strcmp(globals->log_format, "json") == 0;

	if (globals->log || json)
		log_error("%s", err->text);
	if (globals->log || !json)
		fprintf(stderr, "cellar: %s\n", err->text);
	return status;
}

static int set_level(const char *name, struct err *err)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{ "debug", LOG_LEVEL_DEBUG }, { "info", LOG_LEVEL_INFO },
		{ "warn", LOG_LEVEL_WARN },   { "warning", LOG_LEVEL_WARN },
		{ "error", LOG_LEVEL_ERROR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcmp(name, levels[i].name) == 0) {
			log_set_level(levels[i].level);
			return 0;
		}
	}
	return err_say(err, EINVAL, "--log-level: '%s' is none of debug, info, warning, error",
		       name);
}

static int open_log(const struct cellar_globals *globals, struct err *err)
{
	const char *format = globals->log_format ? globals->log_format : "text";
	bool json = strcmp(format, "json") == 0;

	if (!json && strcmp(format, "text") != 0)
		return err_say(err, EINVAL, "--log-format: '%s' is neither text nor json", format);
	if (globals->log_level)
		err_try(set_level(globals->log_level, err));
	if (globals->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	if (globals->rootless && strcmp(globals->rootless, "true") != 0 &&
	    strcmp(globals->rootless, "false") != 0 && strcmp(globals->rootless, "auto") != 0)
		return err_say(err, EINVAL, "--rootless: '%s' is none of true, false, auto",
			       globals->rootless);
	return log_open(globals->log, json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT, err);
}

/* Those of the verbs that look at containers. */
static int set_root(const struct verb *verb, struct cellar_globals *globals, struct err *err)
{
	bool makes = verb == &verb_create || verb == &verb_run;

	if (globals->root || verb == &verb_spec || verb == &verb_features)
		return 0;
	return rootless_set_root(globals, makes, err);
}

static int failure_status(const struct verb *verb, const struct err *err)
{
	if (err->code == ENOEXEC && verb->failure_exec)
		return verb->failure_exec;
	return verb->failure ? verb->failure : 1;
}

static int run_verb(struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		const struct verb *verb = verbs[i];
		int r;

		if (strcmp(strchr(verb->command.name, ' ') + 1, argv[0]) != 0)
			continue;
		log_debug("%s version " CELLAR_VERSION ", state in %s", verb->command.name,
			  globals->root ? globals->root : "the default folder");
		r = set_root(verb, globals, err);
		if (r == 0)
			r = verb->run(globals, argc - 1, argv + 1, err);
		if (r == VERB_HELP)
			options_help(&verb->command, stdout);
		if (r < 0)
			return fail(globals, failure_status(verb, err), err);
		return r == VERB_HELP ? 0 : r;
	}
	err_say(err, EINVAL, "No help topic for '%s'; 'cellar --help' lists the commands", argv[0]);
	return fail(globals, 3, err);
}

int main(int argc, char **argv)
{
	struct cellar_globals globals = { 0 };
	struct err err = { 0 };
	char **words;
	size_t count;
	int r;

	fd_reserve_standard();
	umask(022); /* a strange one of the caller's must not close folders to ourselves */
	r = options_parse(&program, argc - 1, argv + 1, &globals, &words, &count, &err);
	if (r < 0 || (r == 0 && open_log(&globals, &err) < 0)) {
		globals.log = globals.log_format = NULL; /* it is not open */
		return fail(&globals, 1, &err);
	}
	if (r == 0 && globals.version) {
		printf("cellar version " CELLAR_VERSION "\ncommit: " CELLAR_COMMIT
		       "\nspec: " OCI_VERSION "\n");
		return 0;
	}
	if (r > 0 || count == 0 || strcmp(words[0], "help") == 0 || strcmp(words[0], "h") == 0)
		return print_help();
	return run_verb(&globals, (int)count, words, &err);
}

int verb_parse(const struct verb *verb, int argc, char **argv, void *target, char ***ret_args,
	       size_t *ret_count, struct err *err)
{
	int r = options_parse(&verb->command, argc, argv, target, ret_args, ret_count, err);

	return r > 0 ? VERB_HELP : r;
}
