/* SPDX-License-Identifier: Apache-2.0 */
/* ctr job logs, exec: into the container of a task that is on this machine, by way of its shim. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cellar-cell/verbs.h"

#define ROOT_DEFAULT "/var/lib/cellar"

struct reach_args {
	struct verb_args common;
	bool follow, timestamps, interactive, tty;
	const char *tail, *since, *user, *workdir;
};

/* Names of containers are unique in a cell: what is here is the task's. */
static bool is_here(const struct ask *ask, const char *container)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/containers/.names/%s",
			ask->cell->root ? ask->cell->root : ROOT_DEFAULT, container) < PATH_MAX &&
	       faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The container of JOB[/INDEX], which is the only task when none is said. */
static int find_container(const struct ask *ask, const char **ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, tasks;
	uint32_t index;
	size_t count = 0;

	err_try(cell_parse_task(ask->words[0], &index, err));
	err_try(cell_ask_name(ask, "GET", "/v1/jobs/%s", ask->words[0], NULL, &doc, err));
	root = json_root(doc);
	json_get_array(&root, "tasks", &tasks, &count, NULL);
	if (index == NO_INDEX && count != 1)
		return err_say(err, EINVAL, "job %s has %zu tasks; say which: %s/0", ask->words[0],
			       count, ask->words[0]);
	index = index == NO_INDEX ? 0 : index;
	if (index >= count)
		return err_say(err, ENOENT, "job %s has no task %" PRIu32 ", but %zu of them",
			       ask->words[0], index, count);
	root = json_at(&tasks, index);
	*ret = cell_text(ask, &root, "container");
	if (!**ret)
		return err_say(err, ENOENT, "task %s/%" PRIu32 " has no container on any machine",
			       ask->words[0], index);
	if (!is_here(ask, *ret))
		return err_say(err, EXDEV,
			       "task %s/%" PRIu32
			       " is on machine %s: ask there, for its container %s",
			       ask->words[0], index, cell_text(ask, &root, "machine"), *ret);
	return 0;
}

/* The start of a command line of ctr. */
static size_t begin(const struct ask *ask, const char **command, const char *verb)
{
	size_t n = 0;

	command[n++] = "ctr";
	if (ask->cell->root) {
		command[n++] = "--root";
		command[n++] = ask->cell->root;
	}
	if (ask->cell->runroot) {
		command[n++] = "--runroot";
		command[n++] = ask->cell->runroot;
	}
	command[n++] = verb;
	return n;
}

static size_t add(const char **command, size_t n, const char *option, const char *value)
{
	if (value) {
		command[n++] = option;
		command[n++] = value;
	}
	return n;
}

/* ---- logs ---- */

static int logs(const struct ask *ask, struct err *err)
{
	const struct reach_args *args = ask->args;
	const char *command[20] = { 0 }, *container;
	size_t n = begin(ask, command, "logs");

	err_try(find_container(ask, &container, err));
	if (args->follow)
		command[n++] = "--follow";
	if (args->timestamps)
		command[n++] = "--timestamps";
	n = add(command, n, "--tail", args->tail);
	n = add(command, n, "--since", args->since);
	command[n] = container;
	return cell_exec(ask, "ctr", command, err);
}

static const struct option_entry logs_options[] = {
	OPTION_BOOL(struct reach_args, follow, 'f', "follow", "go on with what it writes"),
	OPTION_BOOL(struct reach_args, timestamps, 't', "timestamps", "with the time of each line"),
	OPTION_STRING(struct reach_args, tail, 'n', "tail", "N", "only the last lines"),
	OPTION_STRING(struct reach_args, since, 0, "since", "TIME", "only from then on, 5m say"),
	OPTION_END,
};

const struct verb verb_job_logs = {
	.command = {
		.name = "ctr job logs",
		.args = "JOB[/INDEX]",
		.summary = "show what a task of this machine has written",
		.options = logs_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct reach_args),
	.run = logs,
};

/* ---- exec ---- */

static int exec(const struct ask *ask, struct err *err)
{
	const struct reach_args *args = ask->args;
	const char **command = arena_calloc(ask->arena, ask->count + 20, sizeof(*command));
	const char *container;
	size_t n;

	if (strcmp(ask->words[1], "--") == 0 && ask->count < 3)
		return err_say(err, EINVAL, "say which command, behind --");
	if (!command)
		return err_set(err, ENOMEM, "execute in %s", ask->words[0]);
	err_try(find_container(ask, &container, err));
	n = begin(ask, command, "exec");
	if (args->interactive)
		command[n++] = "--interactive";
	if (args->tty)
		command[n++] = "--tty";
	n = add(command, n, "--user", args->user);
	n = add(command, n, "--workdir", args->workdir);
	command[n++] = container;
	for (size_t i = strcmp(ask->words[1], "--") == 0 ? 2 : 1; i < ask->count; i++)
		command[n++] = ask->words[i];
	return cell_exec(ask, "ctr", command, err);
}

static const struct option_entry exec_options[] = {
	OPTION_BOOL(struct reach_args, interactive, 'i', "interactive", "give it this stdin"),
	OPTION_BOOL(struct reach_args, tty, 't', "tty", "give it a terminal"),
	OPTION_STRING(struct reach_args, user, 'u', "user", "USER[:GROUP]", "run as"),
	OPTION_STRING(struct reach_args, workdir, 'w', "workdir", "DIR", "in that folder"),
	OPTION_END,
};

const struct verb verb_job_exec = {
	.command = {
		.name = "ctr job exec",
		.args = "JOB[/INDEX] [--] COMMAND [ARG...]",
		.summary = "run a command in a task of this machine",
		.details = "Its exit status is the command's.",
		.options = exec_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_min = 2,
		.args_max = SIZE_MAX,
	},
	.args_size = sizeof(struct reach_args),
	.run = exec,
};
