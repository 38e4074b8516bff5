/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cellar-image: what `ctr image` executes for work that needs libarchive. Exit status 0, or 1 with
 * one sentence on stderr.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "cmd/cellar-image/verbs.h"

static const struct {
	const char *name;
	int (*run)(const char *root, int argc, char **argv);
} verbs[] = {
	{ "import", verb_import },
	{ "save", verb_save },
	{ "unpack", verb_unpack },
};

static const char help[] = "usage: cellar-image [--root DIR] import|save|unpack ...\n"
			   "\n"
			   "  import PATH    bring the images of an archive into the store\n"
			   "  save IMAGE...  write images as a tar\n"
			   "  unpack FOLDER  unpack a tar on stdin\n"
			   "\n"
			   "  --root DIR     the store (default " VERBS_ROOT ")\n"
			   "\n"
			   "Each has a help of its own: cellar-image import --help\n";

const char *verbs_prefix(void)
{
	return strcmp(program_invocation_name, VERBS_BY_CTR) == 0 ? VERBS_BY_CTR : "cellar-image:";
}

static int say_usage(const char *what, const char *which)
{
	fprintf(stderr, "cellar-image: %s%s (see cellar-image --help)\n", what, which);
	return 1;
}

int main(int argc, char **argv)
{
	const char *root = VERBS_ROOT;
	int i = 1;

	fd_reserve_standard();
	umask(022);
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return 0;
		}
		if (strncmp(argv[i], "--root=", 7) == 0)
			root = argv[i] + 7;
		else if (strcmp(argv[i], "--root") == 0 && i + 1 < argc)
			root = argv[++i];
		else
			return say_usage("unknown option, or one without its value: ", argv[i]);
	}
	if (i >= argc)
		return say_usage("what is to be done? ", "import, save or unpack");
	for (size_t v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++)
		if (strcmp(argv[i], verbs[v].name) == 0)
			return verbs[v].run(root, argc - i, argv + i);
	return say_usage("unknown command ", argv[i]);
}
