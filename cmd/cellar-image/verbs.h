/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of cellar-image. Each gets its own words (argv[0] is the verb) and returns the exit
 * status. */
#pragma once

#define VERBS_ROOT "/var/lib/cellar"

int verb_import(const char *root, int argc, char **argv);
int verb_save(const char *root, int argc, char **argv);
int verb_unpack(const char *root, int argc, char **argv);

#define VERBS_BY_CTR "ctr: image"

/* What complaints begin with: "cellar-image:", or "ctr: image" where `ctr image` executed us, which
 * then says so in argv[0]; a person is told of the command that was typed. */
const char *verbs_prefix(void);
