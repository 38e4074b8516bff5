/* SPDX-License-Identifier: Apache-2.0 */
/* ctr inspect: all that is known about containers, as JSON. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/inspect_each.h"
#include "cmd/ctr/show.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/meta_health.h"
#include "runtime/engine/meta_limits.h"
#include "runtime/engine/meta_mounts.h"
#include "runtime/engine/meta_namespaces.h"
#include "runtime/engine/meta_security.h"

#define CONFIG_LIMIT (8 << 20)

struct inspect_args {
	const char *format;
};

/* config.json as it is; left out where the container never got one. */
static void put_config(struct json_writer *w, const struct engine_container *c)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_node root;
	char path[PATH_MAX];
	size_t len;

	if (layout_path(path, c->dir, LAYOUT_CONFIG, NULL, NULL) < 0 ||
	    file_read(AT_FDCWD, path, CONFIG_LIMIT, &text, &len, NULL) < 0 ||
	    json_parse(text, len, &doc, NULL) < 0)
		return;
	root = json_root(doc);
	json_key(w, "config");
	json_put_value(w, &root);
}

static void put_health(struct json_writer *w, const struct engine_container *c)
{
	meta_health_format(w, &c->health_check);
	if (c->health.status == HEALTH_NONE)
		return;
	json_key(w, "health");
	json_open_object(w);
	health_record_format(w, &c->health);
	json_close_object(w);
}

static int inspect_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	struct json_writer *w = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r;

	engine_tend(engine);
	r = engine_find(engine, name, &c, err);
	if (r < 0)
		return r;
	json_open_object(w);
	show_container_json(w, c);
	json_field_string(w, "gateway", c->gateway);
	json_field_string(w, "gateway6", c->gateway6);
	json_field_string(w, "mac", c->mac);
	if (c->aliases)
		json_field_strings(w, "aliases", c->aliases);
	json_field_string(w, "domainname", c->domainname);
	json_field_string(w, "stop_signal", c->stop_signal);
	json_field_i64(w, "stop_timeout_s", c->stop_timeout_s);
	labels_format(w, "labels", &c->labels);
	labels_format(w, "annotations", &c->annotations);
	json_field_bool(w, "init", c->init);
	json_field_bool(w, "terminal", c->terminal);
	json_field_bool(w, "interactive", c->interactive);
	put_health(w, c);
	meta_limits_format(w, &c->limits);
	meta_security_format(w, &c->security);
	json_field_strings(w, "layers", c->layers);
	meta_mounts_format(w, c->mounts, c->mounts_count);
	meta_namespaces_format(w, &c->namespaces);
	json_field_string(w, "dir", c->dir);
	json_field_string(w, "log_path", c->log_path);
	json_field_string(w, "shim_address", c->shim_address);
	put_config(w, c);
	json_close_object(w);
	return 0;
}

static int inspect_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct inspect_args args = { .format = "json" };
	char **words;
	size_t count;
	int r = options_parse(&verb_inspect.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return inspect_each(&verb_inspect, ctr, words, args.format, inspect_one, err);
}

static const struct option_entry inspect_options[] = {
	OPTION_STRING(struct inspect_args, format, 'f', "format", "FORMAT", "json (default)"),
	OPTION_END,
};

const struct verb verb_inspect = {
	.command = {
		.name = "ctr inspect",
		.args = "CONTAINER...",
		.summary = "show all about containers, as JSON",
		.details = "\"config\" is the container's OCI configuration as it was started.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr inspect web | jq -r '.[0].address'",
		.options = inspect_options,
		.hints = foreign_inspect_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = inspect_verb,
};
