/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of interfaces, in the namespace that a netlink socket belongs to. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "base/err.h"
#include "netns/netlink.h"
#include "netns/subnet.h"

/* Adds the request to the batch. That the address is there already is no failure. */
void address_put(struct netlink *nl, unsigned index, struct in_addr address, unsigned prefix_len);

/*
 * The same of IPv6; good at once, without duplicate address detection. A second choice is
 * deprecated in the words of RFC 4862: it works, but where a name has addresses of both families,
 * programs take IPv4 first (RFC 6724, rule 3).
 */
void address_put6(struct netlink *nl, unsigned index, const struct in6_addr *address,
		  unsigned prefix_len, bool is_second_choice);

/* Adds the prefixes of all IPv4 addresses, but for those of interface except_index. */
int address_list(struct netlink *nl, unsigned except_index, struct subnet_list *list,
		 struct err *err);

/*
 * The first IPv4 address of an interface of the current namespace, INADDR_ANY when it has none. By
 * ioctl, because rtnetlink can only list the addresses of all interfaces.
 */
struct in_addr address_first(const char *interface);
