/* SPDX-License-Identifier: Apache-2.0 */
/* ctr image: a verb with verbs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/verbs.h"

const struct verb *const image_verbs[] = { &verb_image_import,	&verb_image_ls,
					   &verb_image_inspect, &verb_image_tag,
					   &verb_image_rm,	&verb_image_prune,
					   &verb_image_save,	NULL };

static int image_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	char **words;
	const char *hint;
	size_t count;
	int r = options_parse(&verb_image.command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	for (const struct verb *const *verb = image_verbs; *verb; verb++)
		if (strcmp(words[0], (*verb)->command.name + strlen("ctr image ")) == 0)
			return ctr_dispatch(*verb, ctr, (int)count - 1, words + 1);
	hint = foreign_command("image", words[0]);
	return err_say(err, EINVAL, "there is no command \"%s\"%s %s", words[0], hint ? ":" : ";",
		       hint ? hint : "there are import, ls, inspect, tag, rm, prune and save");
}

static const struct option_entry image_options[] = { OPTION_END };

const struct verb verb_image = {
	.command = {
		.name = "ctr image",
		.args = "import|ls|inspect|tag|rm|prune|save [ARG...]",
		.summary = "import, list, name, save and remove images",
		.details = "Each has a help of its own: `ctr image import --help`.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr image import ./bb.tar\n"
			   "  ctr image ls\n"
			   "  ctr image rm bb",
		.options = image_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = image_verb,
};
