/* SPDX-License-Identifier: Apache-2.0 */
/* ctr job logs, exec: what a task has written, and commands in it, on whatever machine it is. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "cmd/cellar-cell/stream.h"
#include "cmd/cellar-cell/verbs.h"
#include "cmd/ctr/terminal.h"

struct reach_args {
	struct verb_args common;
	bool follow, timestamps, interactive, tty;
	const char *tail, *since, *user, *workdir;
};

/* /v1/jobs/JOB/WHAT; "JOB[/INDEX]" is the first word. */
static int make_path(const struct ask *ask, const char *what, struct strbuf *ret,
		     uint32_t *ret_index, struct err *err)
{
	_cleanup_free_ char *name = NULL;

	err_try(cell_parse_task(ask->words[0], ret_index, err));
	name = http_escape(ask->words[0]);
	strbuf_addf(ret, "/v1/jobs/%s/%s", name ? name : "", what);
	return name ? 0 : err_set(err, ENOMEM, "reach %s", ask->words[0]);
}

/* ---- logs ---- */

static void add_query(struct strbuf *sb, const char *key, const char *value)
{
	_cleanup_free_ char *escaped = value ? http_escape(value) : NULL;

	if (escaped)
		strbuf_addf(sb, "%c%s=%s", strchr(sb->data, '?') ? '&' : '?', key, escaped);
}

static int logs(const struct ask *ask, struct err *err)
{
	const struct reach_args *args = ask->args;
	_cleanup_strbuf_ struct strbuf path = { 0 };
	struct stream_options options = { .method = "GET" };
	uint32_t index;

	err_try(make_path(ask, "logs", &path, &index, err));
	if (index != NO_INDEX)
		add_query(&path, "index", arena_printf(ask->arena, "%" PRIu32, index));
	add_query(&path, "follow", args->follow ? "true" : NULL);
	add_query(&path, "timestamps", args->timestamps ? "true" : NULL);
	add_query(&path, "tail", args->tail);
	add_query(&path, "since", args->since);
	if (!strbuf_ok(&path))
		return err_set(err, ENOMEM, "ask for a log");
	options.path = path.data;
	return stream_run(ask, &options, err);
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
		.summary = "show what a task has written",
		.options = logs_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct reach_args),
	.run = logs,
};

/* ---- exec ---- */

static char *write_request(const struct ask *ask, uint32_t index, const char *const *command)
{
	const struct reach_args *args = ask->args;
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	uint16_t columns, rows;
	size_t len;

	if (!w)
		return NULL;
	json_open_object(w);
	if (index != NO_INDEX)
		json_field_u64(w, "index", index);
	json_field_strings(w, "command", command);
	json_field_string(w, "user", args->user);
	json_field_string(w, "workdir", args->workdir);
	json_field_bool(w, "interactive", args->interactive);
	json_field_bool(w, "tty", args->tty);
	if (args->tty && terminal_size(&columns, &rows)) {
		json_field_u64(w, "rows", rows);
		json_field_u64(w, "columns", columns);
	}
	json_close_object(w);
	return json_writer_take(w, &len);
}

static int exec(const struct ask *ask, struct err *err)
{
	const struct reach_args *args = ask->args;
	size_t first = strcmp(ask->words[1], "--") == 0 ? 2 : 1;
	_cleanup_strbuf_ struct strbuf path = { 0 };
	_cleanup_free_ char *body = NULL;
	struct stream_options options = {
		.method = "POST", .input = args->interactive, .terminal = args->tty, .signals = true
	};
	uint32_t index;

	if (ask->count <= first)
		return err_say(err, EINVAL, "say which command, behind --");
	if (args->tty && args->interactive && !isatty(STDIN_FILENO))
		return err_say(err, ENOTTY,
			       "-t with -i needs a terminal, and stdin is none; leave out -t");
	err_try(make_path(ask, "exec", &path, &index, err));
	body = write_request(ask, index, (const char *const *)ask->words + first);
	if (!strbuf_ok(&path) || !body)
		return err_say(err, EINVAL, "the command is no text");
	options.path = path.data;
	options.body = body;
	return stream_run(ask, &options, err);
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
		.summary = "run a command in a task",
		.details = "Its exit status is the command's. Who speaks for the job's owner may; it is audited.",
		.options = exec_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_min = 2,
		.args_max = SIZE_MAX,
	},
	.args_size = sizeof(struct reach_args),
	.run = exec,
};
