/* SPDX-License-Identifier: Apache-2.0 */
/* ctr image import: hands over to the helper that knows archives, in place of ourselves. */
#include <errno.h>
#include <string.h>

#include "cmd/ctr/image_helper.h"
#include "cmd/ctr/verbs.h"

/* What a layer may unpack to is judged by the helper: words, not numbers, here. */
struct import_args {
	const char *name, *platform, *max_size, *max_files, *max_ratio;
	bool json;
};

static const char **add(const char **word, const char *option, const char *value)
{
	if (value) {
		*word++ = option;
		*word++ = value;
	}
	return word;
}

static int import_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct import_args args = { 0 };
	const char *command[IMAGE_HELPER_WORDS] = { "import" }, **word = command + 1;
	char **words;
	size_t count;
	int r = options_parse(&verb_image_import.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (strstr(words[0], "://"))
		return err_say(err, ENOTSUP,
			       "'%.200s' is no path, and nothing is fetched yet; bring it here by "
			       "`skopeo copy %.200s oci-archive:FILE` first",
			       words[0], words[0]);
	word = add(word, "--runroot", ctr->runroot ? ctr->runroot : ENGINE_RUNROOT_DEFAULT);
	word = add(word, "--name", args.name);
	word = add(word, "--platform", args.platform);
	word = add(word, "--max-layer-size", args.max_size);
	word = add(word, "--max-layer-files", args.max_files);
	word = add(word, "--max-layer-ratio", args.max_ratio);
	if (args.json)
		*word++ = "--json";
	*word++ = "--";
	*word++ = words[0];
	*word = NULL;
	return image_helper_exec(ctr, command, err);
}

/* clang-format off */
static const struct option_entry import_options[] = {
	OPTION_STRING(struct import_args, name, 0, "name", "NAME", "name of the image (default: those in the archive)"),
	OPTION_STRING(struct import_args, platform, 0, "platform", "PLATFORM", "images for OS/ARCHITECTURE[/VARIANT] (default: this machine's)"),
	OPTION_BOOL(struct import_args, json, 0, "json", "print one JSON object an image"),
	OPTION_STRING(struct import_args, max_size, 0, "max-layer-size", "GIB", "what a layer may unpack to (default 256)"),
	OPTION_STRING(struct import_args, max_files, 0, "max-layer-files", "NUMBER", "files in a layer (default 2000000)"),
	OPTION_STRING(struct import_args, max_ratio, 0, "max-layer-ratio", "NUMBER", "unpacked to packed bytes of a layer (default 200)"),
	OPTION_END,
};
/* clang-format on */

const struct verb verb_image_import = {
	.command = {
		.name = "ctr image import",
		.args = "PATH",
		.summary = "bring images in from an OCI layout or a docker save",
		.details = "PATH is a folder or a tar, which may be packed by gzip, zstd, xz or bzip2;\n"
			   "- reads it from stdin.\n"
			   "\n"
			   "Examples:\n"
			   "  docker save bb | ctr image import -\n"
			   "  skopeo copy docker-archive:bb.tar oci:bb:latest && ctr image import bb\n"
			   "  ctr image import --name localhost/bb:1 ./bb.tar\n"
			   "  ctr image import --platform linux/arm64 ./multi.tar",
		.options = import_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = import_verb,
};
