/* SPDX-License-Identifier: Apache-2.0 */
/* ctr machine ls, status, cordon, uncordon, drain. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/cellar-cell/verbs.h"
#include "spec/job/amount.h"

#define NS_PER_MS INT64_C(1000000)
#define MS_PER_S 1000
#define WAIT_MAX_S 60

struct machine_args {
	struct verb_args common;
	bool wait;
	const char *deadline, *timeout;
};

static const struct option_entry output_options[] = {
	OUTPUT_OPTION(struct machine_args),
	OPTION_END,
};

/* ---- ls, status ---- */

static const char *cpu_of(const struct ask *ask, const struct json_node *m)
{
	return arena_printf(ask->arena, "%" PRId64 "m of %" PRId64 "m",
			    cell_number(m, "cpu_free_milli"), cell_number(m, "cpu_milli"));
}

static const char *memory_of(const struct ask *ask, const struct json_node *m)
{
	return arena_printf(ask->arena, "%" PRId64 "Mi of %" PRId64 "Mi",
			    cell_number(m, "memory_free_bytes") >> 20,
			    cell_number(m, "memory_bytes") >> 20);
}

static int ls(const struct ask *ask, struct err *err)
{
	static const struct column columns[] = {
		{ "MACHINE", "name" },
		{ "STATE", "state" },
		{ "RACK", "rack", .narrow = 1 },
		{ "CPU FREE", .text = cpu_of, .narrow = 3 },
		{ "MEMORY FREE", .text = memory_of, .narrow = 2 },
		{ "TASKS", "tasks", COLUMN_NUMBER },
		{ NULL },
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(cell_ask(ask, "GET", "/v1/machines", NULL, 0, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	print_rows(ask, columns, &root);
	return 0;
}

const struct verb verb_machine_ls = {
	.command = {
		.name = "ctr machine ls",
		.summary = "list the cell's machines",
		.options = output_options,
	},
	.run = ls,
};

static int status(const struct ask *ask, struct err *err)
{
	static const struct column columns[] = {
		{ "TASK", "task" },
		{ "STATE", "state" },
		{ "PRIORITY", "priority", COLUMN_NUMBER, .narrow = 2 },
		{ "CPU", "cpu_milli", COLUMN_CPU },
		{ "MEMORY", "memory_bytes", COLUMN_BYTES },
		{ "CONTAINER", "container" },
		{ NULL },
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, list;
	size_t count = 0;

	err_try(cell_ask_name(ask, "GET", "/v1/machines/%s", ask->words[0], NULL, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	printf("%s: %s, heard %" PRId64 " ms ago\nfree: %s of CPU, %s of memory, %s of disk\n",
	       cell_text(ask, &root, "name"), cell_text(ask, &root, "state"),
	       cell_number(&root, "silent_ms"), cpu_of(ask, &root), memory_of(ask, &root),
	       print_bytes(ask, cell_number(&root, "disk_free_bytes")));
	if (*cell_text(ask, &root, "state_by") && strcmp(cell_text(ask, &root, "state"), "up") != 0)
		printf("so since %s wanted it%s%s\n", cell_text(ask, &root, "state_by"),
		       cell_number(&root, "drain_by_ms") ? "; all is moved by " : "",
		       cell_number(&root, "drain_by_ms")
			       ? print_time(ask, cell_number(&root, "drain_by_ms"))
			       : "");
	if (json_get_array(&root, "list", &list, &count, NULL) > 0 && count) {
		puts("");
		print_rows(ask, columns, &list);
	}
	return 0;
}

const struct verb verb_machine_status = {
	.command = {
		.name = "ctr machine status",
		.args = "MACHINE",
		.summary = "show a machine and what runs there",
		.options = output_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = status,
};

/* ---- cordon, uncordon, drain ---- */

static int change(const struct ask *ask, const char *path, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;

	return cell_ask_name(ask, "POST", path, ask->words[0], NULL, &doc, err);
}

static int cordon(const struct ask *ask, struct err *err)
{
	err_try(change(ask, "/v1/machines/%s/cordon", err));
	puts(ask->words[0]);
	return 0;
}

static int uncordon(const struct ask *ask, struct err *err)
{
	err_try(change(ask, "/v1/machines/%s/uncordon", err));
	puts(ask->words[0]);
	return 0;
}

/* Once for each number of them, where a person may be looking. */
static void tell_left(const struct ask *ask, size_t count, size_t *told)
{
	if (count && count != *told)
		fprintf(stderr, "%s: %zu task%s left\n", ask->words[0], count,
			count == 1 ? " is" : "s are");
	*told = count;
}

/* Until nothing is on the machine any more. */
static int await_empty(const struct ask *ask, int64_t limit_ms, struct err *err)
{
	int64_t began_ns = clock_monotonic_ns();
	size_t told = 0;

	for (;;) {
		_cleanup_json_ struct json_doc *doc = NULL, *cell = NULL;
		int64_t left_ms = limit_ms - (clock_monotonic_ns() - began_ns) / NS_PER_MS;
		struct json_node root, list;
		size_t count = 0;
		char path[96];

		/* First how far the cell is, so that no change is missed. */
		err_try(cell_ask(ask, "GET", "/v1/cell", NULL, 0, &cell, err));
		err_try(cell_ask_name(ask, "GET", "/v1/machines/%s", ask->words[0], NULL, &doc,
				      err));
		root = json_root(doc);
		json_get_array(&root, "list", &list, &count, NULL);
		tell_left(ask, count, &told);
		if (!count)
			return 0;
		if (left_ms <= 0)
			return EXIT_TIMEOUT;
		root = json_root(cell);
		snprintf(path, sizeof(path), "/v1/cell?index=%" PRId64 "&wait=%" PRId64,
			 cell_number(&root, "index"),
			 left_ms / MS_PER_S < WAIT_MAX_S ? left_ms / MS_PER_S + 1 : WAIT_MAX_S);
		cell = json_free(cell);
		err_try(cell_ask(ask, "GET", path, NULL, 0, &cell, err));
	}
}

static int read_time(const char *text, int64_t *ret_ms, struct err *err)
{
	if (text && amount_parse_ms(text, ret_ms) < 0)
		return err_say(err, EINVAL, "\"%s\" is not a time, like 30s or 5m", text);
	return 0;
}

static int drain(const struct ask *ask, struct err *err)
{
	const struct machine_args *args = ask->args;
	int64_t limit_ms = INT64_MAX, deadline_ms = 0;
	_cleanup_json_ struct json_doc *doc = NULL;
	char body[64];
	int r = 0;

	err_try(read_time(args->deadline, &deadline_ms, err));
	err_try(read_time(args->timeout, &limit_ms, err));
	snprintf(body, sizeof(body), "{\"deadline_ms\":%" PRId64 "}", deadline_ms);
	err_try(cell_ask_name(ask, "POST", "/v1/machines/%s/drain", ask->words[0],
			      args->deadline ? body : NULL, &doc, err));
	if (args->wait || args->deadline || args->timeout)
		r = await_empty(ask, limit_ms, err);
	if (r == 0)
		puts(ask->words[0]);
	return r;
}

static const struct option_entry no_options[] = { OPTION_END };
static const struct option_entry drain_options[] = {
	OPTION_BOOL(struct machine_args, wait, 'w', "wait",
		    "return when nothing is on it any more"),
	OPTION_STRING(
		struct machine_args, deadline, 0, "deadline", "TIME",
		"then what is left moves, too, whatever budgets say, 5m say; waits, as -w does"),
	OPTION_STRING(struct machine_args, timeout, 0, "timeout", "TIME",
		      "wait no longer than that; status 124 then, and the drain goes on"),
	OPTION_END,
};

const struct verb verb_machine_cordon = {
	.command = {
		.name = "ctr machine cordon",
		.args = "MACHINE",
		.summary = "let nothing new come to a machine",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = cordon,
};

const struct verb verb_machine_uncordon = {
	.command = {
		.name = "ctr machine uncordon",
		.args = "MACHINE",
		.summary = "take a machine that was cordoned or drained back into use",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = uncordon,
};

const struct verb verb_machine_drain = {
	.command = {
		.name = "ctr machine drain",
		.args = "MACHINE",
		.summary = "move what is on a machine to others",
		.details = "As fast as the jobs' disruption budgets let it, until the deadline; nothing new\n"
			   "comes to it.",
		.options = drain_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct machine_args),
	.run = drain,
};
