/* SPDX-License-Identifier: Apache-2.0 */
/* ctr secret set, ls, rm. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/cellar-cell/verbs.h"

#define VALUE_MAX ((size_t)256 << 10)

struct secret_args {
	struct verb_args common;
	const char *owner;
};

/* METHOD /v1/secrets/NAME?owner=OWNER */
static int change(const struct ask *ask, const char *method, const char *body, size_t len,
		  struct err *err)
{
	const char *name = ask->words[0], *owner = ((const struct secret_args *)ask->args)->owner;
	_cleanup_free_ char *escaped = http_escape(name), *of = owner ? http_escape(owner) : NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_json_ struct json_doc *doc = NULL;

	if (!owner)
		return err_say(err, EINVAL, "--owner is missing: whose secret is it?");
	if (!escaped || !of || asprintf(&path, "/v1/secrets/%s?owner=%s", escaped, of) < 0)
		return err_set(err, ENOMEM, "ask for secret %s", name);
	return cell_ask(ask, method, path, body, len, &doc, err);
}

static int set(const struct ask *ask, struct err *err)
{
	char *value = NULL;
	size_t len = 0;
	int r;

	if (isatty(STDIN_FILENO))
		return err_say(err, EINVAL,
			       "a secret is read from stdin, so that no list of processes and no "
			       "history of a shell has it");
	r = fd_read_all(STDIN_FILENO, VALUE_MAX, &value, &len, err);
	if (r == -EFBIG)
		return err_say(err, EFBIG, "a secret has %zu KiB at most", VALUE_MAX >> 10);
	if (r < 0)
		return r;
	r = change(ask, "PUT", value, len, err);
	explicit_bzero(value, len);
	free(value);
	if (r == 0)
		puts(ask->words[0]);
	return r;
}

static int rm(const struct ask *ask, struct err *err)
{
	err_try(change(ask, "DELETE", NULL, 0, err));
	puts(ask->words[0]);
	return 0;
}

static int ls(const struct ask *ask, struct err *err)
{
	static const struct column columns[] = { { "OWNER", "owner" },
						 { "SECRET", "name" },
						 { NULL } };
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(cell_ask(ask, "GET", "/v1/secrets", NULL, 0, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	print_rows(ask, columns, &root);
	return 0;
}

static const struct option_entry owner_options[] = {
	OPTION_STRING(struct secret_args, owner, 0, "owner", "OWNER", "whose jobs may have it"),
	OPTION_END,
};

static const struct option_entry ls_options[] = {
	OUTPUT_OPTION(struct secret_args),
	OPTION_END,
};

const struct verb verb_secret_set = {
	.command = {
		.name = "ctr secret set",
		.args = "NAME",
		.summary = "keep what stdin has as a secret, or another value for it",
		.details = "Running tasks that have it find the new value in the same file.\n"
			   "\n"
			   "Example:\n"
			   "  ctr secret set db-password --owner search < password",
		.options = owner_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct secret_args),
	.run = set,
};

const struct verb verb_secret_rm = {
	.command = {
		.name = "ctr secret rm",
		.args = "NAME",
		.summary = "forget a secret that no job uses",
		.options = owner_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct secret_args),
	.run = rm,
};

const struct verb verb_secret_ls = {
	.command = {
		.name = "ctr secret ls",
		.summary = "list secrets by name",
		.options = ls_options,
	},
	.args_size = sizeof(struct secret_args),
	.run = ls,
};
