/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"

void address_put(struct netlink *nl, unsigned index, struct in_addr address, unsigned prefix_len)
{
	char text[INET_ADDRSTRLEN];
	struct nlmsghdr *msg;
	struct ifaddrmsg *ifa;

	inet_ntop(AF_INET, &address, text, sizeof(text));
	msg = netlink_add(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "add address %s/%u", text,
			  prefix_len);
	netlink_tolerate(nl, EEXIST);
	ifa = mnl_nlmsg_put_extra_header(msg, sizeof(*ifa));
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = (uint8_t)prefix_len;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_index = index;
	mnl_attr_put(msg, IFA_LOCAL, sizeof(address), &address);
	mnl_attr_put(msg, IFA_ADDRESS, sizeof(address), &address);
	address.s_addr |= htonl(~subnet_mask(prefix_len));
	mnl_attr_put(msg, IFA_BROADCAST, sizeof(address), &address);
}

void address_put6(struct netlink *nl, unsigned index, const struct in6_addr *address,
		  unsigned prefix_len, bool is_second_choice)
{
	const struct ifa_cacheinfo deprecated = { .ifa_valid = UINT32_MAX };
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *msg;
	struct ifaddrmsg *ifa;

	inet_ntop(AF_INET6, address, text, sizeof(text));
	msg = netlink_add(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "add address %s/%u", text,
			  prefix_len);
	netlink_tolerate(nl, EEXIST);
	ifa = mnl_nlmsg_put_extra_header(msg, sizeof(*ifa));
	ifa->ifa_family = AF_INET6;
	ifa->ifa_prefixlen = (uint8_t)prefix_len;
	ifa->ifa_flags = IFA_F_NODAD;
	ifa->ifa_index = index;
	mnl_attr_put(msg, IFA_LOCAL, sizeof(*address), address);
	if (is_second_choice)
		mnl_attr_put(msg, IFA_CACHEINFO, sizeof(deprecated), &deprecated);
}

struct listing {
	struct subnet_list *list;
	unsigned except_index;
};

static int read_address(void *data, const struct nlmsghdr *msg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(msg);
	struct listing *listing = data;
	const struct nlattr *attr;
	struct in_addr address;

	if (ifa->ifa_family != AF_INET || ifa->ifa_index == listing->except_index)
		return 0;
	mnl_attr_for_each(attr, msg, sizeof(*ifa))
	{
		/* Of a point-to-point interface both ends count: IFA_ADDRESS is the far one. */
		if ((mnl_attr_get_type(attr) != IFA_ADDRESS &&
		     mnl_attr_get_type(attr) != IFA_LOCAL) ||
		    mnl_attr_get_payload_len(attr) != sizeof(address))
			continue;
		memcpy(&address, mnl_attr_get_payload(attr), sizeof(address));
		if (subnet_list_add(listing->list, address, ifa->ifa_prefixlen) < 0)
			return -ENOMEM;
	}
	return 0;
}

int address_list(struct netlink *nl, unsigned except_index, struct subnet_list *list,
		 struct err *err)
{
	struct listing listing = { .list = list, .except_index = except_index };
	struct nlmsghdr *msg = netlink_add(nl, RTM_GETADDR, NLM_F_DUMP, "list addresses");
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(msg, sizeof(*ifa));
	int r;

	ifa->ifa_family = AF_INET;
	r = netlink_query(nl, read_address, &listing, err);
	return r == -ENOMEM ? err_set(err, ENOMEM, "list addresses") : r;
}

struct in_addr address_first(const char *interface)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { 0 };
	struct sockaddr_in in = { 0 };

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", interface);
	if (fd >= 0 && ioctl(fd, SIOCGIFADDR, &req) == 0)
		memcpy(&in, &req.ifr_addr, sizeof(in));
	return in.sin_addr;
}
