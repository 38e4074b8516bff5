/* SPDX-License-Identifier: Apache-2.0 */
/* ctr export: a container's root file system as a tar. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/copy.h"

struct export_args {
	const char *output;
};

static int open_output(const char *path, struct err *err)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
		      : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? err_set(err, errno, "open %s", path ? path : "stdout") : fd;
}

static int export_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_engine_ struct engine *engine = NULL;
	struct export_args args = { 0 };
	_cleanup_fd_ int fd = -1;
	char **words;
	size_t count;
	int r = options_parse(&verb_export.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (!args.output && isatty(STDOUT_FILENO))
		return err_say(err, EINVAL,
			       "a tar is nothing for a terminal; write it to a file (-o)");
	err_try(ctr_open(ctr, &engine, err));
	err_try(engine_find(engine, words[0], &c, err));
	fd = open_output(args.output, err);
	if (fd < 0)
		return fd;
	r = engine_export(engine, c, fd, err);
	if (r < 0 && args.output)
		unlink(args.output);
	return r;
}

static const struct option_entry export_options[] = {
	OPTION_STRING(struct export_args, output, 'o', "output", "FILE", "write it there"),
	OPTION_END,
};

const struct verb verb_export = {
	.command = {
		.name = "ctr export",
		.args = "CONTAINER",
		.summary = "write a container's root file system as a tar",
		.details = "Without what is mounted in it: volumes, /proc, /dev. It may run meanwhile, but then\n"
			   "nobody tells what of its changes is in the tar.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr export web | tar -t\n"
			   "  ctr export -o web.tar web",
		.options = export_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = export_verb,
};
