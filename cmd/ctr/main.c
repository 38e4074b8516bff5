/* SPDX-License-Identifier: Apache-2.0 */
/* ctr: containers for a person at a shell. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/rootless.h"
#include "cmd/ctr/verbs.h"

/* One a line, in the order of the help. */
/* clang-format off */
const struct verb *const ctr_verbs[] = {
	&verb_run,
	&verb_create,
	&verb_start,
	&verb_ps,
	&verb_exec,
	&verb_cp,
	&verb_diff,
	&verb_export,
	&verb_logs,
	&verb_inspect,
	&verb_port,
	&verb_stop,
	&verb_kill,
	&verb_attach,
	&verb_restart,
	&verb_pause,
	&verb_unpause,
	&verb_top,
	&verb_update,
	&verb_upgrade,
	&verb_rename,
	&verb_wait,
	&verb_rm,
	&verb_stats,
	&verb_events,
	&verb_image,
	&verb_volume,
	&verb_job,
	&verb_alloc,
	&verb_machine,
	&verb_cell,
	&verb_secret,
	&verb_policy,
	&verb_quota,
	&verb_version,
	&verb_info,
	&verb_completion,
	NULL,
};
/* clang-format on */

const struct option_entry ctr_global_options[] = {
	OPTION_STRING(struct ctr, root, 0, "root", "DIR",
		      "images, containers, volumes (default " ENGINE_ROOT_DEFAULT ")"),
	OPTION_STRING(struct ctr, runroot, 0, "runroot", "DIR",
		      "state of what runs (default " ENGINE_RUNROOT_DEFAULT ")"),
	OPTION_STRING(
		struct ctr, cell, 0, "cell", "URL",
		"a cell elsewhere, https://HOST:PORT (default: $CELLAR_CELL, or this host's)"),
	OPTION_BOOL(struct ctr, debug, 0, "debug", "say what is done"),
	OPTION_BOOL(struct ctr, version, 'v', "version", "print the version"),
	OPTION_END,
};

static const struct options_command global_command = {
	.name = "ctr",
	.args = "COMMAND [ARG...]",
	.summary = "run containers",
	.options = ctr_global_options,
	.flags = OPTIONS_STOP_AT_ARG,
	.args_max = SIZE_MAX,
};

static int print_help(FILE *out)
{
	fputs("ctr - run containers\n\nUsage: ctr [OPTIONS] COMMAND [ARG...]\n\nCommands:\n", out);
	for (const struct verb *const *v = ctr_verbs; *v; v++)
		fprintf(out, "  %-11s%s\n", (*v)->command.name + strlen("ctr "),
			(*v)->command.summary);
	fputs("\nOptions:\n", out);
	options_help_table(ctr_global_options, out);
	fputs("\n`ctr help COMMAND` explains one, with examples. The first steps:\n\n"
	      "  ctr image import ./bb.tar\n"
	      "  ctr run --rm -it bb sh\n",
	      out);
	return out == stdout ? 0 : EXIT_OURS;
}

static const struct verb *find(const char *name)
{
	const char *hint = foreign_command(NULL, name);

	for (const struct verb *const *v = ctr_verbs; *v; v++)
		if (strcmp(name, (*v)->command.name + strlen("ctr ")) == 0)
			return *v;
	fprintf(stderr, "ctr: there is no command \"%s\"%s %s\n", name, hint ? ":" : ";",
		hint ? hint : "`ctr --help` lists them");
	return NULL;
}

/* And does not only tell about itself. */
static bool works(const struct verb *verb, size_t count, char **args)
{
	bool group = verb == &verb_image || verb == &verb_volume;
	size_t at = group ? 2 : 1;

	if (verb == &verb_version || (group && count < 2))
		return false;
	return count <= at || (strcmp(args[at], "--help") != 0 && strcmp(args[at], "-h") != 0);
}

int main(int argc, char **argv)
{
	struct ctr ctr = { 0 };
	struct err err = { 0 };
	const struct verb *verb;
	char **args;
	size_t count, at;
	int r;

	fd_reserve_standard();
	umask(022);
	r = options_parse(&global_command, argc - 1, argv + 1, &ctr, &args, &count, &err);
	if (r < 0) {
		fprintf(stderr, "ctr: %s\n", err.text);
		return EXIT_OURS;
	}
	if (r > 0)
		return print_help(stdout);
	log_set_level(ctr.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
	if (ctr.version)
		return ctr_dispatch(&verb_version, &ctr, 0, args);
	if (count && strcmp(args[0], "help") == 0) {
		if (count == 1)
			return print_help(stdout);
		verb = find(args[1]);
		/* `help image ls`: the next word is a command, too. */
		at = (verb == &verb_image || verb == &verb_volume) && count > 2 ? 3 : 2;
		args[at] = (char[]){ "--help" };
		return verb ? ctr_dispatch(verb, &ctr, (int)at - 1, args + 2) : EXIT_OURS;
	}
	verb = count ? find(args[0]) : NULL;
	if (!verb)
		return count ? EXIT_OURS : print_help(stderr);
	if (geteuid() != 0 && works(verb, count, args) && rootless_enter(&ctr, &err) < 0) {
		ctr_complain(verb, &err);
		return verb->failure ? verb->failure : 1;
	}
	return ctr_dispatch(verb, &ctr, (int)count - 1, args + 1);
}
