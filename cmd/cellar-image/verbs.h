/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of cellar-image. Each gets its own words (argv[0] is the verb) and returns the exit
 * status. */
#pragma once

#define VERBS_ROOT "/var/lib/cellar"

int verb_import(const char *root, int argc, char **argv);
int verb_save(const char *root, int argc, char **argv);
