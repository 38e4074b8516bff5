/* SPDX-License-Identifier: Apache-2.0 */
/* cellar-cell: what `ctr job` and `ctr machine` execute. Its words are those of ctr. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/tame.h"
#include "cmd/cellar-cell/verbs.h"

static const struct verb *const verbs[] = {
	&verb_job_run,	  &verb_job_ls,	   &verb_job_status,   &verb_job_why,
	&verb_job_logs,	  &verb_job_stop,  &verb_job_validate, &verb_machine_ls,
	&verb_secret_set, &verb_secret_ls, &verb_secret_rm,
};

static int complain(const char *what, struct err *err)
{
	tame(err->text);
	fflush(stdout);
	fprintf(stderr, "ctr: %s%s%s\n", what, *what ? ": " : "", err->text);
	return 1;
}

static int run(const struct cellar_cell *cell, const struct verb *verb, int argc, char **argv)
{
	const char *name = verb->command.name + strlen("ctr ");
	struct err err = { 0 };
	int r = verb->run(cell, argc, argv, &err);

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

/* "job run" is the name behind "ctr ". */
static bool is_called(const struct verb *verb, const char *group, const char *word)
{
	const char *name = verb->command.name + strlen("ctr ");
	size_t len = strlen(group);

	return strncmp(name, group, len) == 0 && name[len] == ' ' &&
	       strcmp(name + len + 1, word) == 0;
}

static bool is_group(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		const char *name = verbs[i]->command.name + strlen("ctr ");

		if (strncmp(name, word, len) == 0 && name[len] == ' ')
			return true;
	}
	return false;
}

static int help(const char *group, FILE *out)
{
	size_t len = strlen(group);

	fprintf(out, "Usage: ctr %s COMMAND [ARG...]\n\nCommands:\n", group);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		const char *name = verbs[i]->command.name + strlen("ctr ");

		if (strncmp(name, group, len) == 0 && name[len] == ' ')
			fprintf(out, "  %-10s%s\n", name + len + 1, verbs[i]->command.summary);
	}
	fprintf(out, "\nEach has a help of its own: ctr %s ls --help\n", group);
	return out == stdout ? 0 : 1;
}

static const struct option_entry global_options[] = {
	OPTION_STRING(struct cellar_cell, root, 0, "root", "DIR", "as ctr has it"),
	OPTION_STRING(struct cellar_cell, runroot, 0, "runroot", "DIR",
		      "where the cell's socket is"),
	OPTION_END,
};

static const struct options_command global_command = {
	.name = "cellar-cell",
	.args = "GROUP COMMAND [ARG...]",
	.summary = "what ctr executes for work with a cell",
	.options = global_options,
	.flags = OPTIONS_STOP_AT_ARG,
	.args_max = SIZE_MAX,
};

int main(int argc, char **argv)
{
	struct cellar_cell cell = { 0 };
	struct err err = { 0 };
	const char *group;
	char **words;
	size_t count;
	int r;

	fd_reserve_standard();
	r = options_parse(&global_command, argc - 1, argv + 1, &cell, &words, &count, &err);
	if (r < 0)
		return complain("", &err);
	if (r > 0) {
		options_help(&global_command, stdout);
		return 0;
	}
	group = count ? words[0] : "job";
	if (!is_group(group)) {
		err_say(&err, EINVAL, "there is no command \"%s\"; there are %s", group,
			"job, machine and secret");
		return complain("", &err);
	}
	if (count < 2)
		return help(group, stderr);
	if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0)
		return help(group, stdout);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (is_called(verbs[i], group, words[1]))
			return run(&cell, verbs[i], (int)count - 2, words + 2);
	err_say(&err, EINVAL, "there is no command \"%s\"; `ctr %s --help` lists them", words[1],
		group);
	return complain(group, &err);
}
