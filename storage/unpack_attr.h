/* SPDX-License-Identifier: Apache-2.0 */
/* Owner, mode, extended attributes and time of an unpacked entry, in the order that keeps them. */
#pragma once

#include <stdbool.h>

#include "storage/unpack_entry.h"

/* Of a file or folder. A folder's time is overwritten by what comes into it later. */
int unpack_attr_set(const struct unpack_tree *tree, const struct unpack_entry *e, int fd,
		    struct err *err);

/* Of dir/name, a symlink (no mode), device or fifo. */
int unpack_attr_set_at(const struct unpack_tree *tree, const struct unpack_entry *e, int dir,
		       bool has_mode, struct err *err);
