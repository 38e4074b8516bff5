/* SPDX-License-Identifier: Apache-2.0 */
/* ctr policy show, set; ctr quota ls, set. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/cellar-cell/verbs.h"
#include "spec/job/amount.h"

#define POLICY_MAX ((size_t)1 << 20)

struct quota_args {
	struct verb_args common;
	const char *band, *cpu, *memory, *disk, *ports;
};

/* ---- policy ---- */

static int show(const struct ask *ask, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(cell_ask(ask, "GET", "/v1/policy", NULL, 0, &doc, err));
	root = json_root(doc);
	printf("%s", cell_text(ask, &root, "text"));
	return 0;
}

static int set_policy(const struct ask *ask, struct err *err)
{
	const char *file = ask->words[0];
	_cleanup_free_ char *text = NULL, *escaped = NULL, *path = NULL;
	_cleanup_json_ struct json_doc *doc = NULL;
	size_t len;

	if (strcmp(file, "-") == 0)
		err_try(fd_read_all(STDIN_FILENO, POLICY_MAX, &text, &len, err));
	else
		err_try(file_read(AT_FDCWD, file, POLICY_MAX, &text, &len, err));
	escaped = http_escape(strcmp(file, "-") == 0 ? "stdin" : file);
	if (!escaped || asprintf(&path, "/v1/policy?file=%s", escaped) < 0)
		return err_set(err, ENOMEM, "set the policy");
	return cell_ask(ask, "PUT", path, text, len, &doc, err);
}

/* ---- quotas ---- */

/* "20m of 500m"; "-": no limit. */
static const char *amount_of(const struct ask *ask, const struct json_node *quota, const char *key,
			     const char *(*print)(const struct ask *ask, int64_t n))
{
	struct json_node limit, used;
	const char *text;
	int64_t n = 0;

	if (json_get_object(quota, "limit", &limit, NULL) <= 0 ||
	    json_get_object(quota, "used", &used, NULL) <= 0 ||
	    json_get_i64(&limit, key, &n, NULL) <= 0)
		return "-";
	text = arena_printf(ask->arena, "%s of %s", print(ask, cell_number(&used, key)),
			    print(ask, n));
	return text ? text : "";
}

static const char *print_number(const struct ask *ask, int64_t n)
{
	const char *text = arena_printf(ask->arena, "%" PRId64, n);

	return text ? text : "";
}

static const char *cpu_of(const struct ask *ask, const struct json_node *row)
{
	return amount_of(ask, row, "cpu_milli", print_cpu);
}

static const char *memory_of(const struct ask *ask, const struct json_node *row)
{
	return amount_of(ask, row, "memory_bytes", print_bytes);
}

static const char *disk_of(const struct ask *ask, const struct json_node *row)
{
	return amount_of(ask, row, "disk_bytes", print_bytes);
}

static const char *ports_of(const struct ask *ask, const struct json_node *row)
{
	return amount_of(ask, row, "ports", print_number);
}

static int ls(const struct ask *ask, struct err *err)
{
	static const struct column columns[] = {
		{ "OWNER", "owner" },
		{ "BAND", "band" },
		{ "CPU", .text = cpu_of },
		{ "MEMORY", .text = memory_of },
		{ "DISK", .text = disk_of, .narrow = 1 },
		{ "PORTS", .text = ports_of, .narrow = 1 },
		{ NULL },
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(cell_ask(ask, "GET", "/v1/quotas", NULL, 0, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	print_rows(ask, columns, &root);
	return 0;
}

static int add_amount(const char *option, const char *text, const char *key,
		      int (*parse)(const char *text, int64_t *ret), struct json_writer *w,
		      struct err *err)
{
	int64_t n;

	if (!text)
		return 0;
	if (parse(text, &n) < 0)
		return err_say(err, EINVAL, "--%s: \"%s\" is no amount", option, text);
	json_field_i64(w, key, n);
	return 0;
}

static char *write_quota(const struct quota_args *args, size_t *ret_len, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	char *text;

	if (!w) {
		err_set(err, ENOMEM, "set a quota");
		return NULL;
	}
	json_open_object(w);
	if (add_amount("cpu", args->cpu, "cpu_milli", amount_parse_milli, w, err) < 0 ||
	    add_amount("memory", args->memory, "memory_bytes", amount_parse_bytes, w, err) < 0 ||
	    add_amount("disk", args->disk, "disk_bytes", amount_parse_bytes, w, err) < 0 ||
	    add_amount("ports", args->ports, "ports", amount_parse_bytes, w, err) < 0)
		return NULL;
	json_close_object(w);
	text = json_writer_take(w, ret_len);
	if (!text)
		err_set(err, ENOMEM, "set a quota");
	return text;
}

static int set_quota(const struct ask *ask, struct err *err)
{
	const struct quota_args *args = ask->args;
	_cleanup_free_ char *body = NULL, *owner = NULL, *band = NULL, *path = NULL;
	_cleanup_json_ struct json_doc *doc = NULL;
	size_t len = 0;

	body = write_quota(args, &len, err);
	if (!body)
		return -err->code;
	owner = http_escape(ask->words[0]);
	band = http_escape(args->band ? args->band : "production");
	if (!owner || !band || asprintf(&path, "/v1/quotas/%s?band=%s", owner, band) < 0)
		return err_set(err, ENOMEM, "set a quota");
	return cell_ask(ask, "PUT", path, body, len, &doc, err);
}

static const struct option_entry no_options[] = { OPTION_END };

static const struct option_entry ls_options[] = {
	OUTPUT_OPTION(struct quota_args),
	OPTION_END,
};

static const struct option_entry set_options[] = {
	OPTION_STRING(struct quota_args, band, 0, "band", "BAND",
		      "batch, mid, production (the default), monitoring"),
	OPTION_STRING(struct quota_args, cpu, 0, "cpu", "CPU", "500m, 16; no limit when left out"),
	OPTION_STRING(struct quota_args, memory, 0, "memory", "BYTES", "16Gi"),
	OPTION_STRING(struct quota_args, disk, 0, "disk", "BYTES", "100Gi"),
	OPTION_STRING(struct quota_args, ports, 0, "ports", "NUMBER",
		      "of the machines, chosen by the cell"),
	OPTION_END,
};

const struct verb verb_policy_show = {
	.command = {
		.name = "ctr policy show",
		.summary = "show who may do what",
		.options = no_options,
	},
	.run = show,
};

const struct verb verb_policy_set = {
	.command = {
		.name = "ctr policy set",
		.args = "FILE",
		.summary = "say who may do what (docs/cell.md); -: from stdin",
		.options = no_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = set_policy,
};

const struct verb verb_quota_ls = {
	.command = {
		.name = "ctr quota ls",
		.summary = "list what owners may ask for, and have",
		.options = ls_options,
	},
	.args_size = sizeof(struct quota_args),
	.run = ls,
};

const struct verb verb_quota_set = {
	.command = {
		.name = "ctr quota set",
		.args = "OWNER",
		.summary = "say how much an owner may ask for in a band",
		.options = set_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct quota_args),
	.run = set_quota,
};
