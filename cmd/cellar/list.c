/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

struct args {
	const char *format;
	bool quiet;
};

static const struct option_entry options[] = {
	OPTION_STRING(struct args, format, 'f', "format", "table|json", "form (default table)"),
	OPTION_BOOL(struct args, quiet, 'q', "quiet", "print only the ids"),
	OPTION_END,
};

enum { COLUMNS = 6 };
static const char *const titles[COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
static const char *const fields[COLUMNS] = { "id", "pid", "status", "bundle", "created", "owner" };

struct row {
	const char *cells[COLUMNS];
};

/* What was collected: the state documents as they are printed, and their columns. */
struct listing {
	struct arena *arena;
	const char **states;
	struct row *rows;
	size_t count;
	struct err *err;
};

static void listing_deinit(struct listing *l)
{
	arena_free(l->arena);
	free(l->states);
	free(l->rows);
}

static int fill_row(struct listing *l, const char *state, struct row *row)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(json_parse(state, strlen(state), &doc, l->err));
	root = json_root(doc);
	for (size_t i = 0; i < COLUMNS; i++) {
		int64_t pid = 0;

		row->cells[i] = "";
		if (strcmp(fields[i], "pid") != 0) {
			err_try(json_get_string(&root, fields[i], l->arena, &row->cells[i],
						l->err));
			continue;
		}
		err_try(json_get_i64(&root, fields[i], &pid, l->err));
		row->cells[i] = arena_printf(l->arena, "%lld", (long long)pid);
		if (!row->cells[i])
			return err_set(l->err, ENOMEM, "list containers");
	}
	return 0;
}

static int collect(void *data, struct container *container)
{
	struct listing *l = data;
	_cleanup_free_ char *text = NULL;
	const char **states = realloc(l->states, (l->count + 1) * sizeof(*states));
	struct row *rows;

	if (!states)
		return err_set(l->err, ENOMEM, "list containers");
	l->states = states;
	rows = realloc(l->rows, (l->count + 1) * sizeof(*rows));
	if (!rows)
		return err_set(l->err, ENOMEM, "list containers");
	l->rows = rows;
	err_try(container_state(container, false, &text, l->err));
	states[l->count] = arena_strdup(l->arena, text);
	if (!states[l->count])
		return err_set(l->err, ENOMEM, "list containers");
	err_try(fill_row(l, text, &rows[l->count]));
	l->count++;
	return 0;
}

/* As runc's: columns of at least 12, three blanks between, the last one as it comes. */
static void print_table(const struct listing *l)
{
	size_t width[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++) {
		width[i] = strlen(titles[i]);
		for (size_t j = 0; j < l->count; j++)
			if (strlen(l->rows[j].cells[i]) > width[i])
				width[i] = strlen(l->rows[j].cells[i]);
		width[i] = width[i] + 3 < 12 ? 12 : width[i] + 3;
	}
	for (size_t j = 0; j <= l->count; j++) {
		const char *const *cells = j == 0 ? titles : l->rows[j - 1].cells;

		for (size_t i = 0; i + 1 < COLUMNS; i++)
			printf("%-*s", (int)width[i], cells[i]);
		puts(cells[COLUMNS - 1]);
	}
}

static void print_json(const struct listing *l)
{
	putchar('[');
	for (size_t i = 0; i < l->count; i++)
		printf("%s%s", i ? "," : "", l->states[i]);
	puts("]");
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_(listing_deinit) struct listing l = { .arena = arena_new(), .err = err };
	struct args a = { .format = "table" };
	char **args;
	size_t count;
	int r = verb_parse(&verb_list, argc, argv, &a, &args, &count, err);

	if (r != 0)
		return r;
	if (strcmp(a.format, "table") != 0 && strcmp(a.format, "json") != 0)
		return err_say(err, EINVAL, "--format: invalid format option '%s' (table, json)",
			       a.format);
	if (!l.arena)
		return err_set(err, ENOMEM, "list containers");
	err_try(container_each(globals->root, collect, &l, err));
	for (size_t i = 0; a.quiet && i < l.count; i++)
		puts(l.rows[i].cells[0]);
	if (!a.quiet && strcmp(a.format, "json") == 0)
		print_json(&l);
	else if (!a.quiet)
		print_table(&l);
	return 0;
}

const struct verb verb_list = {
	.command = { .name = "cellar list",
		     .summary = "list the containers",
		     .options = options,
		     .flags = VERB_OPTIONS },
	.run = run,
};
