/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar as a list of its files, made by one pass through it. Of two entries with one name the last
 * one counts, as it would when unpacked. Small files that begin like JSON are kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct import_tar;

struct import_tar_file {
	char *name; /* clean: no "./", no "//", no leading or trailing '/' */
	char *link; /* NULL, or the clean name that a symlink or hard link leads to */
	int64_t size_bytes;
	size_t head_len;
	unsigned char head[6]; /* the first bytes of its content */
	char *text;	       /* NULL, or the whole of it, NUL-terminated */
};

/* fd stays the caller's and is read from its start. */
int import_tar_list(int fd, struct import_tar **ret, struct err *err);
struct import_tar *import_tar_free(struct import_tar *tar);

/* Follows links. NULL: there is none. */
const struct import_tar_file *import_tar_find(const struct import_tar *tar, const char *name);

/*
 * One pass: write(data, file, bytes, len) with what each wanted file holds and done(data, file)
 * after it. wants() tells what is wanted, by identity of import_tar_find's result.
 */
struct import_tar_reader {
	bool (*wants)(void *data, const struct import_tar_file *file);
	int (*write)(void *data, const struct import_tar_file *file, const void *bytes, size_t len,
		     struct err *err);
	int (*done)(void *data, const struct import_tar_file *file, struct err *err);
	void *data;
};

int import_tar_read(int fd, const struct import_tar *tar, const struct import_tar_reader *reader,
		    struct err *err);

/* The content of one file, at most limit bytes, NUL-terminated, owned by the caller. */
int import_tar_text(int fd, const struct import_tar *tar, const struct import_tar_file *file,
		    size_t limit, char **ret, size_t *ret_len, struct err *err);
