/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "cmd/cellar/match.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

struct args {
	bool force, regex;
};

static const struct option_entry options[] = {
	OPTION_BOOL(struct args, force, 'f', "force",
		    "kill it first; no error where there is nothing to delete"),
	OPTION_BOOL(struct args, regex, 'r', "regex",
		    "ID is a regular expression; running ones are left alone without --force"),
	OPTION_END,
};

static int delete_one(void *data, struct container *c, struct err *err)
{
	const struct args *a = data;
	enum oci_status status = container_status(c);

	if (!a->force && status != OCI_STOPPED && status != OCI_CREATED)
		return 0;
	return container_delete(c, a->force, err);
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	struct args a = { 0 };
	char **args;
	size_t count;
	int r = verb_parse(&verb_delete, argc, argv, &a, &args, &count, err);

	if (r != 0)
		return r;
	if (a.regex)
		return match_each(globals->root, args[0], delete_one, &a, err);
	if (a.force)
		r = container_open_damaged(globals->root, args[0], &c, err);
	else
		r = container_open(globals->root, args[0], &c, err);
	if (r == -ENOENT && a.force)
		return 0;
	return r < 0 ? r : container_delete(c, a.force, err);
}

const struct verb verb_delete = {
	.command = { .name = "cellar delete",
		     .args = "ID",
		     .summary = "remove a container that is not running",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run,
};
