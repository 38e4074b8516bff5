/* SPDX-License-Identifier: Apache-2.0 */
/* ctr job run, plan, validate: a job file is checked, tried out, handed in. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/cellar-cell/verbs.h"
#include "spec/job/job.h"

struct run_args {
	struct verb_args common;
	bool wait;
	const char *timeout;
};

struct handed {
	char *text; /* owned */
	size_t len;
	const char *name; /* of the job */
	bool is_job;
};

static void handed_deinit(struct handed *handed)
{
	free(handed->text);
}

/* "-": stdin. Checked here already, so that a mistake is told without a cell. */
static int read_file(const struct ask *ask, struct handed *ret, struct err *err)
{
	const char *path = ask->words[0];
	const char *name = strcmp(path, "-") == 0 ? "stdin" : path;
	struct job_file file;

	if (name != path)
		err_try(fd_read_all(STDIN_FILENO, JOB_FILE_MAX, &ret->text, &ret->len, err));
	else
		err_try(file_read(AT_FDCWD, path, JOB_FILE_MAX, &ret->text, &ret->len, err));
	err_try(job_file_parse(name, ret->text, ret->len, ask->arena, &file, err));
	ret->is_job = file.job;
	ret->name = file.job ? file.job : file.alloc_set;
	return 0;
}

static int hand_in(const struct ask *ask, const char *where, const struct handed *handed,
		   struct json_doc **ret, struct err *err)
{
	_cleanup_free_ char *escaped = http_escape(ask->words[0]), *path = NULL;

	if (!escaped || asprintf(&path, "%s?file=%s", where, escaped) < 0)
		return err_set(err, ENOMEM, "submit %s", handed->name);
	return cell_ask(ask, "POST", path, handed->text, handed->len, ret, err);
}

/* ---- validate ---- */

static int validate(const struct ask *ask, struct err *err)
{
	_cleanup_(handed_deinit) struct handed handed = { 0 };

	err_try(read_file(ask, &handed, err));
	printf("%s: %s %s is well-formed\n", ask->words[0], handed.is_job ? "job" : "alloc set",
	       handed.name);
	return 0;
}

static const struct option_entry no_options[] = { OPTION_END };

const struct verb verb_job_validate = {
	.command = {
		.name = "ctr job validate",
		.args = "FILE",
		.summary = "check a job file, without a cell",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = validate,
};

/* ---- run ---- */

static int run(const struct ask *ask, struct err *err)
{
	const struct run_args *args = ask->args;
	_cleanup_(handed_deinit) struct handed handed = { 0 };
	_cleanup_json_ struct json_doc *doc = NULL;
	int r = 0;

	err_try(read_file(ask, &handed, err));
	err_try(hand_in(ask, "/v1/jobs", &handed, &doc, err));
	if (args->wait || args->timeout)
		r = cell_await_job(ask, handed.name, args->timeout, err);
	if (r >= 0)
		puts(handed.name);
	return r;
}

static const struct option_entry run_options[] = {
	OPTION_BOOL(struct run_args, wait, 'w', "wait", "return when all of its tasks run"),
	OPTION_STRING(struct run_args, timeout, 0, "timeout", "TIME",
		      "wait no longer than that, 30s say; status 124 then"),
	OPTION_END,
};

const struct verb verb_job_run = {
	.command = {
		.name = "ctr job run",
		.args = "FILE",
		.summary = "submit a job file",
		.details = "Returns when the cell has the job for good. - reads stdin.\n"
			   "\n"
			   "Example:\n"
			   "  ctr job run --wait web.yaml && ctr job status web",
		.options = run_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct run_args),
	.run = run,
};

/* ---- plan ---- */

static const char *victims_of(const struct ask *ask, const struct json_node *task)
{
	struct json_node victims;
	const char *text = "";
	size_t count = 0;

	json_get_array(task, "victims", &victims, &count, NULL);
	for (size_t i = 0; i < count && text; i++) {
		struct json_node victim = json_at(&victims, i);

		text = arena_printf(ask->arena, "%s%s%s %s", text, *text ? ", " : "",
				    cell_text(ask, &victim, "task"),
				    cell_text(ask, &victim, "how"));
	}
	return text ? text : "";
}

static const char *place_of(const struct ask *ask, const struct json_node *task)
{
	const char *machine = cell_text(ask, task, "machine");

	return *machine ? machine : "(waits)";
}

static const char *remark_of(const struct ask *ask, const struct json_node *task)
{
	const char *victims = victims_of(ask, task);

	return *victims ? victims : cell_text(ask, task, "reason");
}

void cell_print_places(const struct ask *ask, const struct json_node *root)
{
	static const struct column task_columns[] = {
		{ "TASK", "index", COLUMN_NUMBER },
		{ "MACHINE", .text = place_of },
		{ "VICTIMS, OR WHY IT WAITS", .text = remark_of },
		{ NULL },
	};
	struct json_node list;
	size_t count = 0;

	if (json_get_array(root, "tasks", &list, &count, NULL) > 0 && count)
		print_rows(ask, task_columns, &list);
	if (json_get_array(root, "others", &list, &count, NULL) > 0)
		for (size_t i = 0; i < count; i++) {
			struct json_node other = json_at(&list, i);

			printf("%s goes to %s\n", cell_text(ask, &other, "task"),
			       cell_text(ask, &other, "machine"));
		}
}

static void print_plan(const struct ask *ask, const struct json_node *root)
{
	static const struct column change_columns[] = {
		{ "FIELD", "field" }, { "NOW", "from" }, { "THEN", "to" }, { NULL }
	};
	struct json_node list;
	size_t count = 0;

	printf("%s %s %s: %" PRId64 " placed, %" PRId64 " waiting\n\n",
	       cell_text(ask, root, "kind"), cell_text(ask, root, "job"),
	       cell_text(ask, root, "now"), cell_number(root, "placed"),
	       cell_number(root, "pending"));
	if (json_get_array(root, "changes", &list, &count, NULL) > 0 && count) {
		print_rows(ask, change_columns, &list);
		puts("");
	}
	cell_print_places(ask, root);
}

static int plan(const struct ask *ask, struct err *err)
{
	_cleanup_(handed_deinit) struct handed handed = { 0 };
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(read_file(ask, &handed, err));
	err_try(hand_in(ask, "/v1/plan", &handed, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	print_plan(ask, &root);
	return 0;
}

static const struct option_entry plan_options[] = {
	OUTPUT_OPTION(struct run_args),
	OPTION_END,
};

const struct verb verb_job_plan = {
	.command = {
		.name = "ctr job plan",
		.args = "FILE",
		.summary = "tell what a job file would do, and do nothing",
		.details = "What differs from the job of that name, where its tasks would go, and who\n"
			   "would have to leave for them: by the decisions that are made then.",
		.options = plan_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = plan,
};
