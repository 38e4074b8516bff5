/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours (ARP entries) of the namespace that a netlink socket belongs to. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "netns/netlink.h"

/*
 * Adds to the batch that address is at mac. It is a hint: it ages, is asked after and corrected as
 * any other. But as one that was learned from outside it does not count towards the host's limit of
 * neighbours (net.ipv4.neigh.default.gc_thresh3, 1024 for all network namespaces together), nor is
 * it ever thrown out to make room.
 */
void neighbour_put(struct netlink *nl, unsigned index, struct in_addr address,
		   const uint8_t mac[static 6]);
