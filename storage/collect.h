/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collection: what no name needs goes. Marking reads every image, so what can't be read stops a
 * collection before anything is removed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"
#include "storage/store.h"

/* Hex digits of digests or chain ids; zeroed is empty. */
struct collect_set {
	char (*items)[DIGEST_HEX_SIZE];
	size_t count, size;
	bool sorted;
};

int collect_add(struct collect_set *set, const char *hex); /* 0 or -ENOMEM */
bool collect_has(struct collect_set *set, const char *hex);
void collect_deinit(struct collect_set *set);

#define _cleanup_collect_set_ __attribute__((cleanup(collect_deinit)))

/*
 * Takes back what a failed import brought: of these blobs and layers, those that no name needs.
 * The caller has given up store_hold(). Does nothing where others hold the store.
 */
int collect_undo(struct store *store, struct collect_set *blobs, struct collect_set *layers,
		 struct err *err);
