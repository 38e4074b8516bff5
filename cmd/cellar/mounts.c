/* SPDX-License-Identifier: Apache-2.0 */
/* mounts add and mounts remove, crun's. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"
#include "runtime/live_mounts.h"
#include "spec/oci_config.h"

#define MOUNTS_BYTES_MAX (1u << 20)

static const struct option_entry options[] = { OPTION_END };

static int read_mounts(const char *path, struct oci_config **ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	bool from_stdin = strcmp(path, "-") == 0;
	size_t len;

	if (from_stdin)
		err_try(fd_read_all(STDIN_FILENO, MOUNTS_BYTES_MAX, &text, &len, err));
	else
		err_try(file_read(AT_FDCWD, path, MOUNTS_BYTES_MAX, &text, &len, err));
	if (oci_mounts_parse(text, len, ret, err) < 0)
		return err_add(err, "%s", from_stdin ? "stdin" : path);
	return 0;
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	_cleanup_oci_config_ struct oci_config *config = NULL;
	char **args;
	size_t count;
	int r = verb_parse(&verb_mounts, argc, argv, NULL, &args, &count, err);
	bool add;

	if (r != 0)
		return r;
	add = strcmp(args[0], "add") == 0;
	if (!add && strcmp(args[0], "remove") != 0)
		return err_say(err, EINVAL, "'%s' is neither add nor remove", args[0]);
	err_try(container_open(globals->root, args[1], &c, err));
	err_try(read_mounts(args[2], &config, err));
	return (add ? container_add_mounts : container_remove_mounts)(c, config->mounts,
								      config->mounts_count, err);
}

const struct verb verb_mounts = {
	.command = { .name = "cellar mounts",
		     .args = "add|remove ID FILE",
		     .summary = "give mounts to a running container, or take them away",
		     .details =
			     "FILE (- for stdin) has \"mounts\" as config.json has them, binds and tmpfs;\n"
			     "remove looks at their destinations alone:\n"
			     "  echo '[{\"destination\": \"/mnt\", \"type\": \"bind\", \"source\": \"/srv\"}]' |\n"
			     "    cellar mounts add web -",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 3,
		     .args_max = 3 },
	.run = run,
};
