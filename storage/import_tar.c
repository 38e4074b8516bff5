/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing and reading a tar with libarchive. The tar is not trusted: its entries are counted, and
 * what a compressed one unpacks to is held against what it takes.
 */
#include "storage/import_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "storage/content.h"
#include "storage/import_name.h"
#include "storage/unpack.h"

#define TAR_BUFFER (256 << 10)
#define FILES_MAX 20000
#define LINKS_MAX 8
#define KEPT_MAX (32 << 20) /* bytes of documents that are kept */

struct import_tar {
	struct import_tar_file *files;
	size_t count, size, kept_bytes;
};

/* A pass through the tar. */
struct pass {
	struct archive *archive;
	struct archive_entry *entry;
	size_t next; /* index of the next file */
	bool packed;
};

static void pass_end(struct pass *pass)
{
	archive_read_free(pass->archive);
}

static int pass_begin(int fd, struct pass *ret, struct err *err)
{
	_cleanup_(pass_end) struct pass pass = { .archive = archive_read_new() };

	if (!pass.archive)
		return err_set(err, ENOMEM, "read");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, errno, "read");
	archive_read_support_filter_gzip(pass.archive);
	archive_read_support_filter_zstd(pass.archive);
	archive_read_support_filter_xz(pass.archive);
	archive_read_support_filter_bzip2(pass.archive);
	archive_read_support_format_tar(pass.archive);
	if (archive_read_open_fd(pass.archive, fd, TAR_BUFFER) != ARCHIVE_OK)
		return err_say(err, EBADMSG, "neither a folder nor a tar with an image in it");
	*ret = pass;
	pass.archive = NULL;
	return 0;
}

static int check_ratio(const struct pass *pass, struct err *err)
{
	uint64_t out = (uint64_t)archive_filter_bytes(pass->archive, 0);
	uint64_t in = (uint64_t)archive_filter_bytes(pass->archive, -1);

	if (out > 1ULL << 30 && out / (in ? in : 1) >= UNPACK_RATIO_MAX)
		return err_say(
			err, EFBIG,
			"%llu packed bytes gave %llu and more: over %d to 1 is taken for an attack",
			(unsigned long long)in, (unsigned long long)out, UNPACK_RATIO_MAX);
	return 0;
}

static int say_damaged(const struct pass *pass, struct err *err)
{
	return err_say(err, EBADMSG, "the tar is damaged or truncated: %s",
		       archive_error_string(pass->archive));
}

/* Skipping would unpack without an eye on how much. */
static int pass_skip(struct pass *pass, struct err *err)
{
	const void *data;
	size_t len;
	la_int64_t offset;
	int r;

	if (!pass->packed || !pass->entry)
		return 0;
	while ((r = archive_read_data_block(pass->archive, &data, &len, &offset)) != ARCHIVE_EOF) {
		if (r < ARCHIVE_WARN)
			return say_damaged(pass, err);
		err_try(check_ratio(pass, err));
	}
	return 0;
}

/* The next file or link. 1, 0 at the end, <0. */
static int pass_next(struct pass *pass, char name[static PATH_MAX], struct err *err)
{
	for (;;) {
		const char *path;
		int r;

		err_try(pass_skip(pass, err));
		r = archive_read_next_header(pass->archive, &pass->entry);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r < ARCHIVE_WARN)
			return say_damaged(pass, err);
		pass->packed = archive_filter_code(pass->archive, 0) != ARCHIVE_FILTER_NONE;
		err_try(check_ratio(pass, err));
		path = archive_entry_pathname(pass->entry);
		if (!path || import_name_clean("", path, name) < 0)
			continue;
		if (archive_entry_hardlink(pass->entry) ||
		    archive_entry_filetype(pass->entry) == AE_IFREG ||
		    archive_entry_filetype(pass->entry) == AE_IFLNK)
			return pass->next++ < FILES_MAX
				       ? 1
				       : err_say(err, EFBIG, "more than %d files in it", FILES_MAX);
	}
}

static ssize_t pass_data(struct pass *pass, void *data, size_t len, const char *name,
			 struct err *err)
{
	ssize_t n = archive_read_data(pass->archive, data, len);

	if (n < 0)
		return err_say(err, EBADMSG, "%.100s in the tar is truncated or damaged: %s", name,
			       archive_error_string(pass->archive));
	err_try(check_ratio(pass, err));
	return n;
}

static int read_link(const struct pass *pass, const char *name, struct import_tar_file *file)
{
	const char *hard = archive_entry_hardlink(pass->entry);
	const char *target = hard ? hard : archive_entry_symlink(pass->entry);
	char clean[PATH_MAX];

	/* One that leads out of the tar leads nowhere. */
	if (!target || import_name_clean(hard ? "" : name, target, clean) < 0)
		clean[0] = '\0';
	file->link = strdup(clean);
	return file->link ? 0 : -ENOMEM;
}

static int read_whole(struct pass *pass, char *text, size_t from, size_t size, const char *name,
		      struct err *err)
{
	while (from < size) {
		ssize_t n = pass_data(pass, text + from, size - from, name, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_say(err, EBADMSG, "%.100s in the tar is truncated", name);
		from += (size_t)n;
	}
	text[size] = '\0';
	return 0;
}

static int read_head(struct import_tar *tar, struct pass *pass, struct import_tar_file *file,
		     struct err *err)
{
	size_t size = (size_t)file->size_bytes;
	ssize_t n = pass_data(pass, file->head, sizeof(file->head), file->name, err);

