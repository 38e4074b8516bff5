/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge and all that makes it a way out: address, forwarding, masquerade. Made together at
 * first use; later attaches only look whether it is still whole, because a reboot, an admin's
 * `nft flush ruleset` or another namespace takes it away without telling us.
 */
#pragma once

#include "base/err.h"
#include "netns/netlink.h"
#include "netns/network.h"

/* 1: whole, index written; 0: something is missing; <0: it cannot be ours. */
int bridge_check(struct netlink *nl, const struct network_config *config, unsigned *ret_index,
		 struct err *err);

/* Makes what is missing. The caller holds the namespace's lock. */
int bridge_mend(struct netlink *nl, const struct network_config *config, unsigned *ret_index,
		struct err *err);
