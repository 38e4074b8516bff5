/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation
 *
 * An attach reads bridge.json, looks whether the bridge is whole, leases an address, makes the veth
 * pair by one request, and configures its inner end through a socket that was made inside. Nothing
 * of this waits: no link is moved or deleted, no rule is added.
 *
 * Only what is missing at first use (or was taken away) is made under the lock of the network
 * namespace, by one process; the others find it there. Order of locks: namespace, then DIR/lock.
 * DIR/lock alone is held while leasing, and never while the kernel makes a link.
 */
#include "netns/network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/log.h"
#include "netns/address.h"
#include "netns/bridge.h"
#include "netns/config.h"
#include "netns/foreign.h"
#include "netns/ipv6.h"
#include "netns/lease.h"
#include "netns/link.h"
#include "netns/namespace.h"
#include "netns/nft_inside.h"
#include "netns/neighbour.h"
#include "netns/route.h"

#define INTERFACE "eth0"
#define VETH_NAME_TRIES 4

struct attach {
	const char *dir, *id, *netns_path;
	const struct network_request *request; /* never NULL */
	struct netlink *nl;		       /* of the current namespace */
	struct network_config config;
	unsigned bridge_index;
	char veth[IFNAMSIZ]; /* our end */
	int netns_fd;
	struct network_lease lease;
};

static void attach_deinit(struct attach *a)
{
	netlink_close(a->nl);
	cleanup_fd(&a->netns_fd);
}

int network_config_load(const char *dir, struct network_config *ret, struct err *err)
{
	_cleanup_netlink_ struct netlink *nl = NULL;
	_cleanup_fd_ int lock_fd = -1;
	int r = config_read(dir, ret, err);

	if (r != 0)
		return r < 0 ? r : 0;
	lock_fd = namespace_lock(err);
	if (lock_fd < 0)
		return lock_fd;
	r = netlink_open(NETLINK_ROUTE, &nl, err);
	return r < 0 ? r : config_read_or_choose(dir, nl, ret, err);
}

/* What the kernel does not do is not asked of it. */
static void consider_ipv6(struct network_config *config)
{
	if (!config->ipv6 || ipv6_is_on(config->bridge))
		return;
	config->ipv6 = false;
	log_debug("IPv6 is off here: containers do without");
}

static int set_up_bridge(struct attach *a, struct err *err)
{
	_cleanup_fd_ int lock_fd = namespace_lock(err);
	int r;

	if (lock_fd < 0)
		return lock_fd;
	r = config_read_or_choose(a->dir, a->nl, &a->config, err);
	if (r == 0)
		consider_ipv6(&a->config);
	return r < 0 ? r : bridge_mend(a->nl, &a->config, &a->bridge_index, err);
}

static int ensure_bridge(struct attach *a, struct err *err)
{
	int r = config_read(a->dir, &a->config, err);

	if (r > 0)
		consider_ipv6(&a->config);
	if (r > 0)
		r = bridge_check(a->nl, &a->config, &a->bridge_index, err);
	if (r == 0)
		r = set_up_bridge(a, err);
	return r < 0 ? r : 0;
}

/* ---- the veth ---- */

/*
 * Folder and id together, since two installations may share a host. The salt gets out of the way of
 * a namesake: a veth whose namespace is still being taken down.
 */
static void name_veth(struct attach *a, int salt)
{
	char text[4096 + 512], hex[DIGEST_HEX_SIZE];

	snprintf(text, sizeof(text), "%d/%s/%s", salt, a->id, a->dir);
	digest_of(text, strlen(text), hex);
	snprintf(a->veth, sizeof(a->veth), "veth%.11s", hex);
}

static int explain_veth(const struct attach *a, int code, struct err *err)
{
	if (code == EXFULL)
		return err_say(err, code,
			       "bridge %s is full: it takes 1023 ports, and each container has one",
			       a->config.bridge);
	/* The kernel does not tell which of the two names it means, but ours were several. */
	if (code == EEXIST)
		return err_say(err, EBUSY, "network namespace %s has an interface %s already",
			       a->netns_path, a->lease.interface);
	return -code;
}

static int make_veth(struct attach *a, struct err *err)
{
	int r = -EEXIST;

	for (int salt = 0; salt < VETH_NAME_TRIES && r == -EEXIST; salt++) {
		struct link_veth veth = {
			.name = a->veth,
			.master = a->bridge_index,
			.master_name = a->config.bridge,
			.mtu = a->config.mtu,
			.peer_name = a->lease.interface,
			.peer_netns_fd = a->netns_fd,
			.peer_mac = a->lease.mac,
		};

		name_veth(a, salt);
		link_put_veth(a->nl, &veth);
		link_put_no_ipv6_address(a->nl, a->veth);
		link_put_up(a->nl, a->veth);
		r = netlink_commit(a->nl, err);
	}
	if (r < 0)
		return explain_veth(a, -r, err);
	err_clear(err);
	return 0;
}

/* ---- inside ---- */

/* Port 53 of the name server. */
static int redirect_names(const struct attach *a, struct err *err)
{
	_cleanup_netlink_ struct netlink *nl = NULL;
	int fd = namespace_socket(a->netns_fd, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK,
				  NETLINK_NETFILTER, err);
	int r = fd < 0 ? fd : netlink_adopt(fd, &nl, err);

	return r < 0 ? r : nft_make_inside(nl, err);
}

