/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses on loan, as two symlinks each below DIR, neither ever followed:
 *
 *	leases/by-id/ID -> ADDRESS	made first, removed last
 *	leases/ADDRESS -> ID		the lease itself
 *
 * symlink(2) is exclusive and whole at once: a lease is never half written or empty.
 *
 * Invariants
 *	1. An ADDRESS entry has a by-id entry pointing back to it, so releasing by id needs no
 *	   search. A by-id entry that nothing points back to is an unfinished lease or release.
 *	2. Entries change only under DIR/lock. The lock file holds the address leased last, where
 *	   the search for the next begins: an address rests as long as possible before it is used
 *	   anew.
 */
#pragma once

#include <netinet/in.h>

#include "base/err.h"
#include "netns/network.h"

/*
 * Leases a free address of the subnet: not the network's, the gateway's or the broadcast address.
 * What id holds already it gets again. -EADDRNOTAVAIL when all are taken.
 */
int lease_take(const char *dir, const char *id, const struct network_config *config,
	       struct in_addr *ret, struct err *err);
