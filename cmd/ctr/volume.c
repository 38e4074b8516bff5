/* SPDX-License-Identifier: Apache-2.0 */
/* ctr volume: create, ls, inspect, rm, prune. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/verbs.h"

const struct verb *const volume_verbs[] = { &verb_volume_create,  &verb_volume_ls,
					    &verb_volume_inspect, &verb_volume_rm,
					    &verb_volume_prune,	  NULL };

static int volume_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	char **words;
	const char *hint;
	size_t count;
	int r = options_parse(&verb_volume.command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	for (const struct verb *const *verb = volume_verbs; *verb; verb++)
		if (strcmp(words[0], (*verb)->command.name + strlen("ctr volume ")) == 0)
			return ctr_dispatch(*verb, ctr, (int)count - 1, words + 1);
	hint = foreign_command("volume", words[0]);
	return err_say(err, EINVAL, "there is no command \"%s\"%s %s", words[0], hint ? ":" : ";",
		       hint ? hint : "there are create, ls, inspect, rm and prune");
}

static const struct option_entry volume_options[] = { OPTION_END };

const struct verb verb_volume = {
	.command = {
		.name = "ctr volume",
		.args = "create|ls|inspect|rm|prune [ARG...]",
		.summary = "make, list and remove volumes",
		.details = "A volume is a folder that outlives its containers; `ctr run -v NAME:TARGET` makes\n"
			   "it at first use. Each command has a help of its own: `ctr volume rm --help`.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr volume create data\n"
			   "  ctr run -d --name db -v data:/var/lib/postgresql/data pg\n"
			   "  ctr volume ls",
		.options = volume_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = volume_verb,
};
