/* SPDX-License-Identifier: Apache-2.0 */
/* ctr machine ls. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "cmd/cellar-cell/verbs.h"
#include "cmd/ctr/table.h"

#define MIB (INT64_C(1) << 20)

struct ls_args {
	const char *output;
};

static void print_machines(const struct json_node *root, struct arena *arena)
{
	_cleanup_(table_deinit) struct table table = { .columns = 6 };

	for (size_t i = 0; i < 6; i++)
		table_add(&table, "%s",
			  (const char *const[]){ "MACHINE", "STATE", "RACK", "CPU FREE",
						 "MEMORY FREE", "TASKS" }[i]);
	for (size_t i = 0; i < json_count(root); i++) {
		struct json_node m = json_at(root, i);

		table_add(&table, "%s", cell_text(&m, "name", arena));
		table_add(&table, "%s", cell_text(&m, "state", arena));
		table_add(&table, "%s", cell_text(&m, "rack", arena));
		table_add(&table, "%" PRId64 "m of %" PRId64 "m", cell_number(&m, "cpu_free_milli"),
			  cell_number(&m, "cpu_milli"));
		table_add(&table, "%" PRId64 "Mi of %" PRId64 "Mi",
			  cell_number(&m, "memory_free_bytes") / MIB,
			  cell_number(&m, "memory_bytes") / MIB);
		table_add(&table, "%" PRId64, cell_number(&m, "tasks"));
	}
	table_print(&table, stdout);
}

static int ls_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct ls_args args = { 0 };
	struct json_node root;
	char **words;
	size_t count;
	bool json;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "list the machines");
	r = options_parse(&verb_machine_ls.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	err_try(cell_parse_output(args.output, &json, err));
	err_try(cell_ask(cell, "GET", "/v1/machines", NULL, 0, &doc, err));
	root = json_root(doc);
	if (json)
		return cell_print(&root, err);
	print_machines(&root, arena);
	return 0;
}

static const struct option_entry ls_options[] = {
	OPTION_STRING(struct ls_args, output, 'o', "output", "FORMAT", "table or json"),
	OPTION_END,
};

const struct verb verb_machine_ls = {
	.command = {
		.name = "ctr machine ls",
		.summary = "list the cell's machines",
		.options = ls_options,
	},
	.run = ls_verb,
};
