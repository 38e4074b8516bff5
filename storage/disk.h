/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are in an open store, for the files of this folder (storage/store.h draws the
 * tree). Folders are opened when they are first needed: a start of a container touches few.
 */
#pragma once

#include <stdbool.h>

#include "storage/store.h"

enum store_folder {
	STORE_CONTENT,	   /* content/sha256 */
	STORE_CONTENT_TMP, /* content/tmp */
	STORE_LAYERS,	   /* layers */
	STORE_LAYERS_TMP,  /* layers/tmp */
	STORE_LINKS,	   /* l */
	STORE_IMAGES,	   /* images */
	STORE_FOLDERS
};

struct store {
	char *root;
	int root_fd;
	int folder_fds[STORE_FOLDERS]; /* -1 until used; not for others to close */
	bool swept;		       /* what dead writers left is gone */
};

/* The folder's descriptor, which stays the store's, or -errno. */
int store_folder(struct store *store, enum store_folder folder, struct err *err);

/* Collection's lock: exclusive, after all holders of store_hold(). nowait: -EWOULDBLOCK. */
int store_lock_all(struct store *store, bool nowait, struct err *err);

/*
 * Sets the error of a failed write below root: what was attempted, except that a full disk is one
 * sentence which says what to do. Returns -code.
 */
int store_set_error(struct err *err, const char *root, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
