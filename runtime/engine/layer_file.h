/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file as a container of these layers would see it, before any overlay is mounted: for names of
 * users, which are needed in config.json. Follows overlayfs: the topmost layer wins, folders are
 * merged down to one that is opaque, a character device 0:0 hides, symlinks are resolved inside.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

/*
 * folders: the layers' trees on the host, the lowest first. Reads at most limit bytes of a regular
 * file into a text owned by the caller. -ENOENT where there is none (also a folder or device).
 */
int layer_file_read(const char *const *folders, size_t count, const char *path, size_t limit,
		    char **ret, struct err *err);
