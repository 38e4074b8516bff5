/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files and folders by descriptor. dirfd is AT_FDCWD or an open folder, as in openat(2). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * For main(): where 0, 1 or 2 was closed by the caller, puts something there that fails to be read
 * or written, so that no file opened later is taken for it.
 */
void fd_reserve_standard(void);

/* Writes all of it, over short writes and EINTR. 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t len);

/* Reads exactly len bytes. 0, -errno, or -ENODATA where the end comes first. */
int fd_read_exact(int fd, void *data, size_t len);

/*
 * Reads to the end into a NUL-terminated buffer owned by the caller. More than limit bytes is
 * -EFBIG. ret_len may be NULL.
 */
int fd_read_all(int fd, size_t limit, char **ret, size_t *ret_len, struct err *err);
int file_read(int dirfd, const char *path, size_t limit, char **ret, size_t *ret_len,
	      struct err *err);

/* Opens for writing, writes once, closes: for files of proc, sys and cgroup. */
int file_write(int dirfd, const char *path, const char *text, struct err *err);

/*
 * Replaces a file whole: a temporary file beside it, renamed over it. With sync it also survives a
 * power cut; without it only a crash of ours (enough on tmpfs).
 */
int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode, bool sync,
		 struct err *err);

/* Opens a folder for reading, O_CLOEXEC. Returns the fd or -errno. */
int dir_open(int dirfd, const char *path, struct err *err);

/* mkdir -p; folders made get the mode. 0 also where it exists. */
int dir_create(int dirfd, const char *path, mode_t mode, struct err *err);

/*
 * Removes a file or a folder with all in it, following no symlink and crossing no mount point (a
 * mount inside gives -EBUSY). 0 also where it is gone already.
 */
int tree_remove(int dirfd, const char *name, struct err *err);
