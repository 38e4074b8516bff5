/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cell must not forget: a map from keys to bytes that changes by batches, each of them whole
 * or not at all, and on the disk when cell_store_commit() returns. Heartbeats and usage never come
 * here.
 *
 * Several masters may have it open; one of them is elected. An election raises the epoch, and a
 * batch of an earlier epoch is refused (-ESTALE): who has lost the cell without knowing it can do
 * no harm. Each batch has a revision, one more than the one before it.
 *
 * The store of one machine is a SQLite database (WAL, synchronous=FULL); the interface is as narrow
 * as it is so that a replicated one fits behind it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct cell_store;

struct store_change {
	const char *key;
	const void *value; /* NULL: the key is removed */
	size_t len;
};

/* Made when it is missing, in a folder that is there. -EPROTO: a newer Cellar wrote it. */
int cell_store_open(const char *path, struct cell_store **ret, struct err *err);
struct cell_store *cell_store_close(struct cell_store *store);

/* who: for people ("host:pid"). From now on batches of earlier epochs are refused. */
int cell_store_elect(struct cell_store *store, const char *who, uint64_t *ret_epoch,
		     struct err *err);

/* On the disk when it returns 0; nothing changed when it fails. -ESTALE: another one is elected. */
int cell_store_commit(struct cell_store *store, uint64_t epoch, const struct store_change *changes,
		      size_t count, uint64_t *ret_revision, struct err *err);

/* value and key are valid during the call. A return value <0 ends the walk and is passed on. */
typedef int (*store_fn)(void *data, const struct store_change *change, struct err *err);

/* Everything there is, by rising key, as of one revision. */
int cell_store_load(struct cell_store *store, store_fn fn, void *data, uint64_t *ret_revision,
		    struct err *err);

/* What has changed after revision `since`, by rising revision, removals too; ret_revision: to go on
 * from. It does not wait. -ESTALE: it is too long ago, load anew. */
int cell_store_watch(struct cell_store *store, uint64_t since, store_fn fn, void *data,
		     uint64_t *ret_revision, struct err *err);

/* Writes a copy, consistent while others commit, to a new file. */
int cell_store_backup(struct cell_store *store, const char *path, struct err *err);

/* Every page of it as it should be? -EUCLEAN with the first fault; it reads the whole file. */
int cell_store_check(struct cell_store *store, struct err *err);
/* Its epoch is that one from now on, unless it is higher already: for a store that takes the place
 * of one whose epochs were seen. */
int cell_store_raise(struct cell_store *store, uint64_t epoch, struct err *err);

CLEANUP_DEFINE(struct cell_store, cell_store, cell_store_close);
#define _cleanup_cell_store_ _cleanup_(cleanup_cell_store)
