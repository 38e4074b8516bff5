/* SPDX-License-Identifier: Apache-2.0 */
/* An OCI layout as a folder or as a tar: files by name. */
#include "storage/import_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "storage/content.h"

#define SOURCE_BUFFER (256 << 10)
#define BLOB_NAME_SIZE 80 /* "blobs/sha256/" and 64 digits */

struct import_source {
	int fd;
	bool is_folder;
	char *buffer;
};

CLEANUP_DEFINE(struct archive, archive, archive_read_free);

int import_source_open(const char *path, struct import_source **ret, struct err *err)
{
	_cleanup_import_source_ struct import_source *source = calloc(1, sizeof(*source));
	struct stat st;

	if (!source)
		return err_set(err, ENOMEM, "open %s", path);
	/* Not to hang on a fifo: it is told below what it is. */
	source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (source->fd < 0 || fstat(source->fd, &st) < 0)
		return err_say(err, errno, "%s", strerror(errno));
	source->is_folder = S_ISDIR(st.st_mode);
	if (!source->is_folder && !S_ISREG(st.st_mode))
		return err_say(err, EINVAL, "neither a folder nor a file");
	source->buffer = malloc(SOURCE_BUFFER);
	if (!source->buffer)
		return err_set(err, ENOMEM, "open");
	*ret = take_ptr(source);
	return 0;
}

struct import_source *import_source_close(struct import_source *source)
{
	if (source) {
		cleanup_fd(&source->fd);
		free(source->buffer);
		free(source);
	}
	return NULL;
}

static void blob_name(const char *digest, char ret[static BLOB_NAME_SIZE])
{
	snprintf(ret, BLOB_NAME_SIZE, "blobs/sha256/%.64s", digest + strlen("sha256:"));
}

static int open_tar(struct import_source *source, struct archive **ret, struct err *err)
{
	_cleanup_(cleanup_archive) struct archive *tar = archive_read_new();

	if (!tar)
		return err_set(err, ENOMEM, "read");
	if (lseek(source->fd, 0, SEEK_SET) < 0)
		return err_set(err, errno, "read");
	archive_read_support_filter_gzip(tar);
	archive_read_support_filter_zstd(tar);
	archive_read_support_format_tar(tar);
	if (archive_read_open_fd(tar, source->fd, SOURCE_BUFFER) != ARCHIVE_OK)
		return err_say(err, EBADMSG, "neither a folder nor a tar with an OCI layout in it");
	*ret = take_ptr(tar);
	return 0;
}

/* The next file. 1, 0 at the end, <0. *ret_name has no "./". */
static int next_file(struct archive *tar, const char **ret_name, struct archive_entry **ret,
		     struct err *err)
{
	for (;;) {
		int r = archive_read_next_header(tar, ret);
		const char *name;

		if (r == ARCHIVE_EOF)
			return 0;
		if (r < ARCHIVE_WARN)
			return err_say(err, EBADMSG, "the tar is damaged or truncated: %s",
				       archive_error_string(tar));
		name = archive_entry_pathname(*ret);
		if (!name || archive_entry_filetype(*ret) != AE_IFREG ||
		    archive_entry_hardlink(*ret))
			continue;
		while (name[0] == '.' && name[1] == '/')
			name += 2;
		*ret_name = name;
		return 1;
	}
}

static ssize_t read_tar(struct archive *tar, void *data, size_t len, const char *name,
			struct err *err)
{
	ssize_t n = archive_read_data(tar, data, len);

	return n < 0 ? err_say(err, EBADMSG, "%s in the tar is truncated or damaged: %s", name,
			       archive_error_string(tar))
		     : n;
}

