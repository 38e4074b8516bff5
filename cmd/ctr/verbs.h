/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `ctr`: a table, one small file each. */
#pragma once

#include "base/err.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

/* Options in front of the verb. */
struct ctr {
	const char *root, *runroot; /* NULL: the defaults */
	const char *cell;	    /* URL of a master elsewhere, or NULL */
	bool debug, version;
};

#define VERB_HELP 256 /* --help was asked for */

enum {
	EXIT_OURS = 125,	   /* we failed, not the container */
	EXIT_NOT_EXECUTABLE = 126, /* as shells and Docker have it */
	EXIT_NOT_FOUND = 127,
};

struct verb {
	struct options_command command;
	int failure; /* exit status of a failure; 0 stands for 1 */
	/* argv: what stands behind the verb. Returns the exit status from 0 to 255, VERB_HELP, or
	 * -errno with the sentence in err. */
	int (*run)(const struct ctr *ctr, int argc, char **argv, struct err *err);
};

/* One a line, so that side by side work merges. */
extern const struct verb verb_attach;
extern const struct verb verb_completion;
extern const struct verb verb_cp;
extern const struct verb verb_create;
extern const struct verb verb_diff;
extern const struct verb verb_events;
extern const struct verb verb_exec;
extern const struct verb verb_export;
extern const struct verb verb_image;
extern const struct verb verb_image_import;
extern const struct verb verb_image_inspect;
extern const struct verb verb_image_ls;
extern const struct verb verb_image_prune;
extern const struct verb verb_image_rm;
extern const struct verb verb_image_save;
extern const struct verb verb_image_tag;
extern const struct verb verb_info;
extern const struct verb verb_inspect;
extern const struct verb verb_alloc;
extern const struct verb verb_cell;
extern const struct verb verb_job;
extern const struct verb verb_kill;
extern const struct verb verb_logs;
extern const struct verb verb_machine;
extern const struct verb verb_secret;
extern const struct verb verb_policy;
extern const struct verb verb_quota;
extern const struct verb verb_pause;
extern const struct verb verb_port;
extern const struct verb verb_ps;
extern const struct verb verb_rename;
extern const struct verb verb_restart;
extern const struct verb verb_rm;
extern const struct verb verb_run;
extern const struct verb verb_start;
extern const struct verb verb_stats;
extern const struct verb verb_stop;
extern const struct verb verb_top;
extern const struct verb verb_unpause;
extern const struct verb verb_update;
extern const struct verb verb_upgrade;
extern const struct verb verb_version;
extern const struct verb verb_volume;
extern const struct verb verb_volume_create;
extern const struct verb verb_volume_inspect;
extern const struct verb verb_volume_ls;
extern const struct verb verb_volume_prune;
extern const struct verb verb_volume_rm;
extern const struct verb verb_wait;

/* NULL-terminated; all of ctr, and the options in front of them. */
extern const struct verb *const ctr_verbs[];
extern const struct option_entry ctr_global_options[];

/* NULL-terminated; what `ctr image` chooses from. */
extern const struct verb *const image_verbs[];
/* What `ctr volume` chooses from. */
extern const struct verb *const volume_verbs[];

int ctr_open(const struct ctr *ctr, struct engine **ret, struct err *err);

/* Prints "ctr: NAME: sentence" to stderr; name without "ctr ". */
void ctr_complain(const struct verb *verb, const struct err *err);

/* Runs one verb: its help, its complaint, its exit status. */
int ctr_dispatch(const struct verb *verb, const struct ctr *ctr, int argc, char **argv);

/* Does one thing to many containers: fn for each name, complaining and going on where it fails.
 * Returns 0, or 1 when something failed. */
int ctr_for_names(const struct verb *verb, const struct ctr *ctr, char **names,
		  int (*fn)(struct engine *engine, const char *name, void *data, struct err *err),
		  void *data, struct err *err);
