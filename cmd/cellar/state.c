/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

static const struct option_entry options[] = { OPTION_END };

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	_cleanup_free_ char *text = NULL;
	char **args;
	size_t count;
	int r = verb_parse(&verb_state, argc, argv, NULL, &args, &count, err);

	if (r != 0)
		return r;
	err_try(container_open(globals->root, args[0], &c, err));
	err_try(container_state(c, true, &text, err));
	fputs(text, stdout);
	if (text[0] && text[strlen(text) - 1] != '\n')
		putchar('\n');
	return 0;
}

const struct verb verb_state = {
	.command = { .name = "cellar state",
		     .args = "ID",
		     .summary = "print the state of a container as JSON",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run,
};
