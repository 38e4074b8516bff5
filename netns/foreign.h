/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet filters of others. Each table of nf_tables has its own say: what one drops, ours cannot
 * let through. Docker, ufw and firewalld drop or reject what is forwarded and not theirs, and so
 * our containers' way out. Where the other has a place that is meant for rules of strangers
 * (Docker's chain DOCKER-USER, by iptables-nft), ours are put there; else it is named, with what to
 * do about it.
 */
#pragma once

#include "base/err.h"
#include "netns/netlink.h"
#include "netns/network.h"

/*
 * On a NETLINK_NETFILTER socket. 1: something drops what our bridge forwards, and is described; 0:
 * nothing does, perhaps because our rules stand in DOCKER-USER now.
 */
int foreign_look(struct netlink *nl, const char *bridge, struct network_obstacle *ret,
		 struct err *err);
