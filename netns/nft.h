/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our tables of nf_tables: for each bridge one for IPv4 and, with IPv6, one for that, which are
 * alike. Containers come and go without a change of rules.
 *
 *	table ip cellar-BRIDGE {
 *		chain postrouting {
 *			type nat hook postrouting priority srcnat
 *			ip saddr SUBNET oifname != BRIDGE masquerade comment "cellar SUBNET v2"
 *		}
 *		chain forward {
 *			type filter hook forward priority filter
 *			iifname != BRIDGE oifname BRIDGE ct state ! established,related drop
 *		}
 *	}
 *	table ip6 cellar-BRIDGE {
 *		the same, and perhaps in the chain forward:
 *			iifgroup != GROUP oifgroup != GROUP drop
 *	}
 *
 * The comment is how a table is known to be whole, and its version. What comes from elsewhere gets
 * to a container by a published port only, although this machine forwards. The last rule is there
 * if IPv6 forwarding was off before Cellar turned it on: this machine shall not become a router for
 * others. GROUP is the link group of all our bridges.
 */
#pragma once

#include "base/err.h"
#include "netns/netlink.h"
#include "netns/network.h"

#define NFT_LINK_GROUP 0xce11a

/* On a NETLINK_NETFILTER socket; family: NFPROTO_IPV4 or NFPROTO_IPV6. 1: it is whole; 0: not. */
int nft_find_table(struct netlink *nl, const struct network_config *config, uint8_t family,
		   struct err *err);

/*
 * Makes the table, anew where it is there and not whole, in one transaction of the kernel's.
 * Whoever makes one looks first, with the namespace's lock held. guard: with the last rule.
 */
int nft_make_table(struct netlink *nl, const struct network_config *config, uint8_t family,
		   bool guard, struct err *err);
