/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

static void put_default(struct netlink *nl, unsigned index, int family, const void *gateway,
			size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *msg;
	struct rtmsg *rtm;

	inet_ntop(family, gateway, text, sizeof(text));
	msg = netlink_add(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
			  "add default route through %s", text);
	rtm = mnl_nlmsg_put_extra_header(msg, sizeof(*rtm));
	rtm->rtm_family = (unsigned char)family;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_BOOT;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put(msg, RTA_GATEWAY, len, gateway);
	mnl_attr_put_u32(msg, RTA_OIF, index);
}

void route_put_default(struct netlink *nl, unsigned index, struct in_addr gateway)
{
	put_default(nl, index, AF_INET, &gateway, sizeof(gateway));
}

void route_put_default6(struct netlink *nl, unsigned index, const struct in6_addr *gateway)
{
	put_default(nl, index, AF_INET6, gateway, sizeof(*gateway));
}

struct listing {
	struct subnet_list *list;
	unsigned except_index, default_index, default_metric;
};

static int read_route(void *data, const struct nlmsghdr *msg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(msg);
	struct listing *l = data;
	struct in_addr destination = { 0 };
	unsigned index = 0, metric = 0;
	const struct nlattr *attr;

	if (rtm->rtm_family != AF_INET)
		return 0;
	mnl_attr_for_each(attr, msg, sizeof(*rtm))
	{
		if (mnl_attr_get_payload_len(attr) != 4)
			continue;
		if (mnl_attr_get_type(attr) == RTA_DST)
			memcpy(&destination, mnl_attr_get_payload(attr), sizeof(destination));
		else if (mnl_attr_get_type(attr) == RTA_OIF)
			index = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == RTA_PRIORITY)
			metric = mnl_attr_get_u32(attr);
	}
	if (index && index == l->except_index)
		return 0;
	if (index && rtm->rtm_dst_len == 0 && rtm->rtm_type == RTN_UNICAST &&
	    (!l->default_index || metric < l->default_metric)) {
		l->default_index = index;
		l->default_metric = metric;
	}
	return subnet_list_add(l->list, destination, rtm->rtm_dst_len);
}

int route_list(struct netlink *nl, unsigned except_index, struct subnet_list *list,
	       unsigned *ret_default_index, struct err *err)
{
	struct listing listing = { .list = list, .except_index = except_index };
	struct nlmsghdr *msg = netlink_add(nl, RTM_GETROUTE, NLM_F_DUMP, "list routes");
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(msg, sizeof(*rtm));
	int r;

	rtm->rtm_family = AF_INET;
	r = netlink_query(nl, read_route, &listing, err);
	if (r == -ENOMEM)
		return err_set(err, ENOMEM, "list routes");
	if (r < 0)
		return r;
	*ret_default_index = listing.default_index;
	return 0;
}
