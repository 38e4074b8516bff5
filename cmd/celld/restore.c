/* SPDX-License-Identifier: Apache-2.0 */
/* celld restore: a backup in the place of the store. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/celld/verbs.h"
#include "runtime/engine/engine.h"
#include "scheduler/api/api.h"
#include "scheduler/master/master.h"

struct restore_args {
	const char *root, *runroot;
};

static const struct option_entry restore_options[] = {
	OPTION_STRING(struct restore_args, root, 0, "root", "DIR",
		      "where the cell's store is (default " ENGINE_ROOT_DEFAULT ")"),
	OPTION_STRING(struct restore_args, runroot, 0, "runroot", "DIR",
		      "where its socket would be (default " ENGINE_RUNROOT_DEFAULT ")"),
	OPTION_END,
};

static int run_restore(int argc, char **argv, struct err *err)
{
	struct restore_args args = { ENGINE_ROOT_DEFAULT, ENGINE_RUNROOT_DEFAULT };
	char store[PATH_MAX], socket[PATH_MAX], **words;
	_cleanup_fd_ int fd = -1;
	size_t count;
	int r = options_parse(&verb_restore.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (snprintf(store, sizeof(store), "%s/cell.db", args.root) >= PATH_MAX ||
	    snprintf(socket, sizeof(socket), "%s/cell.sock", args.runroot) >= PATH_MAX)
		return err_say(err, ENAMETOOLONG, "the path of --root or --runroot is too long");
	err_try(dir_create(AT_FDCWD, args.root, 0711, err));
	err_try(dir_create(AT_FDCWD, args.runroot, 0711, err));
	/* Held until it is done, so that no celld starts meanwhile. */
	fd = api_listen(socket, err);
	if (fd < 0)
		return fd;
	r = master_restore(words[0], store, err);
	unlink(socket);
	if (r == 0)
		puts(store);
	return r;
}

const struct verb verb_restore = {
	.command = {
		.name = "celld restore",
		.args = "FILE",
		.summary = "put a backup in the place of the cell's store",
		.details = "While no celld is at work there. The backup is checked first, and the store\n"
			   "replaced at once or not at all.",
		.options = restore_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = run_restore,
};
