/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/completion_words.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "cmd/complete.h"
#include "cmd/ctr/cell.h"
#include "runtime/engine/volume.h"
#include "storage/store.h"

struct line {
	struct ctr ctr; /* with what the line itself says of --root, --runroot and --cell */
	struct complete_line words;
};

static void on_value(void *data, const char *option, const char *value)
{
	struct ctr *ctr = &((struct line *)data)->ctr;

	if (strcmp(option, "root") == 0)
		ctr->root = value;
	if (strcmp(option, "runroot") == 0)
		ctr->runroot = value;
	if (strcmp(option, "cell") == 0)
		ctr->cell = value;
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
	complete_offer(&o->line->words, "", word, c->image);
	return 0;
}

static int offer_image(void *data, const struct store_image *image)
{
	const struct offering *o = data;

	if (image->name)
		complete_offer(&o->line->words, "", image->name, NULL);
	return 0;
}

static int offer_volume(void *data, const struct engine_volume *volume)
{
	const struct offering *o = data;

	complete_offer(&o->line->words, "", volume->name, NULL);
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

static void complete_behind(struct line *line, const struct options_command *command)
{
	size_t number;

	if (complete_verb(&line->words, command, &number) && *kind_of(command, number))
		offer_named(line, kind_of(command, number));
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
		complete_offer(&line->words, "", word, NULL);
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

	if (line->words.at + 1 == line->words.count) {
		offer_verbs_of(line, group->command.args);
		return;
	}
	verb = find_verb(verbs, line->words.words[line->words.at++]);
	if (verb)
		complete_behind(line, &verb->command);
}

void completion_words(const struct ctr *ctr, char *const *words, size_t count)
{
	struct line line = { .ctr = *ctr,
			     .words = { .words = words,
					.count = count,
					.current = count ? words[count - 1] : "",
					.on_value = on_value,
					.data = &line } };
	struct complete_line *w = &line.words;
	const struct verb *verb;

	if (complete_skip_options(w, ctr_global_options))
		return;
	if (w->at + 1 >= w->count) {
		if (w->current[0] == '-')
			complete_offer_options(w, ctr_global_options);
		for (const struct verb *const *v = ctr_verbs; *v && w->current[0] != '-'; v++)
			complete_offer(w, "", strrchr((*v)->command.name, ' ') + 1,
				       (*v)->command.summary);
		return;
	}
	verb = find_verb(ctr_verbs, words[w->at++]);
	if (verb && ctr_is_of_cell(verb))
		ctr_cell_words(&line.ctr, count - w->at + 1, words + w->at - 1);
	else if (verb && is_group(&verb->command))
		complete_group(&line, verb);
	else if (verb)
		complete_behind(&line, &verb->command);
}
