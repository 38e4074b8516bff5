/* SPDX-License-Identifier: Apache-2.0 */
/* From what a person writes to an image: a full name, a short one, an id or the start of one. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "storage/images.h"
#include "storage/name.h"
#include "storage/platform.h"
#include "storage/store.h"

#define ID_DIGITS_MIN 6

/* 1 found, 0 not there. What can't be read is an error: another must not be taken for it. */
static int load_if_there(struct store *store, const char *name, struct store_image **ret,
			 struct err *err)
{
	struct err own = { 0 };

	if (image_load(store, name, ret, &own) == 0)
		return 1;
	return own.code == ENOENT ? 0 : err_say(err, own.code, "%s", own.text);
}

static int find_by_name(struct store *store, const char *text, struct store_image **ret,
			struct err *err)
{
	_cleanup_store_image_ struct store_image *found = NULL;
	char names[NAME_CANDIDATES][NAME_SIZE];
	size_t count = name_candidates(text, names);

	for (size_t i = 0; i < count; i++) {
		_cleanup_store_image_ struct store_image *image = NULL;
		int r = load_if_there(store, names[i], &image, err);

		if (r < 0)
			return r;
		if (r > 0 && found && strcmp(found->id, image->id) != 0)
			return err_say(
				err, EINVAL,
				"'%.100s' may be %s or %s, and these are different images: write the whole name",
				text, found->name, image->name);
		if (r > 0 && !found)
			found = take_ptr(image);
	}
	if (!found)
		return 0;
	*ret = take_ptr(found);
	return 1;
}

/* Index of the first image with an id that begins so; -1 none, -2 several ids. */
static int match_id(const struct image_list *list, const char *digits)
{
	int found = -1;

	for (size_t i = 0; i < list->count; i++) {
		const char *id = list->images[i]->id;

		if (strncmp(id + strlen("sha256:"), digits, strlen(digits)) != 0)
			continue;
		if (found >= 0 && strcmp(list->images[found]->id, id) != 0)
			return -2;
		if (found < 0)
			found = (int)i;
	}
	return found;
}

static int say_missing(const char *text, const struct image_list *list, struct err *err)
{
	_cleanup_strbuf_ struct strbuf names = { 0 };
	size_t shown = list->count < 8 ? list->count : 8;

	if (list->count == 0)
		return err_say(
			err, ENOENT,
			"there is no image '%.100s', nor any other: ctr image import PATH brings one in",
			text);
	for (size_t i = 0; i < shown; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", list->images[i]->name);
	if (shown < list->count)
		strbuf_addf(&names, " and %zu more", list->count - shown);
	return err_say(
		err, ENOENT,
		"there is no image '%.100s'; there %s %s: `ctr image import` brings others in",
		text, list->count == 1 ? "is" : "are", strbuf_ok(&names) ? names.data : "another");
}

int image_find_entry(struct store *store, const char *name, struct store_image **ret,
		     struct err *err)
{
	_cleanup_image_list_ struct image_list list = { 0 };
	const char *digits = strncmp(name, "sha256:", 7) == 0 ? name + 7 : name;
	size_t len = strlen(digits);
	int r = find_by_name(store, name, ret, err), i = -1;

	if (r != 0)
		return r < 0 ? r : 0;
	err_try(image_list_load(store, false, &list, err));
	if (len >= ID_DIGITS_MIN && strspn(digits, "0123456789abcdef") == len)
		i = match_id(&list, digits);
	if (i == -2)
		return err_say(
			err, EINVAL,
			"more than one image has an id that begins with %s: write more of it",
			name);
	if (i < 0)
		return say_missing(name, &list, err);
	*ret = take_ptr(list.images[i]);
	return 0;
}

int store_image_find(struct store *store, const char *name, struct store_image **ret,
		     struct err *err)
{
	_cleanup_store_image_ struct store_image *image = NULL;

	err_try(image_find_entry(store, name, &image, err));
	err_try(image_load_config(store, image, err));
	*ret = take_ptr(image);
	return 0;
}

int store_pull_parse(const char *text, enum store_pull *ret, struct err *err)
{
	static const char *const words[] = {
		[STORE_PULL_MISSING] = "missing",
		[STORE_PULL_NEVER] = "never",
		[STORE_PULL_ALWAYS] = "always",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*ret = (enum store_pull)i;
		return 0;
	}
	return err_say(err, EINVAL, "'%.50s' is none of missing, never, always", text);
}

static int check_platform(const struct store_image *image, const char *wanted, struct err *err)
{
	char is_for[PLATFORM_TEXT_SIZE], asked[PLATFORM_TEXT_SIZE];
	const struct oci_image *c = &image->config;
	struct platform want;

	err_try(platform_parse(wanted, &want, err));
	if (platform_rank(&want, c->os, c->architecture, c->variant) > 0)
		return 0;
	platform_format(want.os, want.architecture, want.variant, asked);
	return err_say(
		err, ENOENT,
		"image %s is for %s, not for %s: if its archive has one for that, ctr image import --platform %s brings it in",
		image->name, platform_format(c->os, c->architecture, c->variant, is_for), asked,
		asked);
}

int store_image_get(struct store *store, const char *name, const struct store_want *want,
		    struct store_image **ret, struct err *err)
{
	_cleanup_store_image_ struct store_image *image = NULL;

	if (want->pull == STORE_PULL_ALWAYS)
		return err_say(
			err, ENOTSUP,
			"--pull always: Cellar has no client for registries yet; ctr image import brings images in, and --pull missing or never takes those");
	err_try(store_image_find(store, name, &image, err));
	if (want->platform)
		err_try(check_platform(image, want->platform, err));
	*ret = take_ptr(image);
	return 0;
}

int store_image_tag(struct store *store, const char *image, const char *name, struct err *err)
{
	_cleanup_store_image_ struct store_image *found = NULL;
	_cleanup_fd_ int hold = store_hold(store, err);
	char full[NAME_SIZE];

	if (hold < 0)
		return hold;
	err_try(name_complete(name, full, err));
	err_try(image_find_entry(store, image, &found, err));
	found->name = full;
	return image_save(store, found, err);
}

int store_image_each(struct store *store, int (*fn)(void *data, const struct store_image *image),
		     void *data, struct err *err)
{
	_cleanup_image_list_ struct image_list list = { 0 };
	int r = image_list_load(store, false, &list, err);

	for (size_t i = 0; r == 0 && i < list.count; i++) {
		struct err own = { 0 };

		/* Removed since the list was read, or damaged: the others are shown all the same.
		 */
		if (image_load_config(store, list.images[i], &own) < 0)
			log_warn("%s", own.text);
		else
			r = fn(data, list.images[i]);
	}
	return r;
}
