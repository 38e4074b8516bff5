/* SPDX-License-Identifier: Apache-2.0 */
/* cellar-cell: what `ctr job`, `alloc`, `machine` and `cell` execute. Its words are those of ctr.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/tame.h"
#include "cmd/cellar-cell/verbs.h"

#define GROUPS "job, alloc, machine, secret, policy, quota and cell"

static int complain(const char *what, struct err *err)
{
	tame(err->text);
	fflush(stdout);
	fprintf(stderr, "ctr: %s%s%s\n", what, *what ? ": " : "", err->text);
	return 1;
}

static int parse_output(const struct verb_args *args, bool *ret_json, struct err *err)
{
	const char *output = args->output;

	*ret_json = output && strcmp(output, "json") == 0;
	if (!output || *ret_json || strcmp(output, "table") == 0)
		return 0;
	return err_say(err, EINVAL, "-o: \"%s\" is unknown; there are table and json", output);
}

static int run_with(struct ask *ask, int argc, char **argv, struct err *err)
{
	const struct verb *verb = ask->verb;
	size_t size = verb->args_size ? verb->args_size : sizeof(struct verb_args);
	int r;

	ask->arena = arena_new();
	ask->args = ask->arena ? arena_calloc(ask->arena, 1, size) : NULL;
	if (!ask->args)
		return err_set(err, ENOMEM, "ask the cell");
	r = options_parse(&verb->command, argc, argv, ask->args, &ask->words, &ask->count, err);
	if (r > 0) {
		options_help(&verb->command, stdout);
		return 0;
	}
	if (r == 0)
		r = parse_output(ask->args, &ask->json, err);
	return r < 0 ? r : verb->run(ask, err);
}

static int run(const struct cellar_cell *cell, const struct verb *verb, int argc, char **argv)
{
	const char *name = verb->command.name + strlen("ctr ");
	struct ask ask = { .cell = cell, .verb = verb };
	struct err err = { 0 };
	int r = run_with(&ask, argc, argv, &err);

	arena_free(ask.arena);
	if (r < 0)
		return complain(name, &err);
	if (fflush(stdout) == EOF && errno != EPIPE) {
		err_set(&err, errno, "write output");
		return complain(name, &err);
	}
	return r;
}

const char *cell_word_of(const struct verb *verb, const char *group)
{
	const char *name = verb->command.name + strlen("ctr ");
	size_t len = strlen(group);

	return strncmp(name, group, len) == 0 && name[len] == ' ' ? name + len + 1 : NULL;
}

static bool is_group(const char *group)
{
	for (size_t i = 0; verbs[i]; i++)
		if (cell_word_of(verbs[i], group))
			return true;
	return false;
}

static int help(const char *group, FILE *out)
{
	fprintf(out, "Usage: ctr %s COMMAND [ARG...]\n\nCommands:\n", group);
	for (size_t i = 0; verbs[i]; i++) {
		const char *word = cell_word_of(verbs[i], group);

		if (word)
			fprintf(out, "  %-10s%s\n", word, verbs[i]->command.summary);
	}
	fprintf(out, "\nEach has a help of its own: ctr %s %s --help\n", group,
		strcmp(group, "cell") == 0 ? "status" : "ls");
	return out == stdout ? 0 : 1;
}

static const struct option_entry global_options[] = {
	OPTION_STRING(struct cellar_cell, root, 0, "root", "DIR", "as ctr has it"),
	OPTION_STRING(struct cellar_cell, runroot, 0, "runroot", "DIR",
		      "where the cell's socket is"),
	OPTION_STRING(struct cellar_cell, cell, 0, "cell", "URL", "of a cell elsewhere"),
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

static int dispatch(const struct cellar_cell *cell, size_t count, char **words)
{
	const char *group = count ? words[0] : "job";
	struct err err = { 0 };

	if (strcmp(group, "words") == 0) {
		cell_words(cell, words + 1, count - 1);
		return 0;
	}
	if (!is_group(group)) {
		err_say(&err, EINVAL, "there is no command \"%s\"; there are " GROUPS, group);
		return complain("", &err);
	}
	if (count < 2)
		return help(group, stderr);
	if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0)
		return help(group, stdout);
	for (size_t i = 0; verbs[i]; i++) {
		const char *word = cell_word_of(verbs[i], group);

		if (word && strcmp(word, words[1]) == 0)
			return run(cell, verbs[i], (int)count - 2, words + 2);
	}
	err_say(&err, EINVAL, "there is no command \"%s\"; `ctr %s --help` lists them", words[1],
		group);
	return complain(group, &err);
}

int main(int argc, char **argv)
{
	struct cellar_cell cell = { 0 };
	struct err err = { 0 };
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
	return dispatch(&cell, count, words);
}
