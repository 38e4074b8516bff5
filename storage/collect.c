/* SPDX-License-Identifier: Apache-2.0 */
/* Removal of images, and of the blobs and layers that then are needed no more: mark, then sweep. */
#include "storage/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "storage/content.h"
#include "storage/disk.h"
#include "storage/images.h"
#include "storage/layers.h"

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

int collect_add(struct collect_set *set, const char *hex)
{
	if (set->count == set->size) {
		size_t size = set->size ? set->size * 2 : 64;
		void *grown = reallocarray(set->items, size, sizeof(*set->items));

		if (!grown)
			return -ENOMEM;
		set->items = grown;
		set->size = size;
	}
	memcpy(set->items[set->count++], hex, DIGEST_HEX_SIZE);
	set->sorted = false;
	return 0;
}

bool collect_has(struct collect_set *set, const char *hex)
{
	if (set->count == 0)
		return false;
	if (!set->sorted)
		qsort(set->items, set->count, sizeof(*set->items), compare);
	set->sorted = true;
	return bsearch(hex, set->items, set->count, sizeof(*set->items), compare);
}

void collect_deinit(struct collect_set *set)
{
	free(set->items);
	*set = (struct collect_set){ 0 };
}

static int add_digest(struct collect_set *set, const char *digest)
{
	return collect_add(set, digest + strlen("sha256:"));
}

static int mark_image(struct store *store, const struct store_image *image,
		      struct collect_set *blobs, struct collect_set *layers, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	struct oci_manifest manifest;
	size_t len;
	int r;

	err_try(content_read(store, image->manifest.digest, &text, &len, err));
	err_try(oci_manifest_parse(text, len, image->arena, &manifest, err));
	r = add_digest(blobs, image->manifest.digest);
	if (r == 0)
		r = add_digest(blobs, image->id);
	for (size_t i = 0; r == 0 && i < manifest.layers_count; i++)
		r = add_digest(blobs, manifest.layers[i].digest);
	for (size_t i = 0; r == 0 && i < image->layers_count; i++)
		r = collect_add(layers, image->layers[i]);
	return r < 0 ? err_set(err, -r, "collect") : 0;
}

/* What all names but one need. */
static int mark(struct store *store, const char *without, struct collect_set *blobs,
		struct collect_set *layers, struct err *err)
{
	_cleanup_image_list_ struct image_list list = { 0 };

	err_try(image_list_load(store, true, &list, err));
	for (size_t i = 0; i < list.count; i++) {
		const char *name = list.images[i]->name;

		if (without && strcmp(name, without) == 0)
			continue;
		if (mark_image(store, list.images[i], blobs, layers, err) < 0)
			return err_add(err, "image %s, which has to go first", name);
	}
	return 0;
}

/* The names of 64 hex digits in a folder. */
static int list_folder(struct store *store, enum store_folder which, struct collect_set *ret,
		       struct err *err)
{
	int folder = store_folder(store, which, err), copy;
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *e;

	if (folder < 0)
		return folder;
	copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0 || !(dir = fdopendir(copy))) {
		cleanup_fd(&copy);
		return err_set(err, errno, "read a folder of %s", store->root);
	}
	while ((e = readdir(dir)))
		if (strlen(e->d_name) == 64 && strspn(e->d_name, "0123456789abcdef") == 64 &&
		    collect_add(ret, e->d_name) < 0)
			return err_set(err, ENOMEM, "collect");
	return 0;
}

