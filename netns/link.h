/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links (interfaces) of the namespace that a netlink socket belongs to: looking one up, and the
 * requests that make a bridge or a veth pair. link_put_*() only add requests to the batch.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "netns/netlink.h"

struct link {
	unsigned index, mtu;
	bool up;
	uint8_t mac[6]; /* zero where it has none of that size */
	char kind[16];	/* "bridge", "veth", ...; "" for hardware */
	char alias[64]; /* ifalias; "" for none */
};

/* By name, or by index where name is NULL. 1: found; 0: there is none. */
int link_find(struct netlink *nl, const char *name, unsigned index, struct link *ret,
	      struct err *err);

/* A new bridge, down. A MAC of its own keeps it from taking on that of its lowest port. */
void link_put_bridge(struct netlink *nl, const char *name, const uint8_t mac[6], unsigned mtu);
/* Marks interfaces that belong together, for rules of nf_tables. */
void link_put_group(struct netlink *nl, const char *name, uint32_t group);
void link_put_alias(struct netlink *nl, const char *name, const char *alias);
void link_put_up(struct netlink *nl, const char *name);

/* No link-local address, and with it no DAD and no router solicitation. To be sent before up. */
void link_put_no_ipv6_address(struct netlink *nl, const char *name);

struct link_veth {
	const char *name; /* of our end, a port of the bridge; comes into being down */
	unsigned master;  /* index of the bridge */
	const char *master_name;
	unsigned mtu; /* of both ends */
	const char *peer_name;
	int peer_netns_fd; /* where the peer comes into being, also down */
	const uint8_t *peer_mac;
};

/*
 * A veth pair. The kernel makes the peer inside its namespace: moving it there afterwards would
 * wait for an RCU grace period, some 20 ms. -EXFULL: the bridge has all the ports it can.
 */
void link_put_veth(struct netlink *nl, const struct link_veth *veth);
