/* SPDX-License-Identifier: Apache-2.0 */
/* ctr job run, ctr job validate: a job file is checked, and handed in. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/cellar-cell/verbs.h"
#include "spec/job/job.h"

#define WAIT_POLL_MS 50

struct run_args {
	bool wait;
};

/* "-": stdin. Checked here already, so that a mistake is told without a cell. */
static int read_file(const char *path, struct arena *arena, char **ret_text, size_t *ret_len,
		     struct job_file *ret, struct err *err)
{
	const char *name = strcmp(path, "-") == 0 ? "stdin" : path;
	_cleanup_free_ char *text = NULL;

	if (name != path)
		err_try(fd_read_all(STDIN_FILENO, JOB_FILE_MAX, &text, ret_len, err));
	else
		err_try(file_read(AT_FDCWD, path, JOB_FILE_MAX, &text, ret_len, err));
	err_try(job_file_parse(name, text, *ret_len, arena, ret, err));
	*ret_text = take_ptr(text);
	return 0;
}

static int validate_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = NULL;
	struct job_file file;
	char **words;
	size_t count, len;
	int r;

	(void)cell;
	if (!arena)
		return err_set(err, ENOMEM, "read the job file");
	r = options_parse(&verb_job_validate.command, argc, argv, NULL, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	err_try(read_file(words[0], arena, &text, &len, &file, err));
	printf("%s: %s %s is well-formed\n", words[0], file.job ? "job" : "alloc set",
	       file.job ? file.job : file.alloc_set);
	return 0;
}

/* Until all of it runs, or was over before that could be seen. */
static int await(const struct cellar_cell *cell, const char *name, struct err *err)
{
	for (;;) {
		_cleanup_json_ struct json_doc *doc = NULL;
		struct json_node root;

		err_try(cell_ask_job(cell, "GET", name, "", &doc, err));
		root = json_root(doc);
		if (cell_number(&root, "pending") == 0)
			return 0;
		poll(NULL, 0, WAIT_POLL_MS);
	}
}

static int run_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = NULL, *escaped = NULL, *path = NULL;
	_cleanup_json_ struct json_doc *doc = NULL;
	struct run_args args = { 0 };
	struct job_file file;
	const char *name;
	char **words;
	size_t count, len;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "read the job file");
	r = options_parse(&verb_job_run.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	err_try(read_file(words[0], arena, &text, &len, &file, err));
	name = file.job ? file.job : file.alloc_set;
	escaped = http_escape(words[0]);
	if (!escaped || asprintf(&path, "/v1/jobs?file=%s", escaped) < 0)
		return err_set(err, ENOMEM, "submit job %s", name);
	err_try(cell_ask(cell, "POST", path, text, len, &doc, err));
	if (args.wait)
		err_try(await(cell, name, err));
	puts(name);
	return 0;
}

static const struct option_entry run_options[] = {
	OPTION_BOOL(struct run_args, wait, 'w', "wait", "return when all of its tasks run"),
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
	.run = run_verb,
};

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
	.run = validate_verb,
};
