/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An import: read and check all documents, copy the blobs that are missing, unpack the layers that
 * are missing, and only then write the names. The store is held meanwhile, so that no collection
 * takes what has no name yet. On failure what was brought is taken back.
 */
#include "storage/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "storage/collect.h"
#include "storage/content.h"
#include "storage/disk.h"
#include "storage/import_layout.h"
#include "storage/import_source.h"
#include "storage/images.h"
#include "storage/layers.h"
#include "storage/unpack.h"

#define SPOOL_BUFFER (256 << 10)

struct import {
	struct store *store;
	const struct import_options *options;
	struct import_source *source;
	struct import_layout layout;
	struct import_want *wants;
	size_t wants_count;
	struct content_writer *writer; /* of the blob being read */
	uint64_t done_bytes, total_bytes;
	struct collect_set new_blobs, new_layers;
};

static int add_want(struct import *im, const struct oci_descriptor *descriptor, const char *file,
		    struct err *err)
{
	int r = content_find(im->store, descriptor->digest, descriptor->size_bytes, err);

	if (r != 0)
		return r;
	for (size_t i = 0; i < im->wants_count; i++)
		if (strcmp(im->wants[i].descriptor->digest, descriptor->digest) == 0)
			return 0;
	im->wants[im->wants_count++] = (struct import_want){ descriptor, file, false };
	im->total_bytes += (uint64_t)descriptor->size_bytes;
	return 0;
}

static int collect_wants(struct import *im, struct err *err)
{
	size_t count = 0;

	for (size_t i = 0; i < im->layout.count; i++)
		count += im->layout.images[i].manifest.layers_count;
	im->wants = calloc(count + 1, sizeof(*im->wants));
	if (!im->wants)
		return err_set(err, ENOMEM, "import");
	for (size_t i = 0; i < im->layout.count; i++) {
		const struct import_image *image = &im->layout.images[i];
		const char *const *files = image->layer_files;

		for (size_t j = 0; j < image->manifest.layers_count; j++)
			err_try(add_want(im, &image->manifest.layers[j], files ? files[j] : NULL,
					 err));
	}
	return 0;
}

/* Says so at once, rather than after filling the disk. What unpacking takes is not known yet. */
static int check_space(struct import *im, struct err *err)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (fstatvfs(im->store->root_fd, &fs) < 0)
		return err_set(err, errno, "ask for the free space of %s", im->store->root);
	free_bytes = (uint64_t)fs.f_bfree * fs.f_frsize;
	if (im->total_bytes <= free_bytes)
		return 0;
	return err_say(
		err, ENOSPC,
		"No space left on the disk of %s: the image needs %.1f MB, %.1f MB are free: free some there, or choose a folder on another disk with --root",
		im->store->root, (double)im->total_bytes / 1e6, (double)free_bytes / 1e6);
}

static int sink_open(struct import *im, size_t i, struct err *err)
{
	const struct oci_descriptor *d = im->wants[i].descriptor;

	if (im->writer)
		return 0;
	return content_writer_open(im->store, d->digest, d->size_bytes, &im->writer, err);
}

static int sink_write(void *data, size_t i, const void *bytes, size_t len, struct err *err)
{
	struct import *im = data;

	err_try(sink_open(im, i, err));
	err_try(content_write(im->writer, bytes, len, err));
	im->done_bytes += len;
	if (im->options->progress)
		im->options->progress(im->options->progress_data, im->done_bytes, im->total_bytes);
	return 0;
}

static int sink_done(void *data, size_t i, struct err *err)
{
	struct import *im = data;

	err_try(sink_open(im, i, err));
	if (collect_add(&im->new_blobs, im->wants[i].descriptor->digest + strlen("sha256:")) < 0)
		return err_set(err, ENOMEM, "import");
	err_try(content_writer_commit(im->writer, err));
	im->writer = content_writer_close(im->writer);
	return 0;
}

static int put_document(struct import *im, const struct oci_descriptor *d, const char *text,
			size_t len, struct err *err)
{
	int r = content_find(im->store, d->digest, d->size_bytes, err);

	if (r != 0)
		return r < 0 ? r : 0;
	if (collect_add(&im->new_blobs, d->digest + strlen("sha256:")) < 0)
		return err_set(err, ENOMEM, "import");
	return content_put(im->store, d->digest, text, len, err);
}

