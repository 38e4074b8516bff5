/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may come next on a command line of ctr: read off the tables that also parse it, so a new
 * verb or option is completed as soon as it is there.
 */
#pragma once

#include "cmd/ctr/verbs.h"

/*
 * Prints the candidates for the last of words, which may be "", a line each: WORD, or WORD TAB WHAT
 * IT IS. Those of containers, images and volumes are asked for. Nothing is printed where a file's
 * name or anything else is to come.
 */
void completion_words(const struct ctr *ctr, char *const *words, size_t count);
