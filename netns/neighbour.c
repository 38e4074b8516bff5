/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/neighbour.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

void neighbour_put(struct netlink *nl, unsigned index, struct in_addr address,
		   const uint8_t mac[static 6])
{
	char text[INET_ADDRSTRLEN];
	struct nlmsghdr *msg;
	struct ndmsg *ndm;

	inet_ntop(AF_INET, &address, text, sizeof(text));
	msg = netlink_add(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, "add neighbour %s", text);
	/* Older kernels do not know the flag; then it is found by asking. */
	netlink_tolerate(nl, EINVAL);
	ndm = mnl_nlmsg_put_extra_header(msg, sizeof(*ndm));
	ndm->ndm_family = AF_INET;
	ndm->ndm_ifindex = (int)index;
	ndm->ndm_state = NUD_STALE;
	ndm->ndm_flags = NTF_EXT_LEARNED;
	mnl_attr_put(msg, NDA_DST, sizeof(address), &address);
	mnl_attr_put(msg, NDA_LLADDR, 6, mac);
}
