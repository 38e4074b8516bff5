/* SPDX-License-Identifier: Apache-2.0 */
/* ctr ps: the containers there are. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/show.h"
#include "cmd/ctr/table.h"
#include "cmd/ctr/terminal.h"
#include "cmd/ctr/verbs.h"

#define COMMAND_WIDTH 24

struct ps_args {
	bool all, quiet, no_trunc;
	const char *format;
};

struct ps {
	const struct ps_args *args;
	bool json;
	int64_t now_ns;
	struct table table;
	struct json_writer *w;
};

static char *format_command(const struct engine_container *c, bool whole)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };

	for (const char *const *word = c->command; *word; word++)
		strbuf_addf(&sb, "%s%s", word == c->command ? "" : " ", *word);
	if (!whole && sb.len > COMMAND_WIDTH) {
		size_t len = COMMAND_WIDTH - 3;

		while (len > 0 && ((unsigned char)sb.data[len] & 0xc0) == 0x80)
			len--; /* not within a character */
		sb.data[len] = '\0';
		sb.len = len;
		strbuf_adds(&sb, "...");
	}
	return strbuf_take(&sb);
}

static int add_row(struct ps *ps, const struct engine_container *c)
{
	_cleanup_free_ char *command = format_command(c, ps->args->no_trunc);
	_cleanup_free_ char *ports = show_ports(&c->ports);
	char status[SHOW_SIZE], age[SHOW_SIZE];

	if (!command || !ports)
		return -ENOMEM;
	table_add(&ps->table, "%.*s", ps->args->no_trunc ? 64 : 12, c->id);
	table_add(&ps->table, "%s", c->image);
	table_add(&ps->table, "%s", command);
	table_add(&ps->table, "%s ago", show_duration(ps->now_ns - c->created_ns, age));
	table_add(&ps->table, "%s", show_status(c, ps->now_ns, status));
	table_add(&ps->table, "%.*s", c->address && c->pid ? (int)strcspn(c->address, "/") : 0,
		  c->address ? c->address : "");
	table_add(&ps->table, "%s", c->pid ? ports : "");
	return table_add(&ps->table, "%s", c->name);
}

static int on_container(void *data, const struct engine_container *c)
{
	struct ps *ps = data;

	if (!ps->args->all && strcmp(c->status, "running") != 0 &&
	    strcmp(c->status, "paused") != 0 && strcmp(c->status, "restarting") != 0)
		return 0;
	if (ps->json) {
		json_open_object(ps->w);
		show_container_json(ps->w, c);
		json_close_object(ps->w);
		return 0;
	}
	if (ps->args->quiet) {
		printf("%.*s\n", ps->args->no_trunc ? 64 : 12, c->id);
		return 0;
	}
	return add_row(ps, c);
}

/* What a narrow terminal does without first; an id, a status, ports and a name are always shown. */
static void fit_terminal(struct table *table)
{
	enum { IMAGE = 1, COMMAND, CREATED, STATUS, ADDRESS };
	static const size_t order[] = { CREATED, COMMAND, ADDRESS, IMAGE };
	uint16_t width, height;

	if (isatty(STDOUT_FILENO) && terminal_size(&width, &height))
		table_fit(table, width, order, ARRAY_SIZE(order));
}

static int list(struct engine *engine, struct ps *ps, struct err *err)
{
	static const char *const head[] = { "CONTAINER ID", "IMAGE",   "COMMAND", "CREATED",
					    "STATUS",	    "ADDRESS", "PORTS",	  "NAME" };
	int r;

	ps->table.columns = ARRAY_SIZE(head);
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		table_add(&ps->table, "%s", head[i]);
	json_open_array(ps->w);
	engine_tend(engine);
	r = engine_each(engine, on_container, ps, err);
	if (r < 0)
		return r == -ENOMEM ? err_set(err, ENOMEM, "list containers") : r;
	json_close_array(ps->w);
	if (ps->json)
		return show_json(ps->w, err);
	if (!ps->args->no_trunc)
		fit_terminal(&ps->table);
	if (!ps->args->quiet)
		table_print(&ps->table, stdout);
	return 0;
}

static int ps_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct ps_args args = { 0 };
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	struct ps ps = { .args = &args, .now_ns = clock_realtime_ns(), .w = w };
	char **words;
	size_t count;
	int r = options_parse(&verb_ps.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = show_parse_format(args.format, &ps.json, err);
	if (r == 0 && !w)
		r = err_set(err, ENOMEM, "list containers");
	if (r == 0)
		r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = list(engine, &ps, err);
	table_deinit(&ps.table);
	return r;
}

static const struct option_entry ps_options[] = {
	OPTION_BOOL(struct ps_args, all, 'a', "all", "also those that do not run"),
	OPTION_BOOL(struct ps_args, quiet, 'q', "quiet", "ids only"),
	OPTION_BOOL(struct ps_args, no_trunc, 0, "no-trunc",
		    "whole ids and commands, and all columns on any terminal"),
	OPTION_STRING(struct ps_args, format, 0, "format", "FORMAT", "table (default) or json"),
	OPTION_END,
};

const struct verb verb_ps = {
	.command = {
		.name = "ctr ps",
		.summary = "list containers",
		.details = "Examples:\n"
			   "  ctr ps -a\n"
			   "  ctr rm $(ctr ps -aq)\n"
			   "  ctr ps --format json | jq -r '.[] | .name + \" \" + .status'",
		.options = ps_options,
		.hints = foreign_ps_options,
	},
	.run = ps_verb,
};
