/* SPDX-License-Identifier: Apache-2.0 */
/* ctr image tag */
#include "cmd/ctr/verbs.h"
#include "runtime/engine/event_log.h"
#include "storage/store.h"

struct tag_args {
	char none;
};

static int tag_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	_cleanup_store_ struct store *store = NULL;
	struct tag_args args = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_image_tag.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	err_try(store_open(ctr->root ? ctr->root : ENGINE_ROOT_DEFAULT, &store, err));
	err_try(store_image_tag(store, words[0], words[1], err));
	if (store_image_find(store, words[1], &image, NULL) == 0)
		event_tell_image(ctr->runroot ? ctr->runroot : ENGINE_RUNROOT_DEFAULT, "tag",
				 image->name, image->id);
	return 0;
}

static const struct option_entry tag_options[] = { OPTION_END };

const struct verb verb_image_tag = {
	.command = {
		.name = "ctr image tag",
		.args = "IMAGE NAME",
		.summary = "give an image one more name",
		.details = "A name that another image has is taken from it.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr image tag bb bb:stable\n"
			   "  ctr image tag bb quay.io/me/bb:1",
		.options = tag_options,
		.args_min = 2,
		.args_max = 2,
	},
	.run = tag_verb,
};
