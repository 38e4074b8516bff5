/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of storage build for themselves: tars in memory, layouts in a folder of their own.
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/strbuf.h"

/* A tar in the making, below a memfd. */
struct tar {
	struct archive *a;
	int fd;
};

struct tar_entry {
	const char *path;
	mode_t mode; /* with its type; 0: a file 0644 */
	const char *data;
	const char *symlink, *hardlink;
	int64_t uid, gid, mtime;
	long mtime_nsec;
	unsigned major, minor;
	const char *xattr, *xattr_value;
};

static inline struct tar tar_start(const char *format, const char *filter)
{
	struct tar tar = { archive_write_new(), memfd_create("tar", MFD_CLOEXEC) };

	assert_true(tar.fd >= 0);
	assert_int_equal(archive_write_set_format_by_name(tar.a, format), ARCHIVE_OK);
	if (filter)
		assert_true(archive_write_add_filter_by_name(tar.a, filter) >= ARCHIVE_WARN);
	archive_write_set_bytes_in_last_block(tar.a, 1);
	assert_int_equal(archive_write_open_fd(tar.a, tar.fd), ARCHIVE_OK);
	return tar;
}

static inline void tar_add(struct tar *tar, const struct tar_entry *e)
{
	struct archive_entry *entry = archive_entry_new();
	mode_t mode = e->mode ? e->mode : S_IFREG | 0644;
	size_t len = e->data ? strlen(e->data) : 0;

	archive_entry_set_pathname(entry, e->path);
	archive_entry_set_filetype(entry, mode & S_IFMT);
	archive_entry_set_perm(entry, mode & 07777);
	archive_entry_set_uid(entry, e->uid);
	archive_entry_set_gid(entry, e->gid);
	archive_entry_set_mtime(entry, e->mtime, e->mtime_nsec);
	archive_entry_set_size(entry, (int64_t)len);
	if (e->symlink)
		archive_entry_set_symlink(entry, e->symlink);
	if (e->hardlink)
		archive_entry_set_hardlink(entry, e->hardlink);
	archive_entry_set_rdevmajor(entry, e->major);
	archive_entry_set_rdevminor(entry, e->minor);
	if (e->xattr)
		archive_entry_xattr_add_entry(entry, e->xattr, e->xattr_value,
					      strlen(e->xattr_value));
	assert_true(archive_write_header(tar->a, entry) >= ARCHIVE_WARN);
	if (len > 0)
		assert_int_equal(archive_write_data(tar->a, e->data, len), len);
	archive_entry_free(entry);
}

/* The finished tar's descriptor, at its start. */
static inline int tar_end(struct tar *tar)
{
	assert_int_equal(archive_write_close(tar->a), ARCHIVE_OK);
	archive_write_free(tar->a);
	assert_int_equal(lseek(tar->fd, 0, SEEK_SET), 0);
	return tar->fd;
}

/* A tar of these entries, "pax" without compression unless told otherwise. */
static inline int tar_of(const struct tar_entry *entries, size_t count, const char *filter)
{
	struct tar tar = tar_start("pax", filter);

	for (size_t i = 0; i < count; i++)
		tar_add(&tar, &entries[i]);
	return tar_end(&tar);
}

#define TAR(...)                                          \
	tar_of((const struct tar_entry[]){ __VA_ARGS__ }, \
	       sizeof((const struct tar_entry[]){ __VA_ARGS__ }) / sizeof(struct tar_entry), NULL)

/* "sha256:..." of a descriptor's whole content. */
static inline void digest_of_fd(int fd, char ret[static DIGEST_TEXT_SIZE], size_t *ret_size)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	lseek(fd, 0, SEEK_SET);
	assert_int_equal(fd_read_all(fd, 256 << 20, &data, &len, NULL), 0);
	lseek(fd, 0, SEEK_SET);
	memcpy(ret, "sha256:", 7);
	digest_of(data, len, ret + 7);
	if (ret_size)
		*ret_size = len;
}

/* An OCI layout. Text of JSON is public: a test may spoil it before layout_end(). */
struct layout {
	char dir[64];
	struct strbuf manifests, layers, diff_ids;
	char architecture[32];
	char last_layer[DIGEST_TEXT_SIZE], last_manifest[DIGEST_TEXT_SIZE];
};

static inline const char *this_architecture(void)
{
	static struct utsname uts;

	uname(&uts);
	return strcmp(uts.machine, "x86_64") == 0    ? "amd64"
	       : strcmp(uts.machine, "aarch64") == 0 ? "arm64"
						     : uts.machine;
}

