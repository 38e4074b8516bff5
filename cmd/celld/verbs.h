/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `celld`: a table, one small file each. */
#pragma once

#include "base/err.h"
#include "cmd/options.h"

#define VERB_HELP 256 /* --help was asked for */

struct verb {
	struct options_command command;
	/* argv: what stands behind the verb. Returns the exit status from 0 to 255, VERB_HELP, or
	 * -errno with the sentence in err. */
	int (*run)(int argc, char **argv, struct err *err);
};

extern const struct verb verb_agent, verb_bench, verb_check_config, verb_dev, verb_join,
	verb_master, verb_restore;
extern const struct verb verb_reach, verb_sim, verb_token, verb_why;
