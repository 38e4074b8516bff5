/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/complete.h"

#include <stdio.h>
#include <string.h>

void complete_offer(const struct complete_line *line, const char *prefix, const char *word,
		    const char *what)
{
	char text[512];

	snprintf(text, sizeof(text), "%s%s", prefix, word);
	if (strncmp(text, line->current, strlen(line->current)) != 0)
		return;
	if (what)
		printf("%s\t%s\n", text, what);
	else
		puts(text);
}

static bool is_end(const struct option_entry *e)
{
	return !e->name && !e->letter && e->kind != OPTION_KIND_GROUP;
}

static const struct option_entry *find_option(const struct option_entry *e, const char *word)
{
	const struct option_entry *found = NULL;

	for (; e && !found && !is_end(e); e++) {
		if (e->kind == OPTION_KIND_GROUP)
			found = find_option(e->group, word);
		else if (word[1] == '-' ? e->name && strcmp(e->name, word + 2) == 0
					: e->letter && word[strlen(word) - 1] == e->letter)
			found = e;
	}
	return found;
}

void complete_offer_options(const struct complete_line *line, const struct option_entry *e)
{
	for (; e && !is_end(e); e++)
		if (e->kind == OPTION_KIND_GROUP)
			complete_offer_options(line, e->group);
		else if (e->name && e->help)
			complete_offer(line, "--", e->name, e->help);
}

bool complete_skip_options(struct complete_line *line, const struct option_entry *table)
{
	while (line->at + 1 < line->count) {
		const char *word = line->words[line->at];
		const struct option_entry *e;

		if (word[0] != '-' || !word[1])
			return false;
		e = find_option(table, word);
		line->at++;
		if (!e || e->kind == OPTION_KIND_BOOL || strchr(word, '='))
			continue;
		if (line->at + 1 == line->count)
			return true;
		if (line->on_value && e->name)
			line->on_value(line->data, e->name, line->words[line->at]);
		line->at++;
	}
	return false;
}

bool complete_verb(struct complete_line *line, const struct options_command *command,
		   size_t *ret_number)
{
	size_t number = 0;

	while (line->at + 1 < line->count) {
		if (complete_skip_options(line, command->options))
			return false;
		if (line->at + 1 == line->count)
			break;
		/* The rest belongs to another program. */
		if (command->flags & OPTIONS_STOP_AT_ARG && number > 0)
			return false;
		line->at++;
		number++;
	}
	*ret_number = number;
	if (line->current[0] != '-' || (command->flags & OPTIONS_STOP_AT_ARG && number > 0))
		return true;
	complete_offer_options(line, command->options);
	complete_offer(line, "--", "help", "how it is used");
	return false;
}
