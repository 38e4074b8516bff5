/* SPDX-License-Identifier: Apache-2.0 */
/* features: what this program can do, as features.md of the runtime specification has it. */
#include <stdio.h>

#include "cmd/cellar/verbs.h"
#include "runtime/features.h"

static const struct option_entry options[] = { OPTION_END };

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	char **args;
	size_t count;
	int r = verb_parse(&verb_features, argc, argv, NULL, &args, &count, err);

	(void)globals;
	if (r == 0)
		r = features_format(&text, err);
	if (r == 0)
		puts(text);
	return r;
}

const struct verb verb_features = {
	.command = { .name = "cellar features",
		     .summary = "print what this program supports as JSON",
		     .options = options,
		     .flags = VERB_OPTIONS },
	.run = run,
};
