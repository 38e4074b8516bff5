/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file or folder in the making, below a tmp folder of the store. Its maker holds a lock (flock)
 * on it, which the kernel drops with the process: what is unlocked has lost its maker and may be
 * swept. The tmp folder itself is locked for the moment between an entry's birth and its lock.
 */
#pragma once

#include "base/err.h"

#define TMP_NAME_SIZE 20

struct tmp {
	int folder_fd; /* the tmp folder; not owned */
	int fd; /* of the entry: a file for writing, or a folder; owned, -1 when there is none */
	char name[TMP_NAME_SIZE]; /* "" once it was moved away */
};

#define TMP_NONE                          \
	{                                 \
		.folder_fd = -1, .fd = -1 \
	}

/* 0 or -errno: the caller knows how to say what a full disk means to it. */
int tmp_create_file(int folder_fd, struct tmp *ret);
int tmp_create_folder(int folder_fd, struct tmp *ret);

/* Renames it to its place. A folder already there gives -EEXIST, a file is replaced. */
int tmp_publish(struct tmp *tmp, int dirfd, const char *name);

/* Removes what was not published. Leaves TMP_NONE. */
void tmp_drop(struct tmp *tmp);

/* Removes what dead processes left. */
int tmp_sweep(int folder_fd, struct err *err);

/* Moves the folder dirfd/name here and removes it: no kill leaves half of it under its name. */
int tmp_bury(int folder_fd, int dirfd, const char *name, struct err *err);

#define _cleanup_tmp_ __attribute__((cleanup(tmp_drop)))
