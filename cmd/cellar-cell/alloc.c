/* SPDX-License-Identifier: Apache-2.0 */
/* ctr alloc ls, status. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/cellar-cell/verbs.h"

struct alloc_args {
	struct verb_args common;
};

static const struct option_entry output_options[] = {
	OUTPUT_OPTION(struct alloc_args),
	OPTION_END,
};

static const char *reserved_of(const struct ask *ask, const struct json_node *set)
{
	return arena_printf(ask->arena, "%" PRId64 "/%" PRId64, cell_number(set, "reserved"),
			    cell_number(set, "count"));
}

static int ls(const struct ask *ask, struct err *err)
{
	static const struct column columns[] = {
		{ "SET", "name" },
		{ "OWNER", "owner", .narrow = 1 },
		{ "PRIORITY", "priority", COLUMN_NUMBER, .narrow = 2 },
		{ "STATE", "state" },
		{ "CPU", "cpu_milli", COLUMN_CPU },
		{ "MEMORY", "memory_bytes", COLUMN_BYTES },
		{ "RESERVED", .text = reserved_of },
		{ NULL },
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(cell_ask(ask, "GET", "/v1/allocs", NULL, 0, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	print_rows(ask, columns, &root);
	return 0;
}

const struct verb verb_alloc_ls = {
	.command = {
		.name = "ctr alloc ls",
		.summary = "list alloc sets",
		.options = output_options,
	},
	.run = ls,
};

static const char *free_of(const struct ask *ask, const struct json_node *alloc)
{
	return arena_printf(ask->arena, "%s, %s",
			    print_cpu(ask, cell_number(alloc, "cpu_free_milli")),
			    print_bytes(ask, cell_number(alloc, "memory_free_bytes")));
}

static const char *tasks_of(const struct ask *ask, const struct json_node *alloc)
{
	const char *const *list = NULL;
	const char *text = "";
	size_t count = 0;

	json_get_strings(alloc, "tasks", ask->arena, &list, &count, NULL);
	for (size_t i = 0; i < count && text; i++)
		text = arena_printf(ask->arena, "%s%s%s", text, *text ? ", " : "", list[i]);
	return text ? text : "";
}

static int status(const struct ask *ask, struct err *err)
{
	static const struct column columns[] = {
		{ "ALLOC", "index", COLUMN_NUMBER },
		{ "MACHINE", "machine" },
		{ "FREE", .text = free_of },
		{ "TASKS", .text = tasks_of },
		{ NULL },
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, allocs;
	size_t count;

	err_try(cell_ask_name(ask, "GET", "/v1/allocs/%s", ask->words[0], NULL, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	printf("alloc set %s of %s: %s, priority %" PRId64 ", %" PRId64 " of %s and %s each\n\n",
	       cell_text(ask, &root, "name"), cell_text(ask, &root, "owner"),
	       cell_text(ask, &root, "state"), cell_number(&root, "priority"),
	       cell_number(&root, "count"), print_cpu(ask, cell_number(&root, "cpu_milli")),
	       print_bytes(ask, cell_number(&root, "memory_bytes")));
	if (json_get_array(&root, "allocs", &allocs, &count, NULL) > 0)
		print_rows(ask, columns, &allocs);
	return 0;
}

const struct verb verb_alloc_status = {
	.command = {
		.name = "ctr alloc status",
		.args = "SET",
		.summary = "show an alloc set, and what runs in each alloc",
		.options = output_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = status,
};
