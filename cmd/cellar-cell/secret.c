/* SPDX-License-Identifier: Apache-2.0 */
/* ctr secret set, ls, rm. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/cellar-cell/verbs.h"
#include "cmd/ctr/table.h"

#define VALUE_MAX ((size_t)256 << 10)

struct secret_args {
	const char *owner, *output;
};

/* METHOD /v1/secrets/NAME?owner=OWNER */
static int ask(const struct cellar_cell *cell, const char *method, const char *name,
	       const char *owner, const char *body, size_t len, struct err *err)
{
	_cleanup_free_ char *escaped = http_escape(name), *of = owner ? http_escape(owner) : NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_json_ struct json_doc *doc = NULL;

	if (!owner)
		return err_say(err, EINVAL, "--owner is missing: whose secret is it?");
	if (!escaped || !of || asprintf(&path, "/v1/secrets/%s?owner=%s", escaped, of) < 0)
		return err_set(err, ENOMEM, "ask for secret %s", name);
	return cell_ask(cell, method, path, body, len, &doc, err);
}

static int set_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	struct secret_args args = { 0 };
	char *value = NULL, **words;
	size_t count, len = 0;
	int r;

	r = options_parse(&verb_secret_set.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (isatty(STDIN_FILENO))
		return err_say(err, EINVAL,
			       "a secret is read from stdin, so that no list of processes and no "
			       "history of a shell has it");
	r = fd_read_all(STDIN_FILENO, VALUE_MAX, &value, &len, err);
	if (r == -EFBIG)
		return err_say(err, EFBIG, "a secret has %zu KiB at most", VALUE_MAX >> 10);
	if (r < 0)
		return r;
	r = ask(cell, "PUT", words[0], args.owner, value, len, err);
	explicit_bzero(value, len);
	free(value);
	if (r == 0)
		puts(words[0]);
	return r;
}

static int rm_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	struct secret_args args = { 0 };
	char **words;
	size_t count;
	int r;

	r = options_parse(&verb_secret_rm.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	err_try(ask(cell, "DELETE", words[0], args.owner, NULL, 0, err));
	puts(words[0]);
	return 0;
}

static int ls_verb(const struct cellar_cell *cell, int argc, char **argv, struct err *err)
{
	_cleanup_(table_deinit) struct table table = { .columns = 2 };
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct secret_args args = { 0 };
	struct json_node root;
	char **words;
	size_t count;
	bool json;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "list the secrets");
	r = options_parse(&verb_secret_ls.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	err_try(cell_parse_output(args.output, &json, err));
	err_try(cell_ask(cell, "GET", "/v1/secrets", NULL, 0, &doc, err));
	root = json_root(doc);
	if (json)
		return cell_print(&root, err);
	table_add(&table, "OWNER");
	table_add(&table, "SECRET");
	for (size_t i = 0; i < json_count(&root); i++) {
		struct json_node secret = json_at(&root, i);

		table_add(&table, "%s", cell_text(&secret, "owner", arena));
		table_add(&table, "%s", cell_text(&secret, "name", arena));
	}
	table_print(&table, stdout);
	return 0;
}

static const struct option_entry owner_options[] = {
	OPTION_STRING(struct secret_args, owner, 0, "owner", "OWNER", "whose jobs may have it"),
	OPTION_END,
};

static const struct option_entry ls_options[] = {
	OPTION_STRING(struct secret_args, output, 'o', "output", "FORMAT", "table or json"),
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
	.run = set_verb,
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
	.run = rm_verb,
};

const struct verb verb_secret_ls = {
	.command = {
		.name = "ctr secret ls",
		.summary = "list secrets by name",
		.options = ls_options,
	},
	.run = ls_verb,
};
