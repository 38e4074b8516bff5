/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/tree_tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "runtime/engine/id_ranges.h"

#define BLOCK 512
#define BUFFER (256 << 10)
#define DEPTH_MAX 128 /* two descriptors each */
#define OCTAL_11 INT64_C(077777777777)
#define OCTAL_7 07777777
#define END_BLOCKS 2
#define NOBODY 65534
#define BUCKETS 4096

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000
#endif

/* POSIX.1-2001, pax, "ustar Interchange Format". */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100],
		magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155],
		rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

/* A file with several names that was written. */
struct known {
	struct known *next;
	dev_t dev;
	ino_t ino;
	char path[];
};

struct writer {
	const struct tree_tar_options *o;
	char *buffer;
	size_t len;
	uint64_t mount;
	struct known *known[BUCKETS]; /* by inode */
};

struct entry {
	int fd; /* O_PATH */
	const char *path;
	struct stat st;
	const char *link; /* NULL: none */
	char type;
};

/* ---- bytes ---- */

static int flush(struct writer *w, struct err *err)
{
	int r = fd_write_all(w->o->out_fd, w->buffer, w->len);

	w->len = 0;
	return r < 0 ? err_set(err, -r, "write the tar") : 0;
}

static int put(struct writer *w, const void *data, size_t len, struct err *err)
{
	while (len > 0) {
		size_t n = BUFFER - w->len < len ? BUFFER - w->len : len;

		memcpy(w->buffer + w->len, data, n);
		w->len += n;
		data = (const char *)data + n;
		len -= n;
		if (w->len == BUFFER)
			err_try(flush(w, err));
	}
	return 0;
}

static int put_zeros(struct writer *w, uint64_t len, struct err *err)
{
	static const char zeros[BLOCK];

	for (; len > 0; len -= len < BLOCK ? len : BLOCK)
		err_try(put(w, zeros, len < BLOCK ? (size_t)len : BLOCK, err));
	return 0;
}

static int pad(struct writer *w, uint64_t len, struct err *err)
{
	return put_zeros(w, (BLOCK - len % BLOCK) % BLOCK, err);
}

/* ---- a header ---- */

static void set_octal(char *field, size_t size, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%0*llo", (int)size - 1, (unsigned long long)value);
	memcpy(field, text, size - 1);
}

/* Not NUL-terminated when full. */
static void set_text(char *field, size_t size, const char *text)
{
	memcpy(field, text, strnlen(text, size));
}

static void set_checksum(struct header *h)
{
	const unsigned char *bytes = (const void *)h;
	unsigned sum = 0;

	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += bytes[i];
	snprintf(h->checksum, sizeof(h->checksum), "%06o", sum);
}

/* The container's own; what it has no id for is nobody's there, too. */
static uint32_t map_id(const struct writer *w, uint32_t id)
{
	int64_t mapped = id + w->o->shift;

	if (!w->o->shift)
		return id;
	return mapped >= 0 && mapped < ID_RANGE_SIZE ? (uint32_t)mapped : NOBODY;
}

static int put_header(struct writer *w, const struct entry *e, uint64_t size, struct err *err)
{
	struct header h = { .type = e->type, .magic = "ustar", .version = { '0', '0' } };
	int64_t mtime = e->st.st_mtim.tv_sec;
	uint32_t uid = map_id(w, e->st.st_uid);
	uint32_t gid = map_id(w, e->st.st_gid);

	set_text(h.name, sizeof(h.name), e->path);
	set_text(h.link, sizeof(h.link), e->link ? e->link : "");
	set_octal(h.mode, sizeof(h.mode), e->st.st_mode & 07777);
	/* What does not fit is in the records before. */
	set_octal(h.uid, sizeof(h.uid), uid <= OCTAL_7 ? uid : 0);
	set_octal(h.gid, sizeof(h.gid), gid <= OCTAL_7 ? gid : 0);
	set_octal(h.size, sizeof(h.size), size <= (uint64_t)OCTAL_11 ? size : 0);
	set_octal(h.mtime, sizeof(h.mtime), mtime >= 0 && mtime <= OCTAL_11 ? (uint64_t)mtime : 0);
	if (e->type == '3' || e->type == '4') {
		set_octal(h.major, sizeof(h.major), major(e->st.st_rdev));
		set_octal(h.minor, sizeof(h.minor), minor(e->st.st_rdev));
	}
	set_checksum(&h);
	return put(w, &h, sizeof(h), err);
}

/* ---- records of what a header has no room for ---- */

