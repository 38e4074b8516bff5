/* SPDX-License-Identifier: Apache-2.0 */
/* ctr image save: hands over to the helper that knows archives, in place of ourselves. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/ctr/image_helper.h"
#include "cmd/ctr/verbs.h"

struct save_args {
	const char *output;
};

static int save_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct save_args args = { 0 };
	_cleanup_free_ const char **command = NULL;
	char **words;
	size_t count, at = 0;
	int r = options_parse(&verb_image_save.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	command = calloc(count + 5, sizeof(*command));
	if (!command)
		return err_set(err, ENOMEM, "save images");
	command[at++] = "save";
	if (args.output) {
		command[at++] = "--output";
		command[at++] = args.output;
	}
	command[at++] = "--";
	for (size_t i = 0; i < count; i++)
		command[at++] = words[i];
	return image_helper_exec(ctr, command, err);
}

static const struct option_entry save_options[] = {
	OPTION_STRING(struct save_args, output, 'o', "output", "FILE",
		      "write here instead of to stdout"),
	OPTION_END,
};

const struct verb verb_image_save = {
	.command = {
		.name = "ctr image save",
		.args = "IMAGE...",
		.summary = "write images as a tar that is an OCI layout and loads into Docker too",
		.details = "Examples:\n"
			   "  ctr image save -o bb.tar bb\n"
			   "  ctr image save bb | docker load\n"
			   "  ctr image save bb | zstd > bb.tar.zst",
		.options = save_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = save_verb,
};
