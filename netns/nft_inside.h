/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table inside of a container's namespace, so that its name server can be asked at port 53 of
 * RESOLVER_ADDRESS and yet leaves that port to the container's own programs:
 *
 *	table ip cellar {
 *		chain output {
 *			type filter hook output priority -175
 *			ip daddr 127.0.0.11 udp dport 53 udp dport set 20053
 *			ip saddr 127.0.0.11 udp sport 20053 udp sport set 53
 *		}
 *	}
 *
 * and the same for TCP. Question and answer both leave by the loopback of this one namespace. It
 * keeps no state, which NAT would: a container that does not use it has no connection tracking.
 */
#pragma once

#include "base/err.h"
#include "netns/netlink.h"

/* On a NETLINK_NETFILTER socket of a new namespace. */
int nft_make_inside(struct netlink *nl, struct err *err);