static inline void layout_start(struct layout *l)
{
	char path[128];

	memset(l, 0, sizeof(*l));
	strcpy(l->dir, "/tmp/cellar-unit-layout.XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	snprintf(path, sizeof(path), "%s/blobs/sha256", l->dir);
	assert_int_equal(dir_create(AT_FDCWD, path, 0755, NULL), 0);
	snprintf(l->architecture, sizeof(l->architecture), "%s", this_architecture());
}

static inline void layout_blob(struct layout *l, const void *data, size_t len,
			       char digest[static DIGEST_TEXT_SIZE])
{
	char path[256];

	memcpy(digest, "sha256:", 7);
	digest_of(data, len, digest + 7);
	snprintf(path, sizeof(path), "%s/blobs/sha256/%s", l->dir, digest + 7);
	assert_int_equal(file_replace(AT_FDCWD, path, data, len, 0644, false, NULL), 0);
}

/* Takes the tar's descriptor. diff_id NULL: that of the tar, which then is not compressed. */
static inline void layout_layer(struct layout *l, int tar_fd, const char *media_type,
				const char *diff_id)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	assert_int_equal(fd_read_all(tar_fd, 256 << 20, &data, &len, NULL), 0);
	close(tar_fd);
	layout_blob(l, data, len, l->last_layer);
	strbuf_addf(&l->layers, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}",
		    l->layers.len ? "," : "", media_type, l->last_layer, len);
	strbuf_addf(&l->diff_ids, "%s\"%s\"", l->diff_ids.len ? "," : "",
		    diff_id ? diff_id : l->last_layer);
}

#define LAYER_TAR "application/vnd.oci.image.layer.v1.tar"

/* Writes configuration and manifest of the layers so far and starts the next image. */
static inline void layout_image(struct layout *l, const char *name)
{
	char config[DIGEST_TEXT_SIZE];
	_cleanup_strbuf_ struct strbuf text = { 0 };
	size_t len;

	strbuf_addf(
		&text,
		"{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"sh\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}",
		l->architecture, l->diff_ids.data ? l->diff_ids.data : "");
	len = text.len;
	layout_blob(l, text.data, len, config);
	strbuf_deinit(&text);
	text = (struct strbuf){ 0 };
	strbuf_addf(
		&text,
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[%s]}",
		config, len, l->layers.data ? l->layers.data : "");
	layout_blob(l, text.data, text.len, l->last_manifest);
	strbuf_addf(
		&l->manifests,
		"%s{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":%zu",
		l->manifests.len ? "," : "", l->last_manifest, text.len);
	if (name)
		strbuf_addf(&l->manifests,
			    ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}",
			    name);
	strbuf_adds(&l->manifests, "}");
	strbuf_deinit(&l->layers);
	strbuf_deinit(&l->diff_ids);
	l->layers = l->diff_ids = (struct strbuf){ 0 };
}

static inline void layout_file(struct layout *l, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", l->dir, name);
	assert_int_equal(file_replace(AT_FDCWD, path, text, strlen(text), 0644, false, NULL), 0);
}

static inline void layout_end(struct layout *l)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };

	strbuf_addf(&text, "{\"schemaVersion\":2,\"manifests\":[%s]}",
		    l->manifests.data ? l->manifests.data : "");
	layout_file(l, "index.json", text.data);
	layout_file(l, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
}

static inline void layout_remove(struct layout *l)
{
	strbuf_deinit(&l->manifests);
	strbuf_deinit(&l->layers);
	strbuf_deinit(&l->diff_ids);
	assert_int_equal(tree_remove(AT_FDCWD, l->dir, NULL), 0);
}

/* One image of two plain layers. */
static inline void layout_simple(struct layout *l, const char *name)
{
	layout_start(l);
	layout_layer(l,
		     TAR({ "./", S_IFDIR | 0755 }, { "bin/", S_IFDIR | 0755 },
			 { "bin/sh", S_IFREG | 0755, .data = "#!\n" }, { "old", .data = "x" }),
		     LAYER_TAR, NULL);
	layout_layer(l, TAR({ "etc/passwd", .data = "root:x:0:0::/:/bin/sh\n" }, { ".wh.old" }),
		     LAYER_TAR, NULL);
	layout_image(l, name);
	layout_end(l);
}

static inline bool exists(const char *dir, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == 0;
}

/* How many entries a folder has, without "." and "..". */
static inline int count_entries(const char *dir, const char *name)
{
	char path[256];
	_cleanup_dir_ DIR *d = NULL;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	d = opendir(path);
	assert_non_null(d);
	while (readdir(d))
		n++;
	return n - 2;
}
