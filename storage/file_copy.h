/* SPDX-License-Identifier: Apache-2.0 */
/* One file of any kind but a folder copied, and attributes of any; by name below open folders. */
#pragma once

#include <sys/stat.h>

/*
 * Makes target_fd/name, which must not exist, of the kind that st says, with the bytes, target or
 * device number of source_fd/name; holes stay holes. 0 or -errno.
 */
int file_copy(int source_fd, int target_fd, const char *name, const struct stat *st);

/*
 * Owner, extended attributes, mode, times; name may be "." for the folders themselves. Attributes
 * that the target's file system or a security module does not take, and overlay's, are left out.
 */
int file_copy_attributes(int source_fd, int target_fd, const char *name, const struct stat *st);