static int read_from_tar(struct import_source *source, const char *name, char **ret,
			 size_t *ret_len, struct err *err)
{
	_cleanup_(cleanup_archive) struct archive *tar = NULL;
	_cleanup_free_ char *text = NULL;
	struct archive_entry *entry;
	const char *found;
	size_t len = 0;
	int64_t size;
	int r;

	err_try(open_tar(source, &tar, err));
	do
		r = next_file(tar, &found, &entry, err);
	while (r > 0 && strcmp(found, name) != 0);
	if (r < 0)
		return r;
	if (r == 0)
		return err_say(err, ENOENT, "there is no %s in it", name);
	size = archive_entry_size(entry);
	if (size < 0 || size > CONTENT_DOCUMENT_MAX)
		return err_say(err, EFBIG, "%s has %lld bytes: a document has at most %d", name,
			       (long long)size, CONTENT_DOCUMENT_MAX);
	text = malloc((size_t)size + 1);
	if (!text)
		return err_set(err, ENOMEM, "read %s", name);
	while (len < (size_t)size) {
		ssize_t n = read_tar(tar, text + len, (size_t)size - len, name, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	*ret = take_ptr(text);
	*ret_len = len;
	return 0;
}

static int open_file(struct import_source *source, const char *name, struct err *err)
{
	_cleanup_fd_ int fd = openat(source->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_say(err, ENOENT, "there is no %s in it", name);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "open %s", name);
	if (!S_ISREG(st.st_mode))
		return err_say(err, EINVAL, "%s is no file", name);
	return take_fd(&fd);
}

int import_source_read(struct import_source *source, const char *name, char **ret, size_t *ret_len,
		       struct err *err)
{
	_cleanup_fd_ int fd = -1;

	if (!source->is_folder)
		return read_from_tar(source, name, ret, ret_len, err);
	fd = open_file(source, name, err);
	if (fd < 0)
		return fd;
	if (fd_read_all(fd, CONTENT_DOCUMENT_MAX, ret, ret_len, err) < 0)
		return err_add(err, "%s", name);
	return 0;
}

int import_source_read_blob(struct import_source *source, const struct oci_descriptor *descriptor,
			    char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	char name[BLOB_NAME_SIZE];
	size_t len;

	blob_name(descriptor->digest, name);
	err_try(import_source_read(source, name, &text, &len, err));
	err_try(content_verify(descriptor, text, len, err));
	*ret = take_ptr(text);
	*ret_len = len;
	return 0;
}

static int fetch_from_folder(struct import_source *source, struct import_want *wants, size_t count,
			     const struct import_sink *sink, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_fd_ int fd = -1;
		char name[BLOB_NAME_SIZE];
		ssize_t n;

		blob_name(wants[i].descriptor->digest, name);
		fd = open_file(source, name, err);
		if (fd < 0)
			return fd;
		while ((n = read(fd, source->buffer, SOURCE_BUFFER)) != 0) {
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return err_set(err, errno, "read %s", name);
			err_try(sink->write(sink->data, i, source->buffer, (size_t)n, err));
		}
		err_try(sink->done(sink->data, i, err));
		wants[i].got = true;
	}
	return 0;
}

static struct import_want *find_want(struct import_want *wants, size_t count, const char *name)
{
	char wanted[BLOB_NAME_SIZE];

	for (size_t i = 0; i < count; i++) {
		blob_name(wants[i].descriptor->digest, wanted);
		if (!wants[i].got && strcmp(wanted, name) == 0)
			return &wants[i];
	}
	return NULL;
}

static int fetch_entry(struct import_source *source, struct archive *tar, const char *name,
		       size_t i, const struct import_sink *sink, struct err *err)
{
	ssize_t n;

	while ((n = read_tar(tar, source->buffer, SOURCE_BUFFER, name, err)) > 0)
		err_try(sink->write(sink->data, i, source->buffer, (size_t)n, err));
	return n < 0 ? (int)n : sink->done(sink->data, i, err);
}

static int fetch_from_tar(struct import_source *source, struct import_want *wants, size_t count,
			  const struct import_sink *sink, struct err *err)
{
	_cleanup_(cleanup_archive) struct archive *tar = NULL;
	struct archive_entry *entry;
	size_t missing = count;
	const char *name;
	int r;

	err_try(open_tar(source, &tar, err));
	while (missing > 0 && (r = next_file(tar, &name, &entry, err)) != 0) {
		struct import_want *want;

		if (r < 0)
			return r;
		want = find_want(wants, count, name);
		if (!want)
			continue;
		err_try(fetch_entry(source, tar, name, (size_t)(want - wants), sink, err));
		want->got = true;
		missing--;
	}
	for (size_t i = 0; i < count; i++)
		if (!wants[i].got)
			return err_say(err, ENOENT, "there is no blob %s in it",
				       wants[i].descriptor->digest);
	return 0;
}

int import_source_fetch(struct import_source *source, struct import_want *wants, size_t count,
			const struct import_sink *sink, struct err *err)
{
	if (count == 0)
		return 0;
	return source->is_folder ? fetch_from_folder(source, wants, count, sink, err)
				 : fetch_from_tar(source, wants, count, sink, err);
}
