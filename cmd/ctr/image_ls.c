/* SPDX-License-Identifier: Apache-2.0 */
/* ctr image ls */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/show.h"
#include "cmd/ctr/table.h"
#include "cmd/ctr/verbs.h"
#include "storage/store.h"

struct ls_args {
	bool quiet;
	const char *format;
};

struct ls {
	bool quiet, json;
	int64_t now_ns;
	struct table table;
	struct json_writer *w;
};

/* The id without "sha256:". */
static const char *hex_of(const char *id)
{
	const char *colon = strchr(id, ':');

	return colon ? colon + 1 : id;
}

static void put_image(struct json_writer *w, const struct store_image *image)
{
	char time[CLOCK_RFC3339_SIZE];

	json_open_object(w);
	json_field_string(w, "name", image->name);
	json_field_string(w, "id", image->id);
	json_field_string(w, "digest", image->manifest.digest);
	json_field_string(w, "architecture", image->config.architecture);
	json_field_string(w, "created", image->config.created);
	json_field_string(w, "imported", clock_format(image->imported_ns, time));
	json_field_i64(w, "size_bytes", image->size_bytes);
	json_field_strings(w, "layers", image->layers);
	json_close_object(w);
}

static int on_image(void *data, const struct store_image *image)
{
	struct ls *ls = data;
	char age[SHOW_SIZE];

	if (ls->json) {
		put_image(ls->w, image);
	} else if (ls->quiet) {
		printf("%.12s\n", hex_of(image->id));
	} else {
		table_add(&ls->table, "%s", image->name);
		table_add(&ls->table, "%.12s", hex_of(image->id));
		table_add(&ls->table, "%s ago",
			  show_duration(ls->now_ns - image->imported_ns, age));
		return table_add(&ls->table, "%.1f MB", (double)image->size_bytes / 1e6);
	}
	return 0;
}

static int list(const struct ctr *ctr, struct ls *ls, struct err *err)
{
	static const char *const head[] = { "NAME", "IMAGE ID", "IMPORTED", "SIZE" };
	const char *root = ctr->root ? ctr->root : ENGINE_ROOT_DEFAULT;
	_cleanup_store_ struct store *store = NULL;
	int r = 0;

	ls->table.columns = ARRAY_SIZE(head);
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		table_add(&ls->table, "%s", head[i]);
	json_open_array(ls->w);
	/* Looking makes no store where there is none. */
	if (access(root, F_OK) == 0) {
		r = store_open(root, &store, err);
		if (r == 0)
			r = store_image_each(store, on_image, ls, err);
	}
	if (r < 0)
		return r;
	json_close_array(ls->w);
	if (ls->json)
		return show_json(ls->w, err);
	if (!ls->quiet)
		table_print(&ls->table, stdout);
	return 0;
}

static int ls_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	struct ls_args args = { 0 };
	struct ls ls = { .w = w, .now_ns = clock_realtime_ns() };
	char **words;
	size_t count;
	int r = options_parse(&verb_image_ls.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	ls.quiet = args.quiet;
	r = show_parse_format(args.format, &ls.json, err);
	if (r == 0 && !w)
		r = err_set(err, ENOMEM, "list images");
	if (r == 0)
		r = list(ctr, &ls, err);
	table_deinit(&ls.table);
	return r;
}

static const struct option_entry ls_options[] = {
	OPTION_BOOL(struct ls_args, quiet, 'q', "quiet", "ids only"),
	OPTION_STRING(struct ls_args, format, 0, "format", "FORMAT", "table (default) or json"),
	OPTION_END,
};

const struct verb verb_image_ls = {
	.command = {
		.name = "ctr image ls",
		.summary = "list images",
		.details = "Examples:\n"
			   "  ctr image ls --format json | jq -r '.[].name'",
		.options = ls_options,
		.hints = foreign_image_ls_options,
	},
	.run = ls_verb,
};
