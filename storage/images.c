/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below images/:
 *	{"version":1, "name":"localhost/bb:latest", "id":"sha256:...", "manifest":{mediaType,
 *digest, size}, "layers":[chain ids], "size":bytes of blobs, "imported":ns}
 */
#include "storage/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "storage/content.h"
#include "storage/disk.h"
#include "storage/name.h"
#include "storage/tmp.h"

#define IMAGE_FILE_MAX (1 << 20)

static char *format_image(const struct store_image *image, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_i64(w, "version", 1);
	json_field_string(w, "name", image->name);
	json_field_string(w, "id", image->id);
	json_key(w, "manifest");
	json_open_object(w);
	json_field_string(w, "mediaType", image->manifest.media_type);
	json_field_string(w, "digest", image->manifest.digest);
	json_field_i64(w, "size", image->manifest.size_bytes);
	json_close_object(w);
	json_field_strings(w, "layers", image->layers);
	json_field_i64(w, "size", image->size_bytes);
	json_field_i64(w, "imported", image->imported_ns);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

int image_save(struct store *store, const struct store_image *image, struct err *err)
{
	_cleanup_tmp_ struct tmp tmp = TMP_NONE;
	_cleanup_free_ char *text = NULL;
	char file[3 * NAME_SIZE];
	int folder, tmp_folder, r;
	size_t len;

	text = format_image(image, &len);
	if (!text)
		return err_set(err, ENOMEM, "write image %s", image->name);
	folder = store_folder(store, STORE_IMAGES, err);
	if (folder < 0)
		return folder;
	tmp_folder = store_folder(store, STORE_CONTENT_TMP, err);
	if (tmp_folder < 0)
		return tmp_folder;
	name_escape(image->name, file);
	r = tmp_create_file(tmp_folder, &tmp);
	if (r == 0)
		r = fd_write_all(tmp.fd, text, len);
	if (r == 0 && fsync(tmp.fd) < 0)
		r = -errno;
	if (r == 0)
		r = tmp_publish(&tmp, folder, file);
	if (r == 0 && fsync(folder) < 0)
		r = -errno;
	if (r < 0)
		return store_set_error(err, store->root, -r, "write image %s", image->name);
	return 0;
}

static int parse_digest(const struct json_node *node, struct arena *arena, const char **ret,
			struct err *err)
{
	int r = json_need(json_get_string(node, "digest", arena, ret, err), node, "digest", err);

	if (r > 0 && !digest_is_valid(*ret))
		return json_bad(node, err, "no digest");
	return r;
}

static int parse_image(const struct json_node *root, struct store_image *image, struct err *err)
{
	struct arena *arena = image->arena;
	struct json_node manifest;
	int64_t version;

	err_try(json_object(root, err));
	err_try(json_need(json_get_range(root, "version", 1, 1, &version, err), root, "version",
			  err));
	err_try(json_need(json_get_string(root, "name", arena, &image->name, err), root, "name",
			  err));
	err_try(json_need(json_get_string(root, "id", arena, &image->id, err), root, "id", err));
	if (!digest_is_valid(image->id))
		return json_bad(root, err, "id is no digest");
	err_try(json_need(json_get_object(root, "manifest", &manifest, err), root, "manifest",
			  err));
	err_try(json_need(
		json_get_string(&manifest, "mediaType", arena, &image->manifest.media_type, err),
		&manifest, "mediaType", err));
	err_try(parse_digest(&manifest, arena, &image->manifest.digest, err));
	err_try(json_get_i64(&manifest, "size", &image->manifest.size_bytes, err));
	err_try(json_need(
		json_get_strings(root, "layers", arena, &image->layers, &image->layers_count, err),
		root, "layers", err));
	for (size_t i = 0; i < image->layers_count; i++)
		if (strspn(image->layers[i], "0123456789abcdef") != 64 ||
		    image->layers[i][64] != '\0')
			return json_bad(root, err, "layers holds no chain id");
	err_try(json_get_i64(root, "size", &image->size_bytes, err));
	return json_get_i64(root, "imported", &image->imported_ns, err);
}

static int load_file(struct store *store, const char *file, struct store_image **ret,
		     struct err *err)
{
	_cleanup_store_image_ struct store_image *image = calloc(1, sizeof(*image));
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *text = NULL;
	int folder = store_folder(store, STORE_IMAGES, err), r;
	struct json_node root;
	size_t len;

	if (folder < 0)
		return folder;
	if (!image || !(image->arena = arena_new()))
		return err_set(err, ENOMEM, "read image %s", file);
	r = file_read(folder, file, IMAGE_FILE_MAX, &text, &len, err);
	if (r == 0)
		r = json_parse(text, len, &doc, err);
	if (r < 0)
		return err_add(err, "%s/images/%s", store->root, file);
	root = json_root(doc);
	if (parse_image(&root, image, err) < 0)
		return err_add(err, "%s/images/%s", store->root, file);
	*ret = take_ptr(image);
	return 0;
}

int image_load(struct store *store, const char *name, struct store_image **ret, struct err *err)
{
	char file[3 * NAME_SIZE];

	name_escape(name, file);
	return load_file(store, file, ret, err);
}

int image_load_config(struct store *store, struct store_image *image, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = content_read(store, image->id, &text, &len, err);

	if (r == 0)
		r = oci_image_parse(text, len, image->arena, &image->config, err);
	return r < 0 ? err_add(err, "configuration of image %s", image->name) : 0;
}

struct store_image *store_image_free(struct store_image *image)
{
	if (image) {
		arena_free(image->arena);
		free(image);
	}
	return NULL;
}

int image_forget(struct store *store, const char *name, struct err *err)
{
	int folder = store_folder(store, STORE_IMAGES, err);
	char file[3 * NAME_SIZE];

	if (folder < 0)
		return folder;
	name_escape(name, file);
	if ((unlinkat(folder, file, 0) < 0 && errno != ENOENT) || fsync(folder) < 0)
		return err_set(err, errno, "remove image %s", name);
	return 0;
}

static int list_add(struct image_list *list, struct store_image *image)
{
	struct store_image **grown =
		reallocarray(list->images, list->count + 1, sizeof(*list->images));

	if (!grown)
		return -ENOMEM;
	list->images = grown;
	list->images[list->count++] = image;
	return 0;
}

static int list_compare(const void *a, const void *b)
{
	const struct store_image *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* 1: *ret is one; 0: it is gone or not to be read, and that is no error. */
static int list_load_file(struct store *store, const char *file, bool strict,
			  struct store_image **ret, struct err *err)
{
	struct err own = { 0 };
	int r = load_file(store, file, ret, &own);

	if (r == 0)
		return 1;
	if (own.code == ENOENT)
		return 0;
	if (strict)
		return err_say(err, own.code, "%s", own.text);
	log_warn("%s", own.text);
	return 0;
}

int image_list_load(struct store *store, bool strict, struct image_list *ret, struct err *err)
{
	_cleanup_image_list_ struct image_list list = { 0 };
	int folder = store_folder(store, STORE_IMAGES, err), copy;
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *e;

	if (folder < 0)
		return folder;
	copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0 || !(dir = fdopendir(copy))) {
		cleanup_fd(&copy);
		return err_set(err, errno, "read folder %s/images", store->root);
	}
	while ((e = readdir(dir))) {
		_cleanup_store_image_ struct store_image *image = NULL;
		int r;

		if (e->d_name[0] == '.')
			continue;
		r = list_load_file(store, e->d_name, strict, &image, err);
		if (r < 0)
			return r;
		if (r > 0 && list_add(&list, image) < 0)
			return err_set(err, ENOMEM, "list images");
		if (r > 0)
			image = NULL;
	}
	if (list.count > 0)
		qsort(list.images, list.count, sizeof(*list.images), list_compare);
	*ret = list;
	list = (struct image_list){ 0 };
	return 0;
}

void image_list_free(struct image_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		store_image_free(list->images[i]);
	free(list->images);
	*list = (struct image_list){ 0 };
}
