/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masquerading by nf_tables: for each bridge a table of its own with one rule for its whole subnet.
 * Containers come and go without a change of rules.
 *
 *	table ip cellar-BRIDGE {
 *		chain postrouting {
 *			type nat hook postrouting priority srcnat
 *			ip saddr SUBNET oifname != BRIDGE masquerade comment "cellar SUBNET"
 *		}
 *	}
 *
 * The comment is how the rule is known again.
 */
#pragma once

#include "base/err.h"
#include "netns/netlink.h"
#include "netns/network.h"

/* On a NETLINK_NETFILTER socket. 1: the rule is there; 0: it is not. */
int nft_find_masquerade(struct netlink *nl, const struct network_config *config, struct err *err);

/*
 * Makes table, chain and rule, or what of them is missing; the rule itself is added always, so find
 * first, with the namespace's lock held. All in one transaction of the kernel's.
 */
int nft_add_masquerade(struct netlink *nl, const struct network_config *config, struct err *err);
