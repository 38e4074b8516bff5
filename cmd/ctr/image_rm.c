/* SPDX-License-Identifier: Apache-2.0 */
/* ctr image rm */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/ctr/image_helper.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/event_log.h"
#include "storage/store.h"

struct rm_args {
	bool force;
};

struct names {
	const char *image_id;
	size_t count;
};

static int count_names(void *data, const struct store_image *image)
{
	struct names *names = data;

	names->count += strcmp(image->id, names->image_id) == 0;
	return 0;
}

/* The last name of an image that a container was made from goes by force only. */
static int check(struct engine *engine, struct store *store, const char *name, struct err *err)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	char user[IMAGE_USER_SIZE];
	struct names names = { 0 };
	int r = store_image_find(store, name, &image, err);

	if (r < 0)
		return r;
	names.image_id = image->id;
	r = store_image_each(store, count_names, &names, err);
	/* Another name keeps the image. */
	if (r < 0 || names.count > 1)
		return r;
	r = image_find_user(engine, image->id, user, err);
	if (r == 0 && user[0])
		return err_say(err, EBUSY,
			       "image \"%s\" is used by container %.12s; remove that first, or the "
			       "name by force (-f)",
			       name, user);
	return r;
}

static int rm_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	const struct rm_args *args = data;
	_cleanup_store_image_ struct store_image *image = NULL;
	_cleanup_store_ struct store *store = NULL;
	int r = store_open(engine_root(engine), &store, err);

	if (r == 0 && !args->force)
		r = check(engine, store, name, err);
	/* For its whole name; a damaged one goes all the same. */
	if (r == 0)
		store_image_find(store, name, &image, NULL);
	if (r == 0)
		r = store_image_remove(store, name, image_layer_in_use, engine, err);
	if (r < 0)
		return r;
	event_tell_image(engine_runroot(engine), "untag", image ? image->name : name,
			 image ? image->id : NULL);
	puts(name);
	return 0;
}

static int rm_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct rm_args args = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_image_rm.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return ctr_for_names(&verb_image_rm, ctr, words, rm_one, &args, err);
}

static const struct option_entry rm_options[] = {
	OPTION_BOOL(struct rm_args, force, 'f', "force",
		    "also the name of one in use; its layers stay as long"),
	OPTION_END,
};

const struct verb verb_image_rm = {
	.command = {
		.name = "ctr image rm",
		.args = "IMAGE...",
		.summary = "remove images",
		.details = "Examples:\n"
			   "  ctr image rm bb",
		.options = rm_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = rm_verb,
};