/* Of a list, what is not marked. ret counts. */
static int sweep_blobs(struct store *store, struct collect_set *marked,
		       const struct collect_set *list, struct store_pruned *ret, struct err *err)
{
	int folder = store_folder(store, STORE_CONTENT, err);

	if (folder < 0)
		return folder;
	for (size_t i = 0; i < list->count; i++) {
		char digest[DIGEST_TEXT_SIZE] = "sha256:";
		struct stat st;

		if (collect_has(marked, list->items[i]))
			continue;
		memcpy(digest + strlen("sha256:"), list->items[i], DIGEST_HEX_SIZE);
		if (fstatat(folder, list->items[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
			ret->blobs++;
			ret->blob_bytes += (uint64_t)st.st_size;
		}
		err_try(content_remove(store, digest, err));
	}
	return 0;
}

static int sweep_layers(struct store *store, struct collect_set *marked,
			const struct collect_set *list,
			bool (*in_use)(void *data, const char *chain_id), void *data,
			struct store_pruned *ret, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		if (collect_has(marked, list->items[i]))
			continue;
		if (in_use && in_use(data, list->items[i]))
			continue;
		err_try(layer_remove(store, list->items[i], err));
		ret->layers++;
	}
	return layer_sweep_links(store, err);
}

/* All that is there but not marked. The caller has the store alone. */
static int sweep(struct store *store, struct collect_set *marked_blobs,
		 struct collect_set *marked_layers,
		 bool (*in_use)(void *data, const char *chain_id), void *data,
		 struct store_pruned *ret, struct err *err)
{
	_cleanup_collect_set_ struct collect_set blobs = { 0 }, layers = { 0 };

	err_try(list_folder(store, STORE_CONTENT, &blobs, err));
	err_try(list_folder(store, STORE_LAYERS, &layers, err));
	err_try(sweep_blobs(store, marked_blobs, &blobs, ret, err));
	return sweep_layers(store, marked_layers, &layers, in_use, data, ret, err);
}

int collect_undo(struct store *store, struct collect_set *blobs, struct collect_set *layers,
		 struct err *err)
{
	_cleanup_collect_set_ struct collect_set marked_blobs = { 0 }, marked_layers = { 0 };
	struct store_pruned pruned = { 0 };
	_cleanup_fd_ int lock = -1;

	if (blobs->count == 0 && layers->count == 0)
		return 0;
	lock = store_lock_all(store, true, err);
	if (lock == -EWOULDBLOCK)
		return 0;
	if (lock < 0)
		return lock;
	err_try(mark(store, NULL, &marked_blobs, &marked_layers, err));
	err_try(sweep_blobs(store, &marked_blobs, blobs, &pruned, err));
	return sweep_layers(store, &marked_layers, layers, NULL, NULL, &pruned, err);
}

/* Given by its id, an image must have one name only, or we would remove one of several unasked. */
static int check_one_name(struct store *store, const char *asked, const struct store_image *image,
			  struct err *err)
{
	_cleanup_image_list_ struct image_list list = { 0 };
	_cleanup_strbuf_ struct strbuf names = { 0 };
	const char *digits = strncmp(asked, "sha256:", 7) == 0 ? asked + 7 : asked;
	size_t count = 0;

	if (strncmp(image->id + strlen("sha256:"), digits, strlen(digits)) != 0)
		return 0;
	err_try(image_list_load(store, false, &list, err));
	for (size_t i = 0; i < list.count; i++) {
		if (strcmp(list.images[i]->id, image->id) != 0)
			continue;
		strbuf_addf(&names, "%s%s", count ? ", " : "", list.images[i]->name);
		count++;
	}
	if (count > 1)
		return err_say(err, EBUSY, "image %s has %zu names: remove them one by one: %s",
			       asked, count, strbuf_ok(&names) ? names.data : "");
	return 0;
}

int store_image_remove(struct store *store, const char *name,
		       bool (*in_use)(void *data, const char *chain_id), void *data,
		       struct err *err)
{
	_cleanup_collect_set_ struct collect_set marked_blobs = { 0 }, marked_layers = { 0 };
	_cleanup_store_image_ struct store_image *image = NULL;
	struct store_pruned pruned = { 0 };
	_cleanup_fd_ int lock = store_lock_all(store, false, err);

	if (lock < 0)
		return lock;
	err_try(image_find_entry(store, name, &image, err));
	err_try(check_one_name(store, name, image, err));
	err_try(content_sweep(store, err));
	err_try(mark(store, image->name, &marked_blobs, &marked_layers, err));
	err_try(image_forget(store, image->name, err));
	return sweep(store, &marked_blobs, &marked_layers, in_use, data, &pruned, err);
}

int store_prune(struct store *store, bool (*in_use)(void *data, const char *chain_id), void *data,
		struct store_pruned *ret, struct err *err)
{
	_cleanup_collect_set_ struct collect_set blobs = { 0 }, layers = { 0 };
	_cleanup_fd_ int lock = store_lock_all(store, false, err);
	struct store_pruned pruned = { 0 };

	if (lock < 0)
		return lock;
	err_try(content_sweep(store, err));
	err_try(mark(store, NULL, &blobs, &layers, err));
	err_try(sweep(store, &blobs, &layers, in_use, data, &pruned, err));
	*ret = pruned;
	return 0;
}