static int configure_inside(const struct attach *a, struct err *err)
{
	_cleanup_netlink_ struct netlink *nl = NULL;
	_cleanup_fd_ int fd = namespace_socket(a->netns_fd, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK,
					       NETLINK_ROUTE, err);
	struct ifreq req = { 0 };
	struct link bridge;
	int r;

	if (fd < 0)
		return fd;
	memcpy(req.ifr_name, a->lease.interface, IFNAMSIZ);
	if (ioctl(fd, SIOCGIFINDEX, &req) < 0)
		return err_set(err, errno, "find interface %s in %s", a->lease.interface,
			       a->netns_path);
	r = netlink_adopt(take_fd(&fd), &nl, err);
	if (r < 0)
		return r;
	link_put_up(nl, a->lease.interface);
	address_put(nl, (unsigned)req.ifr_ifindex, a->lease.address, a->lease.prefix_len);
	route_put_default(nl, (unsigned)req.ifr_ifindex, a->lease.gateway);
	if (link_find(a->nl, NULL, a->bridge_index, &bridge, NULL) > 0)
		neighbour_put(nl, (unsigned)req.ifr_ifindex, a->lease.gateway, bridge.mac);
	if (a->lease.ipv6) {
		/*
		 * RFC 6724 prefers IPv4 to unique local addresses; glibc (2.36) knows nothing
		 * of that, and half of what listens does so by IPv4 only.
		 */
		address_put6(nl, (unsigned)req.ifr_ifindex, &a->lease.address6, 64,
			     (a->lease.address6.s6_addr[0] & 0xfe) == 0xfc);
		route_put_default6(nl, (unsigned)req.ifr_ifindex, &a->lease.gateway6);
	}
	r = netlink_commit(nl, err);
	return r < 0 ? err_add(err, "interface %s of the container", a->lease.interface) : 0;
}

/*
 * A link set up gets its carrier from its peer a moment later, by a work queue; until then the
 * bridge's port is closed, and what is lost then is asked for again only after a second. Asking for
 * the link makes the kernel (from 6.8) do that work at once; older ones are just quick.
 */
static void settle(const struct attach *a)
{
	struct link link;

	link_find(a->nl, a->veth, 0, &link, NULL);
}

/* ---- the whole ---- */

/* The MAC follows the address, so a neighbour that remembers the one is right about the other. */
static void choose_mac(const struct attach *a, uint8_t mac[static 6])
{
	if (a->request->has_mac) {
		memcpy(mac, a->request->mac, 6);
		return;
	}
	mac[0] = 0x02;
	mac[1] = 0xce;
	memcpy(mac + 2, &a->lease.address, 4);
}

static int take_lease6(struct attach *a, struct err *err)
{
	const struct in6_addr *wanted = &a->request->address6;

	if (!a->config.ipv6)
		return IN6_IS_ADDR_UNSPECIFIED(wanted)
			       ? 0
			       : err_say(err, EINVAL, "there is no IPv6 on this network");
	a->lease.ipv6 = true;
	a->lease.gateway6 = a->config.gateway6;
	a->lease.address6 = lease_derive6(&a->config, a->lease.address);
	if (IN6_IS_ADDR_UNSPECIFIED(wanted))
		return 0;
	a->lease.address6 = *wanted;
	return lease_take6(a->dir, a->id, &a->config, a->lease.address, wanted, err);
}

static int take_lease(struct attach *a, struct err *err)
{
	int r = lease_take(a->dir, a->id, &a->config, a->request->address, &a->lease.address, err);

	if (r < 0)
		return r;
	a->lease.gateway = a->config.gateway;
	a->lease.prefix_len = a->config.prefix_len;
	choose_mac(a, a->lease.mac);
	snprintf(a->lease.interface, sizeof(a->lease.interface), "%s", INTERFACE);
	return take_lease6(a, err);
}

static int attach(struct attach *a, struct err *err)
{
	int r = take_lease(a, err);

	if (r == 0)
		r = make_veth(a, err);
	if (r == 0)
		r = configure_inside(a, err);
	return r < 0 ? r : redirect_names(a, err);
}

int network_attach(const char *dir, const char *id, const char *netns_path,
		   const struct network_request *request, struct network_lease *ret,
		   struct err *err)
{
	static const struct network_request any;
	_cleanup_(attach_deinit) struct attach a = {
		.dir = dir,
		.id = id,
		.netns_path = netns_path,
		.request = request ? request : &any,
		.netns_fd = -1,
	};
	int r;

	a.netns_fd = namespace_open(netns_path, err);
	if (a.netns_fd < 0)
		return a.netns_fd;
	r = netlink_open(NETLINK_ROUTE, &a.nl, err);
	if (r == 0)
		r = ensure_bridge(&a, err);
	if (r < 0)
		return r;
	r = attach(&a, err);
	if (r < 0) {
		network_lease_release(dir, id, NULL);
		return r;
	}
	settle(&a);
	*ret = a.lease;
	return 0;
}

int network_find_obstacle(const char *dir, struct network_obstacle *ret, struct err *err)
{
	_cleanup_netlink_ struct netlink *nl = NULL;
	struct network_config config;
	int r = config_read(dir, &config, err);

	if (r > 0)
		r = netlink_open(NETLINK_NETFILTER, &nl, err);
	return r < 0 || !nl ? r : foreign_look(nl, config.bridge, ret, err);
}
