/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of containers started by ctr: a bridge in the current network namespace, a veth made
 * straight inside the container's, an address leased on disk, masquerade by one static rule a
 * subnet. No foreign program is run.
 *
 * On disk, below DIR = ROOT/networks:
 *	bridge.json		name of the bridge, subnet, gateway; chosen at first use
 *	lock			held while leasing
 *	leases/ADDRESS		holds the container's id; made with O_EXCL
 *
 * The container's namespace is a bind mount, RUNROOT/.engine/netns/ID. When it is unmounted the
 * kernel takes the veth along; nothing is ever deleted by RTM_DELLINK in a caller's way.
 */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct network_config {
	char bridge[IFNAMSIZ];
	struct in_addr subnet, gateway;
	unsigned prefix_len;
	unsigned mtu;
};

struct network_lease {
	struct in_addr address, gateway;
	unsigned prefix_len;
	uint8_t mac[6];
	char interface[IFNAMSIZ]; /* in the container: "eth0" */
};

/*
 * Makes a network namespace, named by a bind mount on path (an empty file it creates), with lo up.
 * On failure nothing is left.
 */
int network_namespace_create(const char *path, struct err *err);

/* Unmounts and removes the name. 0 also when it is gone. Needs no libmnl. */
int network_namespace_remove(const char *path, struct err *err);

/*
 * Attaches the named namespace to the bridge: ensures bridge, forwarding and masquerade, leases an
 * address for id, makes eth0 with it and the default route. On failure the lease is given back.
 */
int network_attach(const char *dir, const char *id, const char *netns_path,
		   struct network_lease *ret, struct err *err);

/* Gives the lease of id back. 0 also when there is none. Needs no libmnl. */
int network_lease_release(const char *dir, const char *id, struct err *err);

/* Calls fn for every lease; used to mend leases whose container is gone. */
int network_lease_each(const char *dir,
		       int (*fn)(void *data, const char *id, struct in_addr address), void *data,
		       struct err *err);

/* The configuration, chosen and saved at first use. */
int network_config_load(const char *dir, struct network_config *ret, struct err *err);
