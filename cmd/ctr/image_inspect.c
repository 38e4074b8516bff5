/* SPDX-License-Identifier: Apache-2.0 */
/* ctr image inspect: all that is known about images, as JSON. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/ctr/inspect_each.h"
#include "cmd/ctr/show.h"
#include "cmd/ctr/verbs.h"
#include "storage/store.h"

struct inspect_args {
	const char *format;
};

struct names {
	const char *id;
	struct json_writer *w;
};

static int put_name(void *data, const struct store_image *image)
{
	struct names *names = data;

	if (strcmp(image->id, names->id) == 0)
		json_put_string(names->w, image->name);
	return 0;
}

/* Members of the configuration as they are, unknown ones too. */
static void put_configuration(struct json_writer *w, const struct store_image *image)
{
	static const char *const members[] = { "config", "history" };
	_cleanup_json_ struct json_doc *doc = NULL;
	const char *text = image->config.source.json;
	struct json_node root;

	if (!text || json_parse(text, strlen(text), &doc, NULL) < 0)
		return;
	root = json_root(doc);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct json_node node;

		if (json_get(&root, members[i], &node, NULL) <= 0)
			continue;
		json_key(w, members[i]);
		json_put_value(w, &node);
	}
}

static int put_image(struct store *store, const struct store_image *image, struct json_writer *w,
		     struct err *err)
{
	struct names names = { image->id, w };
	char time[CLOCK_RFC3339_SIZE];

	json_open_object(w);
	json_field_string(w, "name", image->name);
	json_field_string(w, "id", image->id);
	json_key(w, "names");
	json_open_array(w);
	err_try(store_image_each(store, put_name, &names, err));
	json_close_array(w);
	json_field_string(w, "digest", image->manifest.digest);
	json_field_string(w, "media_type", image->manifest.media_type);
	json_field_string(w, "os", image->config.os);
	json_field_string(w, "architecture", image->config.architecture);
	json_field_string(w, "variant", image->config.variant);
	json_field_string(w, "author", image->config.author);
	json_field_string(w, "created", image->config.created);
	json_field_string(w, "imported", clock_format(image->imported_ns, time));
	json_field_i64(w, "size_bytes", image->size_bytes);
	json_field_strings(w, "diff_ids", image->config.diff_ids);
	json_field_strings(w, "layers", image->layers);
	put_configuration(w, image);
	json_close_object(w);
	return 0;
}

static int inspect_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	_cleanup_store_ struct store *store = NULL;
	_cleanup_store_image_ struct store_image *image = NULL;

	err_try(store_open(engine_root(engine), &store, err));
	err_try(store_image_find(store, name, &image, err));
	return put_image(store, image, data, err);
}

static int inspect_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct inspect_args args = { .format = "json" };
	char **words;
	size_t count;
	int r = options_parse(&verb_image_inspect.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return inspect_each(&verb_image_inspect, ctr, words, args.format, inspect_one, err);
}

static const struct option_entry inspect_options[] = {
	OPTION_STRING(struct inspect_args, format, 0, "format", "FORMAT", "json (default)"),
	OPTION_END,
};

const struct verb verb_image_inspect = {
	.command = {
		.name = "ctr image inspect",
		.args = "IMAGE...",
		.summary = "show all about images, as JSON",
		.details = "\"config\" and \"history\" are the image's own, in the words of its maker.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr image inspect bb | jq -r '.[0].config.Env[]'",
		.options = inspect_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = inspect_verb,
};
