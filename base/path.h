/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text, and the one way to resolve a path inside a root that we do not trust. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* One component: not empty, not "." or "..", no '/', at most 255 bytes. */
bool path_is_name(const char *name);

/*
 * openat2(2) with RESOLVE_IN_ROOT: path, absolute or not, is resolved as if rootfd were "/", with
 * symlinks that cannot leave it. flags as open(2), O_CLOEXEC added. Returns an fd or -errno.
 */
int path_open_in_root(int rootfd, const char *path, uint64_t flags, uint32_t mode);

/*
 * The same for reading a regular file. What is none is never opened, as opening alone may do harm
 * (a device, a FIFO): -ENOENT is of the path, -EINVAL of such a thing.
 */
int path_open_file_in_root(int rootfd, const char *path);

/* "/proc/self/fd/N", for calls that take no descriptor. */
#define PATH_FD_SIZE 32
char *path_of_fd(int fd, char buf[static PATH_FD_SIZE]);

/*
 * Writes a/b without doubled slashes. -ENAMETOOLONG when it does not fit size.
 */
int path_join(char *buf, size_t size, const char *a, const char *b, struct err *err);

/* Lexical clean-up as Go's filepath.Clean: no ".", "..", "//" left. In place. */
void path_clean(char *path);
