/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a name to containers: the name of one, its id or the beginning of that (12 digits at least),
 * or what several may share: --network-alias and --hostname. Those are entries of an index,
 * ROOT/networks/names/NAME/ID, made before the container and removed at its end; the index only
 * tells where to look. Whether a container lives, and where, is asked anew each time.
 */
#pragma once

#include "base/err.h"
#include "runtime/engine/meta.h"
#include "runtime/shim/dns_message.h"

/* Fills in the addresses of living containers; how many. Needs no libmnl. */
size_t engine_resolve(const char *root, const char *runroot, const char *name,
		      struct dns_address *ret, size_t max);

/* The entries of meta->net.aliases. */
int resolve_index_add(const char *root, const struct meta *meta, struct err *err);

/* From wherever the index names it; what cannot be removed does no harm. */
void resolve_index_remove(const char *root, const struct meta *meta);
