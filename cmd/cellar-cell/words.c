/* SPDX-License-Identifier: Apache-2.0 */
/* What a shell offers on a command line of a cell's verbs: those, their options, and what there is
 * in the cell, which is asked with little patience. */
#include <stdio.h>
#include <string.h>

#include "cmd/cellar-cell/verbs.h"
#include "cmd/complete.h"

#define PATIENCE_S 2

/* What the help calls the first positional, and where the cell has the names of such. */
static const struct {
	const char *kind, *path, *key, *what;
} kinds[] = {
	{ "JOB", "/v1/jobs", "name", "state" },
	{ "SET", "/v1/allocs", "name", "owner" },
	{ "MACHINE", "/v1/machines", "name", "state" },
};

static const char *text_of(const struct ask *ask, const struct json_node *node, const char *key)
{
	const char *text = cell_text(ask, node, key);

	return *text ? text : NULL;
}

static void offer_named(const struct ask *ask, const struct complete_line *line, size_t kind)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	if (cell_ask_soon(ask, kinds[kind].path, PATIENCE_S, &doc, NULL) < 0)
		return;
	root = json_root(doc);
	for (size_t i = 0; i < json_count(&root); i++) {
		struct json_node one = json_at(&root, i);
		const char *name = text_of(ask, &one, kinds[kind].key);

		if (name)
			complete_offer(line, "", name, text_of(ask, &one, kinds[kind].what));
	}
}

static void offer_behind(const struct ask *ask, struct complete_line *line, const struct verb *verb)
{
	const char *args = verb->command.args ? verb->command.args : "";
	size_t number;

	if (!complete_verb(line, &verb->command, &number) || number)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(args, kinds[i].kind, strlen(kinds[i].kind)) == 0)
			offer_named(ask, line, i);
}

void cell_words(const struct cellar_cell *cell, char *const *words, size_t count)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct ask ask = { .cell = cell, .arena = arena };
	struct complete_line line = {
		.words = words, .count = count, .current = count ? words[count - 1] : "", .at = 2
	};

	for (size_t i = 0; arena && count >= 2 && verbs[i]; i++) {
		const char *word = cell_word_of(verbs[i], words[0]);

		if (word && count == 2)
			complete_offer(&line, "", word, verbs[i]->command.summary);
		else if (word && strcmp(word, words[1]) == 0)
			offer_behind(&ask, &line, verbs[i]);
	}
}
