/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of containers started by ctr: a bridge in the current network namespace, a veth made
 * straight inside the container's, an address leased on disk, masquerade by one static rule a
 * subnet. No foreign program is run.
 *
 * On disk, below DIR = ROOT/networks:
 *	bridge.json		name of the bridge, subnets, gateway, MTU; chosen at first use
 *	lock			held while leasing; holds the address leased last
 *	leases/ADDRESS -> ID	a lease: a symlink, made whole at once
 *	leases/by-id/ID -> ADDRESS
 *	leases6/ADDRESS -> ID	an IPv6 address that was asked for
 *
 * IPv6: the bridge has a unique local /64 (RFC 4193) that follows from the folder and the machine,
 * and a container the address in it whose last 32 bits are its IPv4 address: one lease for both.
 * Where the kernel has no IPv6, or has it turned off, all goes without.
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
	struct in6_addr subnet6, gateway6; /* a /64 */
	bool ipv6;
	unsigned mtu;
};

/* What is to be as somebody wants it; NULL or zero: as it comes. */
struct network_request {
	struct in_addr address;	  /* INADDR_ANY: any */
	struct in6_addr address6; /* all zero: the one that follows from the IPv4 address */
	bool has_mac;
	uint8_t mac[6];
};

struct network_lease {
	struct in_addr address, gateway;
	unsigned prefix_len;
	bool ipv6;			    /* whether it has the next two */
	struct in6_addr address6, gateway6; /* of a /64 */
	uint8_t mac[6];
	char interface[IFNAMSIZ]; /* in the container: "eth0" */
};

/*
 * Makes a network namespace, named by a bind mount on path (an empty file it creates in a folder
 * that exists; -EEXIST where there is one), with lo up. On failure nothing is left. The caller's
 * own namespace is never changed, here and in network_attach(). One thread only.
 */
int network_namespace_create(const char *path, struct err *err);

/*
 * Unmounts and removes the name, from other mount namespaces also. 0 also when it is gone or was
 * never mounted. Its veth goes when the last process in it has ended, some 20 ms later. Needs no
 * libmnl.
 */
int network_namespace_remove(const char *path, struct err *err);

/*
 * Attaches the named namespace to the bridge: ensures bridge, forwarding and masquerade, leases an
 * address for id (the one it holds already, if any), makes eth0 with it and the default route. dir
 * is made when missing. id is the name of a file. -EADDRINUSE, -EINVAL: not the wanted address.
 * On failure the lease is given back, and the
 * namespace may have an eth0 already: remove it.
 */
int network_attach(const char *dir, const char *id, const char *netns_path,
		   const struct network_request *request, struct network_lease *ret,
		   struct err *err);

/* Gives the lease of id back. 0 also when there is none. Needs no libmnl. */
int network_lease_release(const char *dir, const char *id, struct err *err);

/*
 * Calls fn for every lease, also for one that a kill left half made; used to mend leases whose
 * container is gone. fn may release; its <0 ends the walk and is returned. Needs no libmnl.
 */
int network_lease_each(const char *dir,
		       int (*fn)(void *data, const char *id, struct in_addr address), void *data,
		       struct err *err);

/* A packet filter of somebody else that keeps containers from the outside. */
struct network_obstacle {
	char chain[160];  /* "table ip filter, chain FORWARD" */
	char advice[512]; /* a command that lets them through */
};

/*
 * Looks for one, in the current namespace. Where the other has a place for rules of strangers
 * (DOCKER-USER), ours are put there, and it is none. 1: found; 0: none, or no network made yet.
 */
int network_find_obstacle(const char *dir, struct network_obstacle *ret, struct err *err);

/* The configuration of DIR, chosen and saved at first use. */
int network_config_load(const char *dir, struct network_config *ret, struct err *err);
