/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `cellar`: a table, one small file each. */
#pragma once

#include "base/err.h"
#include "cmd/options.h"

/* Options in front of the verb. */
struct cellar_globals {
	const char *root, *log, *log_format, *log_level, *cgroup_manager, *rootless, *criu;
	bool debug, version, systemd_cgroup;
};

#define VERB_HELP 256 /* --help was asked for */

struct verb {
	struct options_command command;
	int failure;	  /* exit status of a failure; 0 stands for 1 */
	int failure_exec; /* of a failure with ENOEXEC; 0: as any other */
	/* Returns the exit status from 0 to 255, VERB_HELP, or -errno with the sentence in err. */
	int (*run)(const struct cellar_globals *globals, int argc, char **argv, struct err *err);
};

extern const struct verb verb_checkpoint, verb_restore, verb_create, verb_delete, verb_events,
	verb_exec, verb_features, verb_kill, verb_list, verb_mounts, verb_pause, verb_ps,
	verb_resume, verb_run, verb_spec, verb_start, verb_state, verb_update;

/* Options may stand on either side of the id, but not behind the words of another program. */
#define VERB_OPTIONS OPTIONS_SINGLE_DASH

/* options_parse(), with VERB_HELP in place of 1. */
int verb_parse(const struct verb *verb, int argc, char **argv, void *target, char ***ret_args,
	       size_t *ret_count, struct err *err);
