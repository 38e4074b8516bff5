/* SPDX-License-Identifier: Apache-2.0 */
/* ctr job ls, status, stop, logs, why. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cellar-cell/verbs.h"
#include "cmd/ctr/table.h"

struct output_args {
	const char *output;
};

struct stop_args {
	bool purge;
};

/* The words behind the options, of which there must be as many as the verb wants. */
static int parse(const struct verb *verb, int argc, char **argv, void *args, char ***ret_words,
		 struct err *err)
{
	size_t count;
	int r = options_parse(&verb->command, argc, argv, args, ret_words, &count, err);

	return r > 0 ? VERB_HELP : r;
}

static int ls_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	_cleanup_(table_deinit) struct table table = { .columns = 6 };
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct output_args args = { 0 };
	struct json_node root;
	char **words;
	bool json;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "list the jobs");
	r = parse(&verb_job_ls, argc, argv, &args, &words, err);
	if (r != 0)
		return r;
	err_try(cell_parse_output(args.output, &json, err));
	err_try(cell_ask(cell, "GET", "/v1/jobs", NULL, 0, &doc, err));
	root = json_root(doc);
	if (json)
		return cell_print(&root, err);
	for (size_t i = 0; i < 6; i++)
		table_add(&table, "%s",
			  (const char *const[]){ "JOB", "OWNER", "PRIORITY", "STATE", "RUNNING",
						 "PENDING" }[i]);
	for (size_t i = 0; i < json_count(&root); i++) {
		struct json_node job = json_at(&root, i);

		table_add(&table, "%s", cell_text(&job, "name", arena));
		table_add(&table, "%s", cell_text(&job, "owner", arena));
		table_add(&table, "%" PRId64, cell_number(&job, "priority"));
		table_add(&table, "%s", cell_text(&job, "state", arena));
		table_add(&table, "%" PRId64 "/%" PRId64, cell_number(&job, "running"),
			  cell_number(&job, "count"));
		table_add(&table, "%" PRId64, cell_number(&job, "pending"));
	}
	table_print(&table, stdout);
	return 0;
}

/* "8080->43211, 53->40001" */
static const char *ports_of(const struct json_node *task, struct arena *arena)
{
	struct json_node ports;
	const char *text = "";
	size_t count = 0;

	json_get_array(task, "ports", &ports, &count, NULL);
	for (size_t i = 0; i < count && text; i++) {
		struct json_node port = json_at(&ports, i);

		text = arena_printf(arena, "%s%s%" PRId64 "->%" PRId64, text, *text ? ", " : "",
				    cell_number(&port, "host"), cell_number(&port, "container"));
	}
	return text ? text : "";
}

static void print_tasks(const struct json_node *root, struct arena *arena)
{
	_cleanup_(table_deinit) struct table table = { .columns = 6 };
	struct json_node tasks;
	size_t count = 0;

	json_get_array(root, "tasks", &tasks, &count, NULL);
	for (size_t i = 0; i < 6; i++)
		table_add(&table, "%s",
			  (const char *const[]){ "TASK", "STATE", "MACHINE", "RESTARTS", "PORTS",
						 "REASON" }[i]);
	for (size_t i = 0; i < count; i++) {
		struct json_node task = json_at(&tasks, i);

		table_add(&table, "%" PRId64, cell_number(&task, "index"));
		table_add(&table, "%s%s%s", cell_text(&task, "state", arena),
			  json_has(&task, "health") ? ", " : "", cell_text(&task, "health", arena));
		table_add(&table, "%s", cell_text(&task, "machine", arena));
		table_add(&table, "%" PRId64, cell_number(&task, "restarts"));
		table_add(&table, "%s", ports_of(&task, arena));
		table_add(&table, "%s", cell_text(&task, "reason", arena));
	}
	table_print(&table, stdout);
}

static int status_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct output_args args = { 0 };
	struct json_node root;
	char **words;
	bool json;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "show a job");
	r = parse(&verb_job_status, argc, argv, &args, &words, err);
	if (r != 0)
		return r;
	err_try(cell_parse_output(args.output, &json, err));
	err_try(cell_ask_job(cell, "GET", words[0], "", &doc, err));
	root = json_root(doc);
	if (json)
		return cell_print(&root, err);
	printf("%s %s of %s: %s, priority %" PRId64 ", %" PRId64 " of %" PRId64 " running\n\n",
	       cell_text(&root, "kind", arena), cell_text(&root, "name", arena),
	       cell_text(&root, "owner", arena), cell_text(&root, "state", arena),
	       cell_number(&root, "priority"), cell_number(&root, "running"),
	       cell_number(&root, "count"));
	print_tasks(&root, arena);
	return 0;
}