static int copy_blobs(struct import *im, struct err *err)
{
	struct import_sink sink = { sink_write, sink_done, im };

	err_try(collect_wants(im, err));
	err_try(check_space(im, err));
	err_try(import_source_fetch(im->source, im->wants, im->wants_count, &sink, err));
	for (size_t i = 0; i < im->layout.count; i++) {
		const struct import_image *image = &im->layout.images[i];

		err_try(put_document(im, &image->manifest.config, image->config_text,
				     image->config_len, err));
		err_try(put_document(im, &image->descriptor, image->manifest_text,
				     image->manifest_len, err));
	}
	return 0;
}

static int fill_layer(struct import *im, const struct import_image *image, size_t n, int blob_fd,
		      int fs_fd, const int *lower_fds, struct err *err)
{
	const struct unpack_options options = {
		.lower_fds = lower_fds,
		.lower_count = n,
		.root = im->store->root,
		.entries_max = im->options->entries_max,
		.bytes_max = im->options->bytes_max,
		.ratio_max = im->options->ratio_max,
	};
	const char *wanted = image->config.diff_ids[n];
	char diff_id[DIGEST_TEXT_SIZE];

	err_try(unpack_layer(blob_fd, fs_fd, &options, diff_id, err));
	if (strcmp(diff_id, wanted) != 0)
		return err_say(
			err, EBADMSG,
			"uncompressed it has digest %s, but the configuration's rootfs.diff_ids[%zu] is %s",
			diff_id, n, wanted);
	return 0;
}

static int make_layer(struct import *im, const struct import_image *image, size_t n,
		      const int *lower_fds, struct err *err)
{
	_cleanup_tmp_ struct tmp tmp = TMP_NONE;
	_cleanup_fd_ int fs = -1, blob = -1;

	blob = content_open(im->store, image->manifest.layers[n].digest, err);
	if (blob < 0)
		return blob;
	err_try(layer_begin(im->store, &tmp, &fs, err));
	err_try(fill_layer(im, image, n, blob, fs, lower_fds, err));
	if (collect_add(&im->new_layers, image->chain_ids[n]) < 0)
		return err_set(err, ENOMEM, "import");
	return layer_commit(im->store, &tmp, image->chain_ids[n], image->config.diff_ids[n], err);
}

/* lower_fds is filled from its end, so that the topmost layer always comes first. */
static int unpack_image(struct import *im, const struct import_image *image, int *lower_fds,
			struct err *err)
{
	size_t count = image->manifest.layers_count;

	for (size_t n = 0; n < count; n++) {
		int *stack = lower_fds + count - n;
		int r = layer_find(im->store, image->chain_ids[n], err);

		if (r == 0)
			r = make_layer(im, image, n, stack, err);
		if (r == -ENOSPC || r == -EDQUOT)
			return r;
		if (r < 0)
			return err_add(err, "layer %zu of %zu (%.19s)", n + 1, count,
				       image->manifest.layers[n].digest);
		r = layer_open(im->store, image->chain_ids[n], err);
		if (r < 0)
			return r;
		stack[-1] = r;
	}
	return 0;
}

