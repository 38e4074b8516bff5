/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of a layer's tar into the tree. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "storage/unpack_tree.h"

struct archive;
struct archive_entry;

/* What holds for every kind of entry. Names are clean: no "..", no "//", no leading '/'. */
struct unpack_entry {
	struct archive *tar; /* its data */
	struct archive_entry *entry;
	char folder[PATH_MAX];	 /* "" is the root */
	char name[NAME_MAX + 1]; /* "" is the root itself */
	uint32_t uid, gid;
	struct timespec mtime;
	uint64_t size_max;
};

/* Reads and checks name, owner and time. */
int unpack_entry_read(struct archive *tar, struct archive_entry *entry, uint64_t size_max,
		      struct unpack_entry *ret, struct err *err);

/* Puts it into the tree. err is not NULL, and unset: a read error of the stream comes through it.
 */
int unpack_entry_apply(struct unpack_tree *tree, const struct unpack_entry *e, struct err *err);

/* Splits "a//./b/c" into "a/b" and "c". Refuses "..". */
int unpack_entry_split(const char *path, char folder[static PATH_MAX],
		       char name[static NAME_MAX + 1], struct err *err);
