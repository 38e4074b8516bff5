/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files copied from or to a place that somebody else may change meanwhile. Everything goes by
 * descriptors: what is read is what was looked at, what is set is set on what was made, no symlink
 * is followed, and no device or FIFO is opened. So the other can spoil the copy, and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct tree_move {
	bool keep_owner; /* and setuid bits; else all is owner's */
	uint32_t owner_uid, owner_gid;
	/* Added to ids that are kept: of a user namespace. */
	int64_t shift;
};

/*
 * Copies source, of any kind but a folder, or a folder with all in it, to target_fd/name: a file
 * replaces what is no folder, a folder goes into a folder that is there. source_fd: O_PATH, too.
 * What is no file, folder or symlink is left out with a warning.
 */
int tree_move_entry(const struct tree_move *move, int source_fd, int target_fd, const char *name,
		    struct err *err);

/* The content of a folder into another. */
int tree_move_content(const struct tree_move *move, int source_fd, int target_fd, struct err *err);
