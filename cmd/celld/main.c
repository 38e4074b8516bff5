/* SPDX-License-Identifier: Apache-2.0 */
/* celld: a cell on this machine, its simulator, its bench. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/tame.h"
#include "cmd/celld/verbs.h"

static const struct verb *const verbs[] = { &verb_dev,		&verb_restore, &verb_master,
					    &verb_agent,	&verb_join,    &verb_token,
					    &verb_check_config, &verb_sim,     &verb_why,
					    &verb_bench,	&verb_reach };

struct celld {
	bool version;
};

static const struct option_entry global_options[] = {
	OPTION_BOOL(struct celld, version, 0, "version", "print the version"),
	OPTION_END,
};

static const struct options_command global_command = {
	.name = "celld",
	.args = "COMMAND [ARG...]",
	.summary = "the cell daemon",
	.options = global_options,
	.flags = OPTIONS_STOP_AT_ARG,
	.args_max = SIZE_MAX,
};

static int print_help(FILE *out)
{
	fputs("celld - the cell daemon\n\nUsage: celld [OPTIONS] COMMAND [ARG...]\n\nCommands:\n",
	      out);
	/* One without a summary is not for people. */
	for (size_t i = 0; i < ARRAY_SIZE(verbs) && verbs[i]->command.summary; i++)
		fprintf(out, "  %-14s%s\n", verbs[i]->command.name + strlen("celld "),
			verbs[i]->command.summary);
	fputs("\nOptions:\n", out);
	options_help_table(global_options, out);
	return out == stdout ? 0 : 1;
}

static int complain(const char *verb, struct err *err)
{
	tame(err->text);
	fflush(stdout);
	fprintf(stderr, "celld: %s%s%s\n", verb, *verb ? ": " : "", err->text);
	return 1;
}

static int dispatch(const struct verb *verb, int argc, char **argv)
{
	const char *name = verb->command.name + strlen("celld ");
	struct err err = { 0 };
	int r = verb->run(argc, argv, &err);

	if (r == VERB_HELP) {
		options_help(&verb->command, stdout);
		r = 0;
	}
	if (r < 0)
		return complain(name, &err);
	if (fflush(stdout) == EOF && errno != EPIPE) {
		err_set(&err, errno, "write output");
		return complain(name, &err);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct celld celld = { 0 };
	struct err err = { 0 };
	char **args;
	size_t count;
	int r;

	fd_reserve_standard();
	r = options_parse(&global_command, argc - 1, argv + 1, &celld, &args, &count, &err);
	if (r < 0)
		return complain("", &err);
	if (r > 0)
		return print_help(stdout);
	if (celld.version) {
		puts("celld " CELLAR_VERSION);
		return 0;
	}
	if (!count)
		return print_help(stderr);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(args[0], verbs[i]->command.name + strlen("celld ")) == 0)
			return dispatch(verbs[i], (int)count - 1, args + 1);
	err_say(&err, EINVAL, "there is no command \"%s\"; `celld --help` lists them", args[0]);
	return complain("", &err);
}
