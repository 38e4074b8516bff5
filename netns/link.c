/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>

/* ---- looking up ---- */

static void copy_text(char *buf, size_t size, const struct nlattr *attr)
{
	snprintf(buf, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
		 (const char *)mnl_attr_get_payload(attr));
}

static void read_info(const struct nlattr *info, struct link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info) if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		copy_text(link->kind, sizeof(link->kind), attr);
}

static int read_link(void *data, const struct nlmsghdr *msg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	struct link *link = data;
	const struct nlattr *attr;

	link->index = (unsigned)ifi->ifi_index;
	link->up = ifi->ifi_flags & IFF_UP;
	mnl_attr_for_each(attr, msg, sizeof(*ifi))
	{
		switch (mnl_attr_get_type(attr)) {
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
				memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
			break;
		case IFLA_MTU:
			link->mtu = mnl_attr_get_u32(attr);
			break;
		case IFLA_IFALIAS:
			copy_text(link->alias, sizeof(link->alias), attr);
			break;
		case IFLA_LINKINFO:
			read_info(attr, link);
			break;
		}
	}
	return 0;
}

int link_find(struct netlink *nl, const char *name, unsigned index, struct link *ret,
	      struct err *err)
{
	struct link link = { 0 };
	struct ifinfomsg *ifi;
	struct nlmsghdr *msg;
	int r;

	if (name)
		msg = netlink_add(nl, RTM_GETLINK, 0, "look for interface %s", name);
	else
		msg = netlink_add(nl, RTM_GETLINK, 0, "look for interface %u", index);
	ifi = mnl_nlmsg_put_extra_header(msg, sizeof(*ifi));
	ifi->ifi_index = (int)index;
	if (name)
		mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	/* The counters are most of what the kernel would gather. */
	mnl_attr_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = netlink_query(nl, read_link, &link, err);
	if (r == -ENODEV) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	*ret = link;
	return 1;
}

/* ---- making ---- */

static struct ifinfomsg *put_header(struct nlmsghdr *msg, const char *name)
{
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(msg, sizeof(*ifi));

	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	return ifi;
}

void link_put_bridge(struct netlink *nl, const char *name, const uint8_t mac[6], unsigned mtu)
{
	struct nlmsghdr *msg =
		netlink_add(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "create bridge %s", name);
	struct nlattr *info;

	put_header(msg, name);
	mnl_attr_put(msg, IFLA_ADDRESS, 6, mac);
	mnl_attr_put_u32(msg, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(msg, info);
}

void link_put_alias(struct netlink *nl, const char *name, const char *alias)
{
	struct nlmsghdr *msg = netlink_add(nl, RTM_NEWLINK, 0, "set alias of interface %s", name);

	put_header(msg, name);
	mnl_attr_put_strz(msg, IFLA_IFALIAS, alias);
}

void link_put_group(struct netlink *nl, const char *name, uint32_t group)
{
	struct nlmsghdr *msg = netlink_add(nl, RTM_NEWLINK, 0, "set group of interface %s", name);

	put_header(msg, name);
	mnl_attr_put_u32(msg, IFLA_GROUP, group);
}

void link_put_up(struct netlink *nl, const char *name)
{
	struct nlmsghdr *msg = netlink_add(nl, RTM_NEWLINK, 0, "set interface %s up", name);
	struct ifinfomsg *ifi = put_header(msg, name);

	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
}

void link_put_no_ipv6_address(struct netlink *nl, const char *name)
{
	struct nlmsghdr *msg =
		netlink_add(nl, RTM_NEWLINK, 0, "turn off IPv6 addresses of interface %s", name);
	struct nlattr *families, *inet6;

	put_header(msg, name);
	families = mnl_attr_nest_start(msg, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(msg, AF_INET6);
	mnl_attr_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(msg, inet6);
	mnl_attr_nest_end(msg, families);
	netlink_tolerate(nl, EAFNOSUPPORT); /* a kernel without IPv6 */
}

static void put_peer(struct nlmsghdr *msg, const struct link_veth *veth)
{
	struct nlattr *peer = mnl_attr_nest_start(msg, VETH_INFO_PEER);

	/* Not up yet: the kernel configures it before the pair is tied, and that gives ENOTCONN. */
	put_header(msg, veth->peer_name);
	mnl_attr_put(msg, IFLA_ADDRESS, 6, veth->peer_mac);
	mnl_attr_put_u32(msg, IFLA_MTU, veth->mtu);
	mnl_attr_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)veth->peer_netns_fd);
	mnl_attr_nest_end(msg, peer);
}

void link_put_veth(struct netlink *nl, const struct link_veth *veth)
{
	struct nlmsghdr *msg = netlink_add(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					   "create veth pair %s and %s on bridge %s", veth->name,
					   veth->peer_name, veth->master_name);
	struct nlattr *info, *info_data;

	/*
	 * The kernel puts only the link of the message itself under a master, not the peer in its
	 * nest: so our end is the link, and the container's is the peer.
	 */
	put_header(msg, veth->name);
	mnl_attr_put_u32(msg, IFLA_MTU, veth->mtu);
	mnl_attr_put_u32(msg, IFLA_MASTER, veth->master);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "veth");
	info_data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	put_peer(msg, veth);
	mnl_attr_nest_end(msg, info_data);
	mnl_attr_nest_end(msg, info);
}