	if (n < 0)
		return (int)n;
	file->head_len = (size_t)n;
	if (n == 0 || (file->head[0] != '{' && file->head[0] != '[') ||
	    file->size_bytes > CONTENT_DOCUMENT_MAX || tar->kept_bytes + size > KEPT_MAX)
		return 0;
	file->text = malloc(size + 1);
	if (!file->text)
		return err_set(err, ENOMEM, "read %s", file->name);
	memcpy(file->text, file->head, file->head_len);
	tar->kept_bytes += size;
	return read_whole(pass, file->text, file->head_len, size, file->name, err);
}

static int add_file(struct import_tar *tar, struct pass *pass, const char *name, struct err *err)
{
	struct import_tar_file *file;

	if (tar->count == tar->size) {
		size_t size = tar->size ? tar->size * 2 : 64;
		void *grown = reallocarray(tar->files, size, sizeof(*tar->files));

		if (!grown)
			return err_set(err, ENOMEM, "read");
		tar->files = grown;
		tar->size = size;
	}
	file = &tar->files[tar->count++];
	*file = (struct import_tar_file){ .name = strdup(name) };
	if (!file->name)
		return err_set(err, ENOMEM, "read");
	if (archive_entry_hardlink(pass->entry) || archive_entry_filetype(pass->entry) == AE_IFLNK)
		return read_link(pass, name, file) < 0 ? err_set(err, ENOMEM, "read") : 0;
	file->size_bytes = archive_entry_size(pass->entry);
	if (file->size_bytes < 0)
		return err_say(err, EBADMSG, "%.100s in the tar has a size below zero", name);
	return read_head(tar, pass, file, err);
}

int import_tar_list(int fd, struct import_tar **ret, struct err *err)
{
	_cleanup_(pass_end) struct pass pass = { 0 };
	struct import_tar *tar = calloc(1, sizeof(*tar));
	char name[PATH_MAX];
	int r;

	if (!tar)
		return err_set(err, ENOMEM, "read");
	r = pass_begin(fd, &pass, err);
	while (r == 0 && (r = pass_next(&pass, name, err)) > 0)
		r = add_file(tar, &pass, name, err);
	if (r < 0) {
		import_tar_free(tar);
		return r;
	}
	*ret = tar;
	return 0;
}

struct import_tar *import_tar_free(struct import_tar *tar)
{
	if (tar) {
		for (size_t i = 0; i < tar->count; i++) {
			free(tar->files[i].name);
			free(tar->files[i].link);
			free(tar->files[i].text);
		}
		free(tar->files);
		free(tar);
	}
	return NULL;
}

const struct import_tar_file *import_tar_find(const struct import_tar *tar, const char *name)
{
	for (unsigned links = 0; links <= LINKS_MAX; links++) {
		const struct import_tar_file *found = NULL;

		for (size_t i = tar->count; i-- > 0 && !found;)
			if (strcmp(tar->files[i].name, name) == 0)
				found = &tar->files[i];
		if (!found || !found->link)
			return found;
		name = found->link;
	}
	return NULL;
}

int import_tar_read(int fd, const struct import_tar *tar, const struct import_tar_reader *reader,
		    struct err *err)
{
	_cleanup_free_ char *buffer = malloc(TAR_BUFFER);
	_cleanup_(pass_end) struct pass pass = { 0 };
	char name[PATH_MAX];
	int r = buffer ? pass_begin(fd, &pass, err) : err_set(err, ENOMEM, "read");

	while (r == 0 && (r = pass_next(&pass, name, err)) > 0) {
		const struct import_tar_file *file = &tar->files[pass.next - 1];
		ssize_t n = 0;

		r = 0;
		/* The same tar as when it was listed, or somebody writes to it. */
		if (pass.next > tar->count || strcmp(file->name, name) != 0)
			return err_say(err, EBADMSG, "the tar has changed while it was read");
		if (file->link || !reader->wants(reader->data, file))
			continue;
		while (r == 0 && (n = pass_data(&pass, buffer, TAR_BUFFER, name, err)) > 0)
			r = reader->write(reader->data, file, buffer, (size_t)n, err);
		if (r == 0)
			r = n < 0 ? (int)n : reader->done(reader->data, file, err);
	}
	return r;
}

struct one {
	const struct import_tar_file *file;
	char *text;
	size_t len;
};

static bool wants_one(void *data, const struct import_tar_file *file)
{
	return file == ((struct one *)data)->file;
}

static int write_one(void *data, const struct import_tar_file *file, const void *bytes, size_t len,
		     struct err *err)
{
	struct one *one = data;

	if (len > (size_t)file->size_bytes - one->len)
		return err_say(err, EBADMSG, "%.100s in the tar is longer than it says",
			       file->name);
	memcpy(one->text + one->len, bytes, len);
	one->len += len;
	return 0;
}

static int done_one(void *data, const struct import_tar_file *file, struct err *err)
{
	struct one *one = data;

	if (one->len != (size_t)file->size_bytes)
		return err_say(err, EBADMSG, "%.100s in the tar is truncated", file->name);
	return 0;
}

int import_tar_text(int fd, const struct import_tar *tar, const struct import_tar_file *file,
		    size_t limit, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	struct one one = { .file = file };
	struct import_tar_reader reader = { wants_one, write_one, done_one, &one };

	if (file->size_bytes > (int64_t)limit)
		return err_say(err, EFBIG, "%.100s has %lld bytes: a document has at most %zu",
			       file->name, (long long)file->size_bytes, limit);
	text = malloc((size_t)file->size_bytes + 1);
	if (!text)
		return err_set(err, ENOMEM, "read %s", file->name);
	if (file->text) {
		memcpy(text, file->text, (size_t)file->size_bytes + 1);
	} else {
		one.text = text;
		err_try(import_tar_read(fd, tar, &reader, err));
		text[one.len] = '\0';
	}
	*ret_len = (size_t)file->size_bytes;
	*ret = take_ptr(text);
	return 0;
}
