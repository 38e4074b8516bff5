/* SPDX-License-Identifier: Apache-2.0 */
/* ctr volume ls */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "cmd/ctr/show_volume.h"
#include "cmd/ctr/table.h"
#include "cmd/ctr/verbs.h"

struct ls_args {
	bool quiet;
	const char *format;
};

struct ls {
	bool quiet, json;
	int64_t now_ns;
	struct table table;
	struct json_writer *w;
};

static int on_volume(void *data, const struct engine_volume *v)
{
	struct ls *ls = data;
	char age[SHOW_SIZE];
	size_t users = 0;

	if (ls->json) {
		show_volume_json(ls->w, v);
		return 0;
	}
	if (ls->quiet) {
		puts(v->name);
		return 0;
	}
	while (v->users[users])
		users++;
	table_add(&ls->table, "%s", v->name);
	table_add(&ls->table, "%s ago", show_duration(ls->now_ns - v->created_ns, age));
	table_add(&ls->table, "%zu", users);
	return table_add(&ls->table, "%s", v->anonymous ? "yes" : "no");
}

static int list(const struct ctr *ctr, struct ls *ls, struct err *err)
{
	static const char *const head[] = { "NAME", "CREATED", "CONTAINERS", "ANONYMOUS" };
	_cleanup_engine_ struct engine *engine = NULL;
	int r;

	ls->table.columns = ARRAY_SIZE(head);
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		table_add(&ls->table, "%s", head[i]);
	json_open_array(ls->w);
	r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = engine_volume_each(engine, on_volume, ls, err);
	if (r < 0)
		return r;
	json_close_array(ls->w);
	if (ls->json)
		return show_json(ls->w, err);
	if (!ls->quiet)
		table_print(&ls->table, stdout);
	return 0;
}

static int ls_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	struct ls_args args = { 0 };
	struct ls ls = { .w = w, .now_ns = clock_realtime_ns() };
	char **words;
	size_t count;
	int r = options_parse(&verb_volume_ls.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	ls.quiet = args.quiet;
	r = show_parse_format(args.format, &ls.json, err);
	if (r == 0 && !w)
		r = err_set(err, ENOMEM, "list volumes");
	if (r == 0)
		r = list(ctr, &ls, err);
	table_deinit(&ls.table);
	return r;
}

static const struct option_entry ls_options[] = {
	OPTION_BOOL(struct ls_args, quiet, 'q', "quiet", "names only"),
	OPTION_STRING(struct ls_args, format, 0, "format", "FORMAT", "table (default) or json"),
	OPTION_END,
};

const struct verb verb_volume_ls = {
	.command = {
		.name = "ctr volume ls",
		.summary = "list volumes",
		.details = "CONTAINERS is how many use it, running or not.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr volume ls --format json | jq -r '.[] | select(.users == []) | .name'",
		.options = ls_options,
	},
	.run = ls_verb,
};
