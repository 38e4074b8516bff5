/* SPDX-License-Identifier: Apache-2.0 */
/* ctr image import: hands over to the helper that knows archives, in place of ourselves. */
#include <errno.h>
#include <unistd.h>

#include "cmd/ctr/verbs.h"
#include "runtime/engine/program.h"

#define HELPER "cellar-image"

struct import_args {
	const char *name;
	bool json;
};

static int import_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct import_args args = { 0 };
	const char *command[10], **word = command;
	char **words, program[PATH_MAX];
	size_t count;
	int r = options_parse(&verb_image_import.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = program_find(HELPER, program, err);
	if (r < 0)
		return r;
	*word++ = HELPER;
	*word++ = "--root";
	*word++ = ctr->root ? ctr->root : ENGINE_ROOT_DEFAULT;
	*word++ = "import";
	if (args.name) {
		*word++ = "--name";
		*word++ = args.name;
	}
	if (args.json)
		*word++ = "--json";
	*word++ = words[0];
	*word = NULL;
	execv(program, (char *const *)(uintptr_t)command);
	return err_set(err, errno, "execute %s", program);
}

static const struct option_entry import_options[] = {
	OPTION_STRING(struct import_args, name, 0, "name", "NAME",
		      "name of the image (default: the layout's own)"),
	OPTION_BOOL(struct import_args, json, 0, "json", "print one JSON object an image"),
	OPTION_END,
};

const struct verb verb_image_import = {
	.command = {
		.name = "ctr image import",
		.args = "PATH",
		.summary = "bring an image in from an OCI layout, a folder or a tar of one",
		.details = "Examples:\n"
			   "  skopeo copy docker-archive:bb.tar oci:bb:latest\n"
			   "  ctr image import bb\n"
			   "  ctr image import --name localhost/bb:1 ./bb.tar",
		.options = import_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = import_verb,
};