static int unpack_images(struct import *im, struct err *err)
{
	for (size_t i = 0; i < im->layout.count; i++) {
		const struct import_image *image = &im->layout.images[i];
		size_t count = image->manifest.layers_count;
		_cleanup_free_ int *fds = malloc((count + 1) * sizeof(*fds));
		int r;

		if (!fds)
			return err_set(err, ENOMEM, "import");
		memset(fds, -1, (count + 1) * sizeof(*fds));
		r = unpack_image(im, image, fds, err);
		for (size_t n = 0; n < count; n++)
			cleanup_fd(&fds[n]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int save_images(struct import *im, struct err *err)
{
	int64_t now_ns = clock_realtime_ns();

	for (size_t i = 0; i < im->layout.count; i++) {
		const struct import_image *image = &im->layout.images[i];
		struct store_image saved = {
			.name = image->name,
			.id = image->manifest.config.digest,
			.manifest = image->descriptor,
			.layers = image->chain_ids,
			.layers_count = image->manifest.layers_count,
			.size_bytes =
				image->descriptor.size_bytes + image->manifest.config.size_bytes,
			.imported_ns = now_ns,
		};

		for (size_t n = 0; n < image->manifest.layers_count; n++)
			saved.size_bytes += image->manifest.layers[n].size_bytes;
		err_try(image_save(im->store, &saved, err));
	}
	return 0;
}

/* A pipe is read twice or not at all: it goes to a file below content/tmp, which is dropped. */
static int spool(struct import *im, struct tmp *tmp, struct err *err)
{
	int folder = store_folder(im->store, STORE_CONTENT_TMP, err), r = 0;
	_cleanup_free_ char *buffer = malloc(SPOOL_BUFFER);
	ssize_t n = 1;

	if (folder < 0)
		return folder;
	if (!buffer)
		return err_set(err, ENOMEM, "read stdin");
	r = tmp_create_file(folder, tmp);
	while (r == 0 && n != 0) {
		n = read(STDIN_FILENO, buffer, SPOOL_BUFFER);
		if (n < 0 && errno != EINTR)
			return err_set(err, errno, "read stdin");
		if (n > 0)
			r = fd_write_all(tmp->fd, buffer, (size_t)n);
	}
	return r < 0 ? store_set_error(err, im->store->root, -r, "keep what stdin brings") : 0;
}

static int open_stdin(struct import *im, struct tmp *tmp, struct import_source **ret,
		      struct err *err)
{
	struct stat st;
	int fd;

	if (fstat(STDIN_FILENO, &st) < 0)
		return err_set(err, errno, "read stdin");
	if (isatty(STDIN_FILENO))
		return err_say(err, EINVAL,
			       "stdin is a terminal: an archive is to come through a pipe");
	if (!S_ISREG(st.st_mode))
		err_try(spool(im, tmp, err));
	fd = fcntl(S_ISREG(st.st_mode) ? STDIN_FILENO : tmp->fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_set(err, errno, "read stdin") : import_source_open_fd(fd, ret, err);
}

static int read_documents(struct import *im, struct arena *arena, struct err *err)
{
	const char *path = im->options->path;
	struct import_reading reading = {
		.source = im->source,
		.arena = arena,
		.path = strcmp(path, "-") == 0 ? NULL : path,
		.name = im->options->name,
	};
	int r = 0;

	platform_host(&reading.platform);
	if (im->options->platform)
		r = platform_parse(im->options->platform, &reading.platform, err);
	if (r == 0)
		r = import_read(&reading, err);
	strbuf_deinit(&reading.foreign);
	im->layout = reading.found;
	return r;
}

static int run(struct import *im, struct arena *arena, struct err *err)
{
	_cleanup_import_source_ struct import_source *source = NULL;
	_cleanup_tmp_ struct tmp spooled = TMP_NONE;
	_cleanup_fd_ int hold = -1;
	bool is_stdin = strcmp(im->options->path, "-") == 0;
	int r = is_stdin ? 0 : import_source_open(im->options->path, &source, err);

	if (r < 0)
		return r;
	hold = store_hold(im->store, err);
	if (hold < 0)
		return hold;
	/* Also when this import will fail before it writes anything. */
	err_try(content_sweep(im->store, err));
	if (is_stdin)
		err_try(open_stdin(im, &spooled, &source, err));
	im->source = source;
	err_try(read_documents(im, arena, err));
	r = copy_blobs(im, err);
	im->writer = content_writer_close(im->writer);
	if (r == 0)
		r = unpack_images(im, err);
	if (r == 0)
		r = save_images(im, err);
	return r;
}

int import_layout(struct store *store, const struct import_options *options,
		  void (*named)(void *data, const char *name, const char *id), void *data,
		  struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct import im = { .store = store, .options = options };
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "import");
	r = run(&im, arena, err);
	if (r < 0)
		collect_undo(store, &im.new_blobs, &im.new_layers, NULL);
	for (size_t i = 0; r == 0 && named && i < im.layout.count; i++)
		named(data, im.layout.images[i].name, im.layout.images[i].manifest.config.digest);
	collect_deinit(&im.new_blobs);
	collect_deinit(&im.new_layers);
	free(im.layout.images);
	free(im.wants);
	return r;
}
