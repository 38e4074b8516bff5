/* SPDX-License-Identifier: Apache-2.0 */
/* celld: a cell on this machine, its simulator, its bench. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/tame.h"
#include "cmd/celld/verbs.h"

static const struct verb *const verbs[] = { &verb_dev,		&verb_restore, &verb_master,
					    &verb_agent,	&verb_join,    &verb_token,
					    &verb_check_config, &verb_sim,     &verb_why,
					    &verb_bench,	&verb_reach };

/* The folders may stand before the command, where ctr has them, or after it. */
struct celld {
	const char *root, *runroot;
	bool version;
};

static const struct option_entry global_options[] = {
	OPTION_STRING(struct celld, root, 0, "root", "DIR",
		      "where images and containers lie, for commands that take it"),
	OPTION_STRING(struct celld, runroot, 0, "runroot", "DIR",
		      "where their state lies, for commands that take it"),
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

/* Hands the folders on as the command's own options: one that has none of them refuses them. */
static int dispatch(const struct celld *celld, const struct verb *verb, size_t count, char **words)
{
	const char *name = verb->command.name + strlen("celld ");
	_cleanup_free_ char **argv = calloc(count + 4, sizeof(*argv));
	struct err err = { 0 };
	int argc = 0, r;

	if (!argv) {
		err_set(&err, ENOMEM, "keep the arguments");
		return complain(name, &err);
	}
	if (celld->root) {
		argv[argc++] = (char *)"--root";
		argv[argc++] = (char *)celld->root;
	}
	if (celld->runroot) {
		argv[argc++] = (char *)"--runroot";
		argv[argc++] = (char *)celld->runroot;
	}
	for (size_t i = 0; i < count; i++)
		argv[argc++] = words[i];
	r = verb->run(argc, argv, &err);
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
			return dispatch(&celld, verbs[i], count - 1, args + 1);
	err_say(&err, EINVAL, "there is no command \"%s\"; `celld --help` lists them", args[0]);
	return complain("", &err);
}
