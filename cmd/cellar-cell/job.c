/* SPDX-License-Identifier: Apache-2.0 */
/* ctr job ls, status, why, history, stop: a job is looked at, and ended. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cellar-cell/verbs.h"

struct stop_args {
	struct verb_args common;
	bool purge;
};

static const struct option_entry output_options[] = {
	OUTPUT_OPTION(struct stop_args),
	OPTION_END,
};

/* ---- ls ---- */

static const char *running_of(const struct ask *ask, const struct json_node *job)
{
	return arena_printf(ask->arena, "%" PRId64 "/%" PRId64, cell_number(job, "running"),
			    cell_number(job, "count"));
}

static int ls(const struct ask *ask, struct err *err)
{
	static const struct column columns[] = {
		{ "JOB", "name" },
		{ "OWNER", "owner", .narrow = 2 },
		{ "PRIORITY", "priority", COLUMN_NUMBER, .narrow = 1 },
		{ "STATE", "state" },
		{ "RUNNING", .text = running_of },
		{ "PENDING", "pending", COLUMN_NUMBER },
		{ NULL },
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(cell_ask(ask, "GET", "/v1/jobs", NULL, 0, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	print_rows(ask, columns, &root);
	return 0;
}

const struct verb verb_job_ls = {
	.command = { .name = "ctr job ls", .summary = "list jobs", .options = output_options },
	.run = ls,
};

/* ---- status ---- */

/* "8080->43211, 53->40001" */
static const char *ports_of(const struct ask *ask, const struct json_node *task)
{
	struct json_node ports;
	const char *text = "";
	size_t count = 0;

	json_get_array(task, "ports", &ports, &count, NULL);
	for (size_t i = 0; i < count && text; i++) {
		struct json_node port = json_at(&ports, i);

		text = arena_printf(ask->arena, "%s%s%" PRId64 "->%" PRId64, text,
				    *text ? ", " : "", cell_number(&port, "host"),
				    cell_number(&port, "container"));
	}
	return text ? text : "";
}

static const char *state_of(const struct ask *ask, const struct json_node *task)
{
	return arena_printf(ask->arena, "%s%s%s", cell_text(ask, task, "state"),
			    json_has(task, "health") ? ", " : "", cell_text(ask, task, "health"));
}

static int status(const struct ask *ask, struct err *err)
{
	static const struct column columns[] = {
		{ "TASK", "index", COLUMN_NUMBER },
		{ "STATE", .text = state_of },
		{ "MACHINE", "machine" },
		{ "RESTARTS", "restarts", COLUMN_NUMBER, .narrow = 1 },
		{ "PORTS", .text = ports_of, .narrow = 2 },
		{ "REASON", "reason" },
		{ NULL },
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, tasks;
	size_t count;

	err_try(cell_ask_name(ask, "GET", "/v1/jobs/%s", ask->words[0], NULL, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	printf("%s %s of %s: %s, priority %" PRId64 ", %" PRId64 " of %" PRId64 " running\n\n",
	       cell_text(ask, &root, "kind"), cell_text(ask, &root, "name"),
	       cell_text(ask, &root, "owner"), cell_text(ask, &root, "state"),
	       cell_number(&root, "priority"), cell_number(&root, "running"),
	       cell_number(&root, "count"));
	if (json_get_array(&root, "tasks", &tasks, &count, NULL) > 0)
		print_rows(ask, columns, &tasks);
	return 0;
}

const struct verb verb_job_status = {
	.command = {
		.name = "ctr job status",
		.args = "JOB",
		.summary = "show a job and its tasks",
		.options = output_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = status,
};

/* ---- why ---- */

/* Tasks that wait for a place, and why. */
static int why(const struct ask *ask, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, tasks;
	size_t count = 0, pending = 0;

	err_try(cell_ask_name(ask, "GET", "/v1/jobs/%s", ask->words[0], NULL, &doc, err));
	root = json_root(doc);
	json_get_array(&root, "tasks", &tasks, &count, NULL);
	for (size_t i = 0; i < count; i++) {
		struct json_node task = json_at(&tasks, i);

		if (strcmp(cell_text(ask, &task, "state"), "pending") != 0)
			continue;
		pending++;
		printf("%s/%" PRId64 ": %s\n", ask->words[0], cell_number(&task, "index"),
		       cell_text(ask, &task, "reason"));
	}
	if (!pending)
		printf("%s: no task of it is pending\n", ask->words[0]);
	return 0;
}

static const struct option_entry no_options[] = { OPTION_END };

const struct verb verb_job_why = {
	.command = {
		.name = "ctr job why",
		.args = "JOB",
		.summary = "tell why tasks are pending",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = why,
};

/* ---- history ---- */

static int history(const struct ask *ask, struct err *err)
{
	static const struct column columns[] = {
		{ "TIME", "time_ms", COLUMN_TIME },
		{ "WHO", "who" },
		{ "WHAT", "what" },
		{ NULL },
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, list;
	size_t count;

	err_try(cell_ask_name(ask, "GET", "/v1/jobs/%s/history", ask->words[0], NULL, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	if (json_get_array(&root, "history", &list, &count, NULL) > 0)
		print_rows(ask, columns, &list);
	return 0;
}

const struct verb verb_job_history = {
	.command = {
		.name = "ctr job history",
		.args = "JOB",
		.summary = "tell who has changed what about a job",
		.options = output_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = history,
};

/* ---- stop ---- */

static int stop(const struct ask *ask, struct err *err)
{
	const struct stop_args *args = ask->args;
	_cleanup_json_ struct json_doc *doc = NULL;

	err_try(cell_ask_name(ask, "DELETE", args->purge ? "/v1/jobs/%s?purge=true" : "/v1/jobs/%s",
			      ask->words[0], NULL, &doc, err));
	puts(ask->words[0]);
	return 0;
}

static const struct option_entry stop_options[] = {
	OPTION_BOOL(struct stop_args, purge, 0, "purge", "and forget it"),
	OPTION_END,
};

const struct verb verb_job_stop = {
	.command = {
		.name = "ctr job stop",
		.args = "JOB",
		.summary = "end a job",
		.options = stop_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct stop_args),
	.run = stop,
};
