/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar: oci-layout, index.json, manifest.json, then each blob once. Compressed layers stay as
 * they are: Docker unpacks them when it loads.
 */
#include "storage/export.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/lock.h"
#include "storage/collect.h"
#include "storage/content.h"

#define EXPORT_BUFFER (256 << 10)
#define CONTAINERD_NAME "io.containerd.image.name"
#define REF_NAME "org.opencontainers.image.ref.name"

struct exporting {
	struct store *store;
	struct archive *tar;
	struct arena *arena;
	struct store_image **images;
	struct oci_manifest *manifests;
	size_t count;
	struct collect_set written;
	char *buffer;
};

static int say_archive(struct exporting *ex, struct err *err)
{
	int code = archive_errno(ex->tar);

	return err_say(err, code > 0 ? code : EIO, "write the archive: %s",
		       code > 0 ? strerror(code) : archive_error_string(ex->tar));
}

static int put_header(struct exporting *ex, const char *name, int64_t size, struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!entry)
		return err_set(err, ENOMEM, "write the archive");
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, size);
	archive_entry_set_mtime(entry, 0, 0);
	r = archive_write_header(ex->tar, entry);
	archive_entry_free(entry);
	return r < ARCHIVE_WARN ? say_archive(ex, err) : 0;
}

static int put_data(struct exporting *ex, const void *data, size_t len, struct err *err)
{
	return archive_write_data(ex->tar, data, len) < 0 ? say_archive(ex, err) : 0;
}

static int put_text(struct exporting *ex, const char *name, const char *text, size_t len,
		    struct err *err)
{
	err_try(put_header(ex, name, (int64_t)len, err));
	return put_data(ex, text, len, err);
}

static int copy_blob(struct exporting *ex, int fd, const char *digest, struct err *err)
{
	struct digest_state *state = digest_new();
	char hex[DIGEST_HEX_SIZE];
	ssize_t n = 1;
	int r = state ? 0 : err_set(err, ENOMEM, "write the archive");

	while (r == 0 && (n = read(fd, ex->buffer, EXPORT_BUFFER)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = err_set(err, errno, "read blob %s", digest);
			break;
		}
		digest_update(state, ex->buffer, (size_t)n);
		r = put_data(ex, ex->buffer, (size_t)n, err);
	}
	if (r == 0) {
		digest_final(state, hex);
		if (strcmp(hex, digest + strlen("sha256:")) != 0)
			r = err_say(err, EBADMSG,
				    "blob %s is damaged: its content has digest sha256:%s", digest,
				    hex);
	}
	digest_free(state);
	return r;
}

static int put_blob(struct exporting *ex, const char *digest, struct err *err)
{
	const char *hex = digest + strlen("sha256:");
	_cleanup_fd_ int fd = -1;
	struct stat st;
	char name[96];

	if (collect_has(&ex->written, hex))
		return 0;
	if (collect_add(&ex->written, hex) < 0)
		return err_set(err, ENOMEM, "write the archive");
	fd = content_open(ex->store, digest, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "read blob %s", digest);
	snprintf(name, sizeof(name), "blobs/sha256/%s", hex);
	err_try(put_header(ex, name, st.st_size, err));
	return copy_blob(ex, fd, digest, err);
}

static int put_index(struct exporting *ex, struct err *err)
{
	struct oci_descriptor *list = arena_calloc(ex->arena, ex->count, sizeof(*list));
	struct oci_index index = { .media_type = "application/vnd.oci.image.index.v1+json",
				   .manifests = list,
				   .manifests_count = ex->count };
	_cleanup_free_ char *text = NULL;
	size_t len;

	for (size_t i = 0; list && i < ex->count; i++) {
		const struct store_image *image = ex->images[i];
		struct oci_annotation *names = arena_calloc(ex->arena, 2, sizeof(*names));

		if (!names)
			return err_set(err, ENOMEM, "write the archive");
		names[0] = (struct oci_annotation){ CONTAINERD_NAME, image->name };
		names[1] = (struct oci_annotation){ REF_NAME, image->name };
		list[i] = image->manifest;
		list[i].os = image->config.os;
		list[i].architecture = image->config.architecture;
		list[i].variant = image->config.variant;
		list[i].annotations = names;
		list[i].annotations_count = 2;
	}
	if (!list)
		return err_set(err, ENOMEM, "write the archive");
	err_try(oci_index_format(&index, &text, &len, err));
	return put_text(ex, "index.json", text, len, err);
}

static void put_blob_name(struct json_writer *w, const char *digest)
{
	char name[96];

	snprintf(name, sizeof(name), "blobs/sha256/%s", digest + strlen("sha256:"));
	json_put_string(w, name);
}

