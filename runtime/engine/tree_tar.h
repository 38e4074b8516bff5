/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files as a tar, from a place that somebody else may change meanwhile: everything goes by
 * descriptors, as in tree_move.h, and a file that shrinks while it is read is filled up with zeros.
 * POSIX' format (pax), with extended attributes, hard links, devices and FIFOs; sockets are left
 * out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct tree_tar_options {
	int out_fd;
	int64_t shift;	/* added to ids: of a user namespace */
	bool one_mount; /* what is mounted in it is an empty folder, or is left out */
};

/* source_fd and all in it, as name; name "": the content of a folder, "./" being the folder itself.
 */
int tree_tar_write(const struct tree_tar_options *options, int source_fd, const char *name,
		   struct err *err);
