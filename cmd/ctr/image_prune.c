/* SPDX-License-Identifier: Apache-2.0 */
/* ctr image prune */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/ctr/image_helper.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/event_log.h"
#include "runtime/engine/quantity.h"
#include "storage/store.h"

struct prune_args {
	bool all;
};

/* Names of images that no container was made from. */
struct unused {
	struct engine *engine;
	char **names;
	size_t count;
};

static void unused_deinit(struct unused *unused)
{
	for (size_t i = 0; i < unused->count; i++)
		free(unused->names[i]);
	free(unused->names);
}

static int note_unused(void *data, const struct store_image *image)
{
	struct unused *unused = data;
	char user[IMAGE_USER_SIZE], **grown;

	if (image_find_user(unused->engine, image->id, user, NULL) < 0 || user[0])
		return 0;
	grown = reallocarray(unused->names, unused->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	unused->names = grown;
	grown[unused->count] = strdup(image->name);
	return grown[unused->count] ? (unused->count++, 0) : -ENOMEM;
}

static int remove_unused(struct engine *engine, struct store *store, struct err *err)
{
	_cleanup_(unused_deinit) struct unused unused = { .engine = engine };
	int r = store_image_each(store, note_unused, &unused, err);

	if (r < 0)
		return r == -ENOMEM ? err_set(err, ENOMEM, "prune images") : r;
	for (size_t i = 0; i < unused.count; i++) {
		err_try(store_image_remove(store, unused.names[i], image_layer_in_use, engine,
					   err));
		event_tell_image(engine_runroot(engine), "untag", unused.names[i], NULL);
		puts(unused.names[i]);
	}
	return 0;
}

static int prune_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_store_ struct store *store = NULL;
	struct store_pruned pruned;
	struct prune_args args = { 0 };
	char **words, size[QUANTITY_TEXT_SIZE];
	size_t count;
	int r = options_parse(&verb_image_prune.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	err_try(ctr_open(ctr, &engine, err));
	err_try(store_open(engine_root(engine), &store, err));
	if (args.all)
		err_try(remove_unused(engine, store, err));
	err_try(store_prune(store, image_layer_in_use, engine, &pruned, err));
	if (pruned.blobs || pruned.layers || !args.all)
		printf("Removed %zu blob%s (%s) and %zu layer%s that no image needed\n",
		       pruned.blobs, pruned.blobs == 1 ? "" : "s",
		       quantity_format_bytes(pruned.blob_bytes, size), pruned.layers,
		       pruned.layers == 1 ? "" : "s");
	return 0;
}

static const struct option_entry prune_options[] = {
	OPTION_BOOL(struct prune_args, all, 'a', "all",
		    "also all images that no container was made from"),
	OPTION_END,
};

const struct verb verb_image_prune = {
	.command = {
		.name = "ctr image prune",
		.summary = "remove blobs and layers that no image needs",
		.details = "Imports that were killed leave such, and images whose name another took over.\n"
			   "Nothing is asked, with -a neither.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr image prune",
		.options = prune_options,
	},
	.run = prune_verb,
};