/* An image with all its names is one entry. */
static void put_saved(struct json_writer *w, const struct exporting *ex, size_t n)
{
	const char *id = ex->images[n]->id;

	for (size_t i = 0; i < n; i++)
		if (strcmp(ex->images[i]->id, id) == 0)
			return;
	json_open_object(w);
	json_key(w, "Config");
	put_blob_name(w, id);
	json_key(w, "RepoTags");
	json_open_array(w);
	for (size_t i = n; i < ex->count; i++)
		if (strcmp(ex->images[i]->id, id) == 0)
			json_put_string(w, ex->images[i]->name);
	json_close_array(w);
	json_key(w, "Layers");
	json_open_array(w);
	for (size_t i = 0; i < ex->manifests[n].layers_count; i++)
		put_blob_name(w, ex->manifests[n].layers[i].digest);
	json_close_array(w);
	json_close_object(w);
}

static int put_docker(struct exporting *ex, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!w)
		return err_set(err, ENOMEM, "write the archive");
	json_open_array(w);
	for (size_t i = 0; i < ex->count; i++)
		put_saved(w, ex, i);
	json_close_array(w);
	text = json_writer_take(w, &len);
	return text ? put_text(ex, "manifest.json", text, len, err)
		    : err_set(err, ENOMEM, "write the archive");
}

static int find_images(struct exporting *ex, const char *const *names, struct err *err)
{
	for (size_t i = 0; names[i]; i++) {
		_cleanup_store_image_ struct store_image *image = NULL;
		_cleanup_free_ char *text = NULL;
		bool twice = false;
		size_t len;

		err_try(store_image_find(ex->store, names[i], &image, err));
		for (size_t j = 0; j < ex->count; j++)
			twice |= strcmp(ex->images[j]->name, image->name) == 0;
		if (twice)
			continue;
		err_try(content_read(ex->store, image->manifest.digest, &text, &len, err));
		if (oci_manifest_parse(text, len, ex->arena, &ex->manifests[ex->count], err) < 0)
			return err_add(err, "manifest of image %s", image->name);
		ex->images[ex->count++] = take_ptr(image);
	}
	return 0;
}

static int put_all(struct exporting *ex, struct err *err)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

	err_try(put_text(ex, "oci-layout", version, strlen(version), err));
	err_try(put_index(ex, err));
	err_try(put_docker(ex, err));
	for (size_t i = 0; i < ex->count; i++) {
		err_try(put_blob(ex, ex->images[i]->manifest.digest, err));
		err_try(put_blob(ex, ex->images[i]->id, err));
		for (size_t j = 0; j < ex->manifests[i].layers_count; j++)
			err_try(put_blob(ex, ex->manifests[i].layers[j].digest, err));
	}
	return 0;
}

static int write_tar(struct exporting *ex, int fd, struct err *err)
{
	int r;

	ex->tar = archive_write_new();
	if (!ex->tar)
		return err_set(err, ENOMEM, "write the archive");
	/* The same bytes, whatever they are written to. */
	archive_write_set_bytes_in_last_block(ex->tar, 1);
	if (archive_write_set_format_pax_restricted(ex->tar) != ARCHIVE_OK ||
	    archive_write_open_fd(ex->tar, fd) != ARCHIVE_OK)
		return say_archive(ex, err);
	r = put_all(ex, err);
	/* What was broken off gets no proper end. */
	if (r < 0)
		archive_write_fail(ex->tar);
	else if (archive_write_close(ex->tar) != ARCHIVE_OK)
		r = say_archive(ex, err);
	return r;
}

int export_images(struct store *store, const char *const *names, int fd, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *buffer = malloc(EXPORT_BUFFER);
	struct exporting ex = { .store = store, .arena = arena, .buffer = buffer };
	_cleanup_fd_ int hold = store_hold(store, err);
	size_t count = 0;
	int r;

	if (hold < 0)
		return hold;
	while (names[count])
		count++;
	ex.images = arena ? arena_calloc(arena, count + 1, sizeof(struct store_image *)) : NULL;
	ex.manifests = arena ? arena_calloc(arena, count + 1, sizeof(*ex.manifests)) : NULL;
	if (!ex.images || !ex.manifests || !buffer)
		return err_set(err, ENOMEM, "write the archive");
	r = find_images(&ex, names, err);
	if (r == 0)
		r = write_tar(&ex, fd, err);
	archive_write_free(ex.tar);
	for (size_t i = 0; i < ex.count; i++)
		store_image_free(ex.images[i]);
	collect_deinit(&ex.written);
	return r;
}
