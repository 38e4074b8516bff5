/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacked layers by chain id (64 hex digits, image-spec's ChainID without "sha256:"). One that is
 * in place is whole and synced, and never written again.
 */
#pragma once

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "storage/store.h"
#include "storage/tmp.h"

/* parent: chain id of the layers below, NULL for the lowest. diff_id: "sha256:...". */
void layer_chain_id(const char *parent, const char *diff_id, char ret[static DIGEST_HEX_SIZE]);

int layer_find(struct store *store, const char *chain_id, struct err *err); /* 1, 0 or <0 */
int layer_open(struct store *store, const char *chain_id, struct err *err); /* fd of its fs/ */

/* A layer in the making: tmp->fd/fs is to be filled. */
int layer_begin(struct store *store, struct tmp *tmp, int *ret_fs_fd, struct err *err);

/* Syncs it to the disk and puts it in place, or drops it where another was quicker. */
int layer_commit(struct store *store, struct tmp *tmp, const char *chain_id, const char *diff_id,
		 struct err *err);

int layer_remove(struct store *store, const char *chain_id, struct err *err);

/*
 * The layer's short path below ROOT, "l/0123abcd", made where it is missing: overlay takes all
 * its lower folders in one page of text.
 */
#define LAYER_LINK_SIZE 72
int layer_link(struct store *store, const char *chain_id, char ret[static LAYER_LINK_SIZE],
	       struct err *err);
int layer_sweep_links(struct store *store, struct err *err); /* those of removed layers */
