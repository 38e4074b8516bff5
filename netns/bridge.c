/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "netns/address.h"
#include "netns/ipv6.h"
#include "netns/link.h"
#include "netns/nft.h"

#define ALIAS "cellar"
/* That IPv6 forwarding was off before us: rules may be flushed, the bridge remembers. */
#define ALIAS_GUARD "cellar, guards IPv6 forwarding"
#define FORWARD_PATH "/proc/sys/net/ipv4/ip_forward"

/* Locally administered, and the same at every making: neighbours' caches stay true. */
static void format_mac(struct in_addr gateway, uint8_t mac[static 6])
{
	mac[0] = 0x02;
	mac[1] = 0xcb;
	memcpy(mac + 2, &gateway, 4);
}

/* 1: there, 0: not there. */
static int find(struct netlink *nl, const struct network_config *config, struct link *ret,
		struct err *err)
{
	int r = link_find(nl, config->bridge, 0, ret, err);

	if (r > 0 && strcmp(ret->kind, "bridge") != 0)
		return err_say(err, EEXIST,
			       "interface %s is there already and is not a bridge%s%s: rename it",
			       config->bridge, ret->kind[0] ? " but of kind " : "", ret->kind);
	return r;
}

/* 1: all our tables are whole. */
static int check_tables(const struct network_config *config, struct err *err)
{
	_cleanup_netlink_ struct netlink *nf = NULL;
	int r = netlink_open(NETLINK_NETFILTER, &nf, err);

	if (r == 0)
		r = nft_find_table(nf, config, NFPROTO_IPV4, err);
	if (r > 0 && config->ipv6)
		r = nft_find_table(nf, config, NFPROTO_IPV6, err);
	return r;
}

int bridge_check(struct netlink *nl, const struct network_config *config, unsigned *ret_index,
		 struct err *err)
{
	struct link link;
	int r = find(nl, config, &link, err);

	if (r <= 0)
		return r;
	if (!link.up || address_first(config->bridge).s_addr != config->gateway.s_addr)
		return 0;
	r = check_tables(config, err);
	if (r > 0)
		*ret_index = link.index;
	return r;
}

static int make_link(struct netlink *nl, const struct network_config *config, struct link *ret,
		     struct err *err)
{
	uint8_t mac[6];
	int r = find(nl, config, ret, err);

	if (r < 0 || (r > 0 && ret->up))
		return r;
	if (r == 0) {
		format_mac(config->gateway, mac);
		link_put_bridge(nl, config->bridge, mac, config->mtu);
		link_put_alias(nl, config->bridge, ALIAS);
		link_put_group(nl, config->bridge, NFT_LINK_GROUP);
		link_put_no_ipv6_address(nl, config->bridge);
	}
	link_put_up(nl, config->bridge);
	r = netlink_commit(nl, err);
	if (r < 0)
		return r;
	r = find(nl, config, ret, err);
	if (r == 0)
		return err_say(err, ENODEV, "bridge %s went away while it was made",
			       config->bridge);
	return r;
}

/* The file is that of the reader's own namespace. Written only when needed: proc may be read-only.
 */
static int enable_forwarding(struct err *err)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read(AT_FDCWD, FORWARD_PATH, 16, &text, NULL, err);

	if (r < 0 || strcmp(text, "1\n") == 0)
		return r;
	r = file_write(AT_FDCWD, FORWARD_PATH, "1\n", err);
	return r < 0 ? err_add(err, "let containers reach the outside") : 0;
}

static int make_table(const struct network_config *config, uint8_t family, bool guard,
		      struct err *err)
{
	_cleanup_netlink_ struct netlink *nf = NULL;
	int r = netlink_open(NETLINK_NETFILTER, &nf, err);

	if (r == 0)
		r = nft_find_table(nf, config, family, err);
	return r != 0 ? r : nft_make_table(nf, config, family, guard, err);
}

/* The link-local address is what the kernel asks for neighbours with when it forwards. */
static int set_up_ipv6(struct netlink *nl, const struct link *link,
		       const struct network_config *config, struct err *err)
{
	static const struct in6_addr link_local = { .s6_addr = { 0xfe, 0x80, [15] = 1 } };
	bool guard = strcmp(link->alias, ALIAS_GUARD) == 0;
	int r;

	if (!config->ipv6)
		return 0;
	address_put6(nl, link->index, &config->gateway6, 64, false);
	address_put6(nl, link->index, &link_local, 64, false);
	r = netlink_commit(nl, err);
	if (r < 0)
		return err_add(err, "bridge %s", config->bridge);
	/* Remembered first: a kill behind the switch must not leave the host without its guard. */
	if (!guard && !ipv6_forwards()) {
		link_put_alias(nl, config->bridge, ALIAS_GUARD);
		r = netlink_commit(nl, err);
		guard = true;
	}
	if (r == 0)
		r = ipv6_enable_forwarding(err);
	return r < 0 ? r : make_table(config, NFPROTO_IPV6, guard, err);
}

int bridge_mend(struct netlink *nl, const struct network_config *config, unsigned *ret_index,
		struct err *err)
{
	struct link link;
	int r = make_link(nl, config, &link, err);

	if (r < 0)
		return r;
	address_put(nl, link.index, config->gateway, config->prefix_len);
	r = netlink_commit(nl, err);
	if (r < 0)
		return err_add(err, "bridge %s", config->bridge);
	r = enable_forwarding(err);
	if (r == 0)
		r = make_table(config, NFPROTO_IPV4, false, err);
	if (r >= 0)
		r = set_up_ipv6(nl, &link, config, err);
	if (r < 0)
		return r;
	*ret_index = link.index;
	return 0;
}
