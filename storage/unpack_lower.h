/* SPDX-License-Identifier: Apache-2.0 */
/* One path in a stack of layers, seen as overlay shows them: whiteouts and opaque marks hide. */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

struct unpack_lower {
	struct stat st;
	char target[PATH_MAX]; /* of a symlink */
};

/*
 * path: real, no symlink in its folders. fds: of the layers, topmost first. 1 found, 0 not there,
 * -errno.
 */
int unpack_lower_find(const int *fds, size_t count, const char *path, struct unpack_lower *ret);
