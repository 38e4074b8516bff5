/* SPDX-License-Identifier: Apache-2.0 */
/* celld check-config: is a configuration file well-formed? */
#include <errno.h>
#include <stdio.h>

#include "cmd/celld/config.h"
#include "cmd/celld/verbs.h"
#include "scheduler/link/address.h"

static const struct option_entry no_options[] = { OPTION_END };

static int check(int argc, char **argv, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *address = NULL;
	struct celld_config config;
	char **words;
	size_t count;
	int r;

	r = options_parse(&verb_check_config.command, argc, argv, NULL, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (!arena)
		return err_set(err, ENOMEM, "check %s", words[0]);
	err_try(config_load(words[0], arena, &config, err));
	if (config.agent.master && link_address(config.agent.master, &address, err) < 0)
		return err_add(err, "%s: agent.master", words[0]);
	printf("%s is well-formed\n", words[0]);
	return 0;
}

const struct verb verb_check_config = {
	.command = {
		.name = "celld check-config",
		.args = "FILE",
		.summary = "check a configuration file",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = check,
};