/* "LEN key=value\n", LEN counting itself. */
static void add_record(struct strbuf *records, const char *key, const void *value, size_t len)
{
	size_t rest = strlen(key) + len + 3, total = rest + 1;
	char number[24];

	for (size_t was = 0; was != total;) {
		was = total;
		total = rest + (size_t)snprintf(number, sizeof(number), "%zu", total);
	}
	strbuf_addf(records, "%zu %s=", total, key);
	strbuf_add(records, value, len);
	strbuf_adds(records, "\n");
}

static void add_number(struct strbuf *records, const char *key, int64_t value, int64_t max)
{
	char text[24];

	if (value >= 0 && value <= max)
		return;
	add_record(records, key, text,
		   (size_t)snprintf(text, sizeof(text), "%lld", (long long)value));
}

static void add_xattr(struct strbuf *records, const char *path, const char *key)
{
	_cleanup_free_ char *value = NULL;
	ssize_t size = getxattr(path, key, NULL, 0);
	char name[XATTR_NAME_MAX + 16];

	/* Overlay's own marks mean something to it alone. */
	if (size < 0 || strncmp(key, "trusted.overlay.", 16) == 0)
		return;
	value = malloc((size_t)size + 1);
	size = value ? getxattr(path, key, value, (size_t)size + 1) : -1;
	if (size < 0)
		return;
	snprintf(name, sizeof(name), "SCHILY.xattr.%s", key);
	add_record(records, name, value, (size_t)size);
}

static void add_xattrs(struct strbuf *records, int fd)
{
	_cleanup_free_ char *keys = NULL;
	char path[PATH_FD_SIZE];
	ssize_t size;

	/* By the link of /proc, which leads to what is open. */
	path_of_fd(fd, path);
	size = listxattr(path, NULL, 0);
	keys = size > 0 ? malloc((size_t)size) : NULL;
	size = keys ? listxattr(path, keys, (size_t)size) : 0;
	for (const char *key = keys; size > 0 && key < keys + size; key += strlen(key) + 1)
		add_xattr(records, path, key);
}

static int put_records(struct writer *w, const struct entry *e, uint64_t size, struct err *err)
{
	_cleanup_strbuf_ struct strbuf records = { 0 };
	const struct entry extra = { .path = "pax", .type = 'x', .st = { .st_mode = 0644 } };

	if (strlen(e->path) > sizeof(((struct header *)0)->name))
		add_record(&records, "path", e->path, strlen(e->path));
	if (e->link && strlen(e->link) > sizeof(((struct header *)0)->link))
		add_record(&records, "linkpath", e->link, strlen(e->link));
	add_number(&records, "uid", map_id(w, e->st.st_uid), OCTAL_7);
	add_number(&records, "gid", map_id(w, e->st.st_gid), OCTAL_7);
	add_number(&records, "size", (int64_t)size, OCTAL_11);
	add_number(&records, "mtime", e->st.st_mtim.tv_sec, OCTAL_11);
	if (e->type != '1' && !S_ISLNK(e->st.st_mode))
		add_xattrs(&records, e->fd);
	if (!strbuf_ok(&records))
		return err_set(err, ENOMEM, "write the tar");
	if (!records.len)
		return 0;
	err_try(put_header(w, &extra, records.len, err));
	err_try(put(w, records.data, records.len, err));
	return pad(w, records.len, err);
}

static int put_entry(struct writer *w, const struct entry *e, uint64_t size, struct err *err)
{
	err_try(put_records(w, e, size, err));
	return put_header(w, e, size, err);
}

/* ---- kinds of entries ---- */

/* The name it was written under before, or NULL, and then it is known from here on. */
static const char *find_known(struct writer *w, const struct entry *e)
{
	struct known **bucket = &w->known[e->st.st_ino % BUCKETS], *k = *bucket;

	if (e->st.st_nlink < 2)
		return NULL;
	while (k && (k->ino != e->st.st_ino || k->dev != e->st.st_dev))
		k = k->next;
	if (k)
		return k->path;
	k = malloc(sizeof(*k) + strlen(e->path) + 1);
	/* Out of memory it is written once more. */
	if (!k)
		return NULL;
	*k = (struct known){ *bucket, e->st.st_dev, e->st.st_ino };
	memcpy(k->path, e->path, strlen(e->path) + 1);
	*bucket = k;
	return NULL;
}

/* What a file has lost meanwhile is made up by zeros, and what it has got is left out: the header
 * has told its size. */
static int put_bytes(struct writer *w, int fd, const char *path, uint64_t size, struct err *err)
{
	_cleanup_free_ char *data = malloc(BUFFER);
	uint64_t left = size;
	ssize_t n = 1;

	if (!data)
		return err_set(err, ENOMEM, "write the tar");
	while (left > 0 && n > 0) {
		do
			n = read(fd, data, left < BUFFER ? (size_t)left : BUFFER);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return err_set(err, errno, "read %s", path);
		err_try(put(w, data, (size_t)n, err));
		left -= (uint64_t)n;
	}
	err_try(put_zeros(w, left, err));
	return pad(w, size, err);
}