/* Tasks that wait for a place, and why. */
static int why_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, tasks;
	size_t count = 0, pending = 0;
	char **words;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "explain a job");
	r = parse(&verb_job_why, argc, argv, NULL, &words, err);
	if (r != 0)
		return r;
	err_try(cell_ask_job(cell, "GET", words[0], "", &doc, err));
	root = json_root(doc);
	json_get_array(&root, "tasks", &tasks, &count, NULL);
	for (size_t i = 0; i < count; i++) {
		struct json_node task = json_at(&tasks, i);

		if (strcmp(cell_text(&task, "state", arena), "pending") != 0)
			continue;
		pending++;
		printf("%s/%" PRId64 ": %s\n", words[0], cell_number(&task, "index"),
		       cell_text(&task, "reason", arena));
	}
	if (!pending)
		printf("%s: no task of it is pending\n", words[0]);
	return 0;
}

static int stop_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct stop_args args = { 0 };
	char **words;
	int r = parse(&verb_job_stop, argc, argv, &args, &words, err);

	if (r != 0)
		return r;
	err_try(cell_ask_job(cell, "DELETE", words[0], args.purge ? "?purge=true" : "", &doc, err));
	puts(words[0]);
	return 0;
}

/* ---- logs ---- */

/* The container of JOB[/INDEX], which is the only task when none is said. */
static int find_container(const struct cellar_cell *cell, char *word, struct arena *arena,
			  const char **ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, tasks;
	char *slash = strchr(word, '/'), *end = NULL;
	unsigned long index = slash ? strtoul(slash + 1, &end, 10) : 0;
	size_t count = 0;

	if (slash && (*end || end == slash + 1))
		return err_say(err, EINVAL, "%s: a task is JOB/INDEX, like web/0", word);
	if (slash)
		*slash = '\0';
	err_try(cell_ask_job(cell, "GET", word, "", &doc, err));
	root = json_root(doc);
	json_get_array(&root, "tasks", &tasks, &count, NULL);
	if (!slash && count != 1)
		return err_say(err, EINVAL, "job %s has %zu tasks; say which: %s/0", word, count,
			       word);
	if (index >= count)
		return err_say(err, ENOENT, "job %s has no task %lu, but %zu of them", word, index,
			       count);
	root = json_at(&tasks, index);
	*ret = cell_text(&root, "container", arena);
	return **ret ? 0
		     : err_say(err, ENOENT, "task %s/%lu has no container on any machine", word,
			       index);
}

static int logs_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *command[10] = { "ctr" };
	char path[PATH_MAX], **words;
	const char *container;
	size_t n = 1;
	ssize_t len;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "show a log");
	r = parse(&verb_job_logs, argc, argv, NULL, &words, err);
	if (r != 0)
		return r;
	err_try(find_container(cell, words[0], arena, &container, err));
	len = readlink("/proc/self/exe", path, sizeof(path) - 4);
	if (len < 0)
		return err_set(err, errno, "read /proc/self/exe");
	path[len] = '\0';
	strcpy(strrchr(path, '/') + 1, "ctr");
	if (cell->root) {
		command[n++] = "--root";
		command[n++] = cell->root;
	}
	if (cell->runroot) {
		command[n++] = "--runroot";
		command[n++] = cell->runroot;
	}
	command[n++] = "logs";
	command[n++] = container;
	execv(path, (char *const *)(uintptr_t)command);
	return err_set(err, errno, "execute %s", path);
}

static const struct option_entry output_options[] = {
	OPTION_STRING(struct output_args, output, 'o', "output", "FORMAT", "table or json"),
	OPTION_END,
};

static const struct option_entry stop_options[] = {
	OPTION_BOOL(struct stop_args, purge, 0, "purge", "and forget it"),
	OPTION_END,
};

static const struct option_entry no_options[] = { OPTION_END };

const struct verb verb_job_ls = {
	.command = { .name = "ctr job ls", .summary = "list jobs", .options = output_options },
	.run = ls_verb,
};

const struct verb verb_job_status = {
	.command = {
		.name = "ctr job status",
		.args = "JOB",
		.summary = "show a job and its tasks",
		.options = output_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = status_verb,
};

const struct verb verb_job_why = {
	.command = {
		.name = "ctr job why",
		.args = "JOB",
		.summary = "tell why tasks are pending",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = why_verb,
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
	.run = stop_verb,
};

const struct verb verb_job_logs = {
	.command = {
		.name = "ctr job logs",
		.args = "JOB[/INDEX]",
		.summary = "show what a task of this machine has written",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = logs_verb,
};
