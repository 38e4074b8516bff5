/* SPDX-License-Identifier: Apache-2.0 */
/* Routes of the namespace that a netlink socket belongs to. */
#pragma once

#include <netinet/in.h>

#include "base/err.h"
#include "netns/netlink.h"
#include "netns/subnet.h"

/* Adds the request for a default route to the batch. */
void route_put_default(struct netlink *nl, unsigned index, struct in_addr gateway);

void route_put_default6(struct netlink *nl, unsigned index, const struct in6_addr *gateway);

/*
 * Adds the destinations of all IPv4 routes of all tables, but for those out of interface
 * except_index. ret_default_index: the interface of the best default route, 0 without one.
 */
int route_list(struct netlink *nl, unsigned except_index, struct subnet_list *list,
	       unsigned *ret_default_index, struct err *err);
