/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/completion_words.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "runtime/engine/volume.h"
#include "storage/store.h"

struct line {
	struct ctr ctr; /* with what the line itself says of --root and --runroot */
	char *const *words;
	size_t count;
	const char *current; /* the last word */
	size_t at;	     /* how far it was understood */
};

static void offer(const struct line *line, const char *prefix, const char *word, const char *what)
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

/* ---- options ---- */

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

static void offer_options(const struct line *line, const struct option_entry *e)
{
	for (; e && !is_end(e); e++)
		if (e->kind == OPTION_KIND_GROUP)
			offer_options(line, e->group);
		else if (e->name && e->help)
			offer(line, "--", e->name, e->help);
}

/* Passes over options; true: the current word is the value of one. */
static bool skip_options(struct line *line, const struct option_entry *table)
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
		if (strcmp(word, "--root") == 0)
			line->ctr.root = line->words[line->at];
		if (strcmp(word, "--runroot") == 0)
			line->ctr.runroot = line->words[line->at];
		line->at++;
	}
	return false;
}

/* ---- what there is ---- */

struct offering {
	const struct line *line;
	const char *suffix;
};

static int offer_container(void *data, const struct engine_container *c)
{
	const struct offering *o = data;
	char word[512];

	snprintf(word, sizeof(word), "%s%s", c->name ? c->name : c->id, o->suffix);
	offer(o->line, "", word, c->image);
	return 0;
}

static int offer_image(void *data, const struct store_image *image)
{
	const struct offering *o = data;

	if (image->name)
		offer(o->line, "", image->name, NULL);
	return 0;
}

static int offer_volume(void *data, const struct engine_volume *volume)
{
	const struct offering *o = data;

	offer(o->line, "", volume->name, NULL);
	return 0;
}

static void offer_named(const struct line *line, const char *kind)
{
	struct offering offering = { line, strcmp(kind, "SRC") == 0 ? ":" : "" };
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_store_ struct store *store = NULL;

	if (engine_open(line->ctr.root, line->ctr.runroot, &engine, NULL) < 0)
		return;
	if (strcmp(kind, "VOLUME") == 0)
		engine_volume_each(engine, offer_volume, &offering, NULL);
	else if (strcmp(kind, "IMAGE") != 0)
		engine_each(engine, offer_container, &offering, NULL);
	else if (store_open(engine_root(engine), &store, NULL) == 0)
		store_image_each(store, offer_image, &offering, NULL);
}

/* ---- verbs ---- */

/* What the help calls the positional with this number: "CONTAINER", "IMAGE"; "" for others. */
static const char *kind_of(const struct options_command *command, size_t number)
{
	static const char *const kinds[] = { "CONTAINER", "IMAGE", "VOLUME", "SRC" };
	const char *args = command->args ? command->args + (command->args[0] == '[') : "";
	bool repeats = strstr(args, "...") != NULL && !strchr(args, ' ');

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool both = strcmp(kinds[i], "SRC") == 0 && number == 1;

		if (strncmp(args, kinds[i], strlen(kinds[i])) == 0 && (!number || repeats || both))
			return kinds[i];
	}
	return "";
}

static void complete_verb(struct line *line, const struct options_command *command)
{
	size_t number = 0;

	while (line->at + 1 < line->count) {
		if (skip_options(line, command->options))
			return;
		if (line->at + 1 == line->count)
			break;
		/* The rest belongs to another program. */
		if (command->flags & OPTIONS_STOP_AT_ARG && number > 0)
			return;
		line->at++;
		number++;
	}
	if (line->current[0] == '-' && !(command->flags & OPTIONS_STOP_AT_ARG && number > 0)) {
		offer_options(line, command->options);
		offer(line, "--", "help", "how it is used");
	} else if (*kind_of(command, number)) {
		offer_named(line, kind_of(command, number));
	}
}

/* "import|ls|rm [ARG...]": a verb with verbs. */
static bool is_group(const struct options_command *command)
{
	return command->args && command->args[0] >= 'a' && command->args[0] <= 'z';
}

static void offer_verbs_of(const struct line *line, const char *args)
{
	char word[64];

	for (size_t len; *args && *args != ' '; args += len + (args[len] == '|')) {
		len = strcspn(args, "| ");
		snprintf(word, sizeof(word), "%.*s", (int)len, args);
		offer(line, "", word, NULL);
	}
}

static const struct verb *find_verb(const struct verb *const *verbs, const char *word)
{
	for (; verbs && *verbs; verbs++)
		if (strcmp(strrchr((*verbs)->command.name, ' ') + 1, word) == 0)
			return *verbs;
	return NULL;
}

static void complete_group(struct line *line, const struct verb *group)
{
	const struct verb *const *verbs = group == &verb_image	  ? image_verbs
					  : group == &verb_volume ? volume_verbs
								  : NULL;
	const struct verb *verb;

	if (line->at + 1 == line->count) {
		offer_verbs_of(line, group->command.args);
		return;
	}
	verb = find_verb(verbs, line->words[line->at++]);
	if (verb)
		complete_verb(line, &verb->command);
}

void completion_words(const struct ctr *ctr, char *const *words, size_t count)
{
	struct line line = { *ctr, words, count, count ? words[count - 1] : "", 0 };
	const struct verb *verb;

	if (skip_options(&line, ctr_global_options))
		return;
	if (line.at + 1 >= line.count) {
		if (line.current[0] == '-')
			offer_options(&line, ctr_global_options);
		for (const struct verb *const *v = ctr_verbs; *v && line.current[0] != '-'; v++)
			offer(&line, "", strrchr((*v)->command.name, ' ') + 1,
			      (*v)->command.summary);
		return;
	}
	verb = find_verb(ctr_verbs, words[line.at++]);
	if (verb && is_group(&verb->command))
		complete_group(&line, verb);
	else if (verb)
		complete_verb(&line, &verb->command);
}
