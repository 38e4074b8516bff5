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
 * What id holds already it gets again, unless another is wanted (INADDR_ANY: any). -EADDRNOTAVAIL
 * when all are taken, -EADDRINUSE when the wanted one is, -EINVAL when it is not of the subnet.
 */
int lease_take(const char *dir, const char *id, const struct network_config *config,
	       struct in_addr wanted, struct in_addr *ret, struct err *err);

/* The IPv6 address that goes with an IPv4 address, without a lease of its own. */
struct in6_addr lease_derive6(const struct network_config *config, struct in_addr address);

/*
 * Takes a wanted IPv6 address for id, which has a lease: DIR/leases6/ADDRESS -> ID. It is worth as
 * much as that lease, and whoever wants it next replaces it when the lease has gone. -EADDRINUSE;
 * -EINVAL for one that is not of the subnet, or that goes with another's IPv4 address.
 */
int lease_take6(const char *dir, const char *id, const struct network_config *config,
		struct in_addr address, const struct in6_addr *wanted, struct err *err);

/* Of who has lost its lease; used by network_lease_release(). */
void lease_forget6(const char *dir, const char *id);
