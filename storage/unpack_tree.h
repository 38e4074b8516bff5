/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that a layer is unpacked into, and the way to a folder in it. No path leads out of it.
 * The layers below are asked too, as the running container would see them.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"

struct unpack_mtime {
	char *path; /* real one below the tree; owned */
	struct timespec mtime;
};

struct unpack_tree {
	int root_fd;	/* not owned */
	int *stack_fds; /* the tree itself, then the layers below, topmost first */
	size_t stack_count;
	const char *store_root; /* named when the disk is full */
	/* The folder of the last look-up: entries come folder by folder. */
	int folder_fd;
	char folder_asked[PATH_MAX], folder_path[PATH_MAX];
	struct unpack_mtime *mtimes;
	size_t mtimes_count, mtimes_size;
	/* Entries, and folders made for want of an entry: one name of 500 bytes makes 250 of those.
	 */
	uint64_t made, made_max;
	bool plain; /* names of whiteouts are names */
};

int unpack_tree_init(struct unpack_tree *tree, int root_fd, const int *lower_fds,
		     size_t lower_count, const char *store_root, struct err *err);
void unpack_tree_deinit(struct unpack_tree *tree);

/*
 * The folder at path ("" is the root; no "..", no leading '/'). make: what is missing is made.
 * Without it -ENOENT or -ENOTDIR, err untouched. The descriptor stays the tree's and is good until
 * the next call; tree->folder_path is where it really is.
 */
int unpack_tree_folder(struct unpack_tree *tree, const char *path, bool make, struct err *err);

/* Counts one more file or folder; -EFBIG beyond the limit. */
int unpack_tree_count(struct unpack_tree *tree, struct err *err);

/* Notes the time of the folder at folder/name (real), which later entries in it would change. */
int unpack_tree_note_mtime(struct unpack_tree *tree, const char *folder, const char *name,
			   struct timespec mtime, struct err *err);
int unpack_tree_set_mtimes(struct unpack_tree *tree, struct err *err);

/* opaque_mark(): the folder hides what the layers below have at its place. */
int unpack_set_opaque(int dir_fd);

#define _cleanup_unpack_tree_ _cleanup_(unpack_tree_deinit)
