/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may come next on a command line, read off the tables that also parse it (cmd/options.h): so
 * a new option is completed as soon as it is there. Candidates are printed, a line each: WORD, or
 * WORD TAB WHAT IT IS.
 */
#pragma once

#include "cmd/options.h"

struct complete_line {
	char *const *words;
	size_t count;
	const char *current; /* the last word, which may be "" */
	size_t at;	     /* how far it was understood */
	/* Hears of the options that were passed over with their values; NULL: nobody. */
	void (*on_value)(void *data, const char *option, const char *value);
	void *data;
};

/* Where prefix and word together begin as the current word does; what: or NULL. */
void complete_offer(const struct complete_line *line, const char *prefix, const char *word,
		    const char *what);
void complete_offer_options(const struct complete_line *line, const struct option_entry *table);
/* Passes over options; true: the current word is the value of one. */
bool complete_skip_options(struct complete_line *line, const struct option_entry *table);
/*
 * What is behind a verb: its options are offered where one is begun. true: a positional is to come,
 * number says which.
 */
bool complete_verb(struct complete_line *line, const struct options_command *command,
		   size_t *ret_number);