static int write_file(struct writer *w, struct entry *e, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	char path[PATH_FD_SIZE];

	e->link = find_known(w, e);
	e->type = e->link ? '1' : '0';
	if (e->link)
		return put_entry(w, e, 0, err);
	fd = open(path_of_fd(e->fd, path), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "open %s", e->path);
	err_try(put_entry(w, e, (uint64_t)e->st.st_size, err));
	return put_bytes(w, fd, e->path, (uint64_t)e->st.st_size, err);
}

static int write_symlink(struct writer *w, struct entry *e, struct err *err)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(e->fd, "", text, sizeof(text) - 1);

	if (n < 0)
		return err_set(err, errno, "read symlink %s", e->path);
	text[n] = '\0';
	e->link = text;
	e->type = '2';
	return put_entry(w, e, 0, err);
}

static int write_any(struct writer *w, int fd, const char *path, unsigned depth, struct err *err);

/* The next name in it; NULL at its end, and with *ret_r < 0 where that cannot be told. */
static const char *next_name(DIR *dir, const char *path, int *ret_r, struct err *err)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")));
	*ret_r = !entry && errno ? err_set(err, errno, "read folder %s", path) : 0;
	return entry ? entry->d_name : NULL;
}

static int write_content(struct writer *w, int folder_fd, const char *path, unsigned depth,
			 struct err *err)
{
	_cleanup_fd_ int fd = dir_open(folder_fd, ".", err);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const char *name;
	int r;

	if (!dir)
		return fd < 0 ? fd : err_set(err, errno, "read folder %s", path);
	take_fd(&fd);
	while ((name = next_name(dir, path, &r, err))) {
		_cleanup_fd_ int one = -1;
		_cleanup_free_ char *inside = NULL;

		one = openat(dirfd(dir), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (one < 0 && errno == ENOENT)
			continue; /* it went meanwhile */
		if (one < 0)
			return err_set(err, errno, "open %s%s", path, name);
		if (asprintf(&inside, "%s%s", path, name) < 0)
			return err_set(err, ENOMEM, "write the tar");
		err_try(write_any(w, one, inside, depth, err));
	}
	return r;
}

static uint64_t mount_of(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 && st.stx_mask & STATX_MNT_ID
		       ? st.stx_mnt_id
		       : 0;
}

static int write_folder(struct writer *w, struct entry *e, unsigned depth, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	bool is_top = !*e->path;

	if (depth == DEPTH_MAX)
		return err_say(err, ELOOP, "folders are nested too deep");
	if (asprintf(&path, "%s/", *e->path ? e->path : ".") < 0)
		return err_set(err, ENOMEM, "write the tar");
	e->path = path;
	e->type = '5';
	err_try(put_entry(w, e, 0, err));
	if (w->o->one_mount && mount_of(e->fd) != w->mount)
		return 0;
	return write_content(w, e->fd, is_top ? "" : path, depth + 1, err);
}

static int write_any(struct writer *w, int fd, const char *path, unsigned depth, struct err *err)
{
	struct entry e = { .fd = fd, .path = path };

	if (fstat(fd, &e.st) < 0)
		return err_set(err, errno, "look at %s", path);
	if (S_ISDIR(e.st.st_mode))
		return write_folder(w, &e, depth, err);
	if (w->o->one_mount && mount_of(fd) != w->mount)
		return 0;
	if (S_ISREG(e.st.st_mode))
		return write_file(w, &e, err);
	if (S_ISLNK(e.st.st_mode))
		return write_symlink(w, &e, err);
	if (S_ISSOCK(e.st.st_mode)) {
		log_debug("%s is a socket, and left out", path);
		return 0;
	}
	e.type = S_ISCHR(e.st.st_mode) ? '3' : S_ISBLK(e.st.st_mode) ? '4' : '6';
	return put_entry(w, &e, 0, err);
}

static void writer_deinit(struct writer *w)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct known *k = w->known[i], *next; k; k = next) {
			next = k->next;
			free(k);
		}
	free(w->buffer);
}

int tree_tar_write(const struct tree_tar_options *o, int source_fd, const char *name,
		   struct err *err)
{
	_cleanup_(writer_deinit) struct writer w = { .o = o, .mount = mount_of(source_fd) };

	w.buffer = malloc(BUFFER);
	if (!w.buffer)
		return err_set(err, ENOMEM, "write a tar");
	err_try(write_any(&w, source_fd, name, 0, err));
	err_try(put_zeros(&w, END_BLOCKS * BLOCK, err));
	return flush(&w, err);
}
