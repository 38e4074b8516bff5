/* SPDX-License-Identifier: Apache-2.0 */
/* An image's files by name, in a folder or in a tar. */
#include "storage/import_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "storage/content.h"
#include "storage/import_name.h"
#include "storage/import_tar.h"

#define SOURCE_BUFFER (256 << 10)
#define BLOB_NAME_SIZE 80 /* "blobs/sha256/" and 64 digits */

struct import_source {
	int fd;
	struct import_tar *tar; /* NULL: it is a folder */
};

int import_source_open_fd(int fd, struct import_source **ret, struct err *err)
{
	_cleanup_import_source_ struct import_source *source = calloc(1, sizeof(*source));
	struct stat st;

	if (!source) {
		close(fd);
		return err_set(err, ENOMEM, "read");
	}
	source->fd = fd;
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "read");
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_say(err, EINVAL, "neither a folder nor a file");
	if (S_ISREG(st.st_mode))
		err_try(import_tar_list(fd, &source->tar, err));
	*ret = take_ptr(source);
	return 0;
}

int import_source_open(const char *path, struct import_source **ret, struct err *err)
{
	/* Not to hang on a fifo: it is told below what it is. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_say(err, errno, "%s", strerror(errno));
	return import_source_open_fd(fd, ret, err);
}

struct import_source *import_source_close(struct import_source *source)
{
	if (source) {
		import_tar_free(source->tar);
		cleanup_fd(&source->fd);
		free(source);
	}
	return NULL;
}

static void blob_name(const char *digest, char ret[static BLOB_NAME_SIZE])
{
	snprintf(ret, BLOB_NAME_SIZE, "blobs/sha256/%.64s", digest + strlen("sha256:"));
}

static int say_missing(const char *name, struct err *err)
{
	return err_say(err, ENOENT, "there is no %.200s in it", name);
}

/* Symlinks may lead about in the folder, as in docker's, and not out of it. */
static int open_file(struct import_source *source, const char *name, struct err *err)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_fd_ int fd = (int)syscall(SYS_openat2, source->fd, name, &how, sizeof(how));
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return say_missing(name, err);
	if (fd < 0 && errno == EXDEV)
		return err_say(err, EXDEV, "%.200s leads out of the folder", name);
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

	if (source->tar) {
		const struct import_tar_file *file = import_tar_find(source->tar, name);

		return file ? import_tar_text(source->fd, source->tar, file, CONTENT_DOCUMENT_MAX,
					      ret, ret_len, err)
			    : say_missing(name, err);
	}
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

static const char *compression_of(const unsigned char *head, size_t len)
{
	static const struct {
		const char *magic, *name;
	} known[] = {
		{ "\x1f\x8b", "gzip" },
		{ "\x28\xb5\x2f\xfd", "zstd" },
		{ "\3757zXZ", "xz" },
		{ "BZh", "bzip2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (len >= strlen(known[i].magic) &&
		    memcmp(head, known[i].magic, strlen(known[i].magic)) == 0)
			return known[i].name;
	return "";
}

static int find_in_tar(struct import_source *source, const char *name, struct import_file *ret,
		       struct err *err)
{
	const struct import_tar_file *file = import_tar_find(source->tar, name);

	if (!file)
		return say_missing(name, err);
	if (strlen(file->name) >= sizeof(ret->path))
		return err_set(err, ENAMETOOLONG, "%.200s", file->name);
	memcpy(ret->path, file->name, strlen(file->name) + 1);
	ret->size_bytes = file->size_bytes;
	ret->compression = compression_of(file->head, file->head_len);
	return 0;
}

int import_source_find(struct import_source *source, const char *name, struct import_file *ret,
		       struct err *err)
{
	char clean[PATH_MAX];
	_cleanup_fd_ int fd = -1;
	unsigned char head[6];
	struct stat st;
	ssize_t n;

	if (import_name_clean("", name, clean) < 0)
		return err_say(err, EINVAL, "'%.200s' is no file of it", name);
	if (source->tar)
		return find_in_tar(source, clean, ret, err);
	if (strlen(clean) >= sizeof(ret->path))
		return err_set(err, ENAMETOOLONG, "%.200s", clean);
	fd = open_file(source, clean, err);
	if (fd < 0)
		return fd;
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "read %s", clean);
	memcpy(ret->path, clean, strlen(clean) + 1);
	ret->size_bytes = st.st_size;
	ret->compression = compression_of(head, (size_t)n);
	return 0;
}

static void name_of_want(const struct import_want *want, char ret[static PATH_MAX])
{
	if (want->file)
		snprintf(ret, PATH_MAX, "%s", want->file);
	else
		blob_name(want->descriptor->digest, ret);
}

static int fetch_from_folder(struct import_source *source, struct import_want *wants, size_t count,
			     const struct import_sink *sink, struct err *err)
{
	_cleanup_free_ char *buffer = malloc(SOURCE_BUFFER);

	if (!buffer)
		return err_set(err, ENOMEM, "read");
	for (size_t i = 0; i < count; i++) {
		_cleanup_fd_ int fd = -1;
		char name[PATH_MAX];
		ssize_t n;

		name_of_want(&wants[i], name);
		fd = open_file(source, name, err);
		if (fd < 0)
			return fd;
		while ((n = read(fd, buffer, SOURCE_BUFFER)) != 0) {
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return err_set(err, errno, "read %s", name);
			err_try(sink->write(sink->data, i, buffer, (size_t)n, err));
		}
		err_try(sink->done(sink->data, i, err));
		wants[i].got = true;
	}
	return 0;
}

struct fetch {
	struct import_want *wants;
	const struct import_tar_file **files; /* of the wants */
	size_t count, current;
	const struct import_sink *sink;
};

static bool fetch_wants(void *data, const struct import_tar_file *file)
{
	struct fetch *fetch = data;

	for (size_t i = 0; i < fetch->count; i++) {
		if (fetch->files[i] != file || fetch->wants[i].got)
			continue;
		fetch->current = i;
		return true;
	}
	return false;
}

static int fetch_write(void *data, const struct import_tar_file *file, const void *bytes,
		       size_t len, struct err *err)
{
	struct fetch *fetch = data;

	(void)file;
	return fetch->sink->write(fetch->sink->data, fetch->current, bytes, len, err);
}

static int fetch_done(void *data, const struct import_tar_file *file, struct err *err)
{
	struct fetch *fetch = data;

	(void)file;
	fetch->wants[fetch->current].got = true;
	return fetch->sink->done(fetch->sink->data, fetch->current, err);
}

static int fetch_from_tar(struct import_source *source, struct import_want *wants, size_t count,
			  const struct import_sink *sink, struct err *err)
{
	_cleanup_free_ const struct import_tar_file **files = calloc(count, sizeof(*files));
	struct fetch fetch = { wants, files, count, 0, sink };
	const struct import_tar_reader reader = { fetch_wants, fetch_write, fetch_done, &fetch };

	if (!files)
		return err_set(err, ENOMEM, "read");
	for (size_t i = 0; i < count; i++) {
		char name[PATH_MAX];

		name_of_want(&wants[i], name);
		files[i] = import_tar_find(source->tar, name);
		if (!files[i])
			return say_missing(name, err);
	}
	err_try(import_tar_read(source->fd, source->tar, &reader, err));
	/* One file can't have two digests. */
	for (size_t i = 0; i < count; i++)
		if (!wants[i].got)
			return err_say(err, EBADMSG, "%s stands for two different blobs",
				       files[i]->name);
	return 0;
}

int import_source_fetch(struct import_source *source, struct import_want *wants, size_t count,
			const struct import_sink *sink, struct err *err)
{
	if (count == 0)
		return 0;
	return source->tar ? fetch_from_tar(source, wants, count, sink, err)
			   : fetch_from_folder(source, wants, count, sink, err);
}
