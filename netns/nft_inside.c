/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/nft_inside.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>

#include "netns/nft_message.h"
#include "netns/resolver_file.h"

#define TABLE "cellar"
#define CHAIN "output"
#define PRIORITY (-175) /* behind connection tracking, before NAT, as the kernel's mangle is */
#define PORT 53

static void put_table(struct netlink *nl)
{
	struct nlmsghdr *msg = netlink_add(nl, nft_type(NFT_MSG_NEWTABLE), NLM_F_CREATE,
					   "make nf_tables table " TABLE " of the container");

	nft_put_header(msg, NFPROTO_IPV4);
	mnl_attr_put_strz(msg, NFTA_TABLE_NAME, TABLE);
}

static void put_chain(struct netlink *nl)
{
	struct nlmsghdr *msg = netlink_add(nl, nft_type(NFT_MSG_NEWCHAIN), NLM_F_CREATE,
					   "make chain " CHAIN " of the container");
	struct nlattr *nest;

	nft_put_header(msg, NFPROTO_IPV4);
	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, TABLE);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, CHAIN);
	mnl_attr_put_strz(msg, NFTA_CHAIN_TYPE, "filter");
	nest = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
	nft_put_be32(msg, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
	nft_put_be32(msg, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY);
	mnl_attr_nest_end(msg, nest);
}

/* Writes register 1 into the transport header; the checksum follows. */
static void put_write(struct nlmsghdr *msg, size_t offset, size_t checksum)
{
	struct nft_expression e = nft_open(msg, "payload");

	nft_put_be32(msg, NFTA_PAYLOAD_SREG, NFT_REG_1);
	nft_put_be32(msg, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	nft_put_be32(msg, NFTA_PAYLOAD_OFFSET, (uint32_t)offset);
	nft_put_be32(msg, NFTA_PAYLOAD_LEN, sizeof(uint16_t));
	nft_put_be32(msg, NFTA_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
	nft_put_be32(msg, NFTA_PAYLOAD_CSUM_OFFSET, (uint32_t)checksum);
	nft_close(msg, e);
}

static void put_immediate(struct nlmsghdr *msg, uint16_t port)
{
	struct nft_expression e = nft_open(msg, "immediate");

	nft_put_be32(msg, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	nft_put_value(msg, NFTA_IMMEDIATE_DATA, &port, sizeof(port));
	nft_close(msg, e);
}

/* question: from port 53 as destination to ours, else from ours as source to 53. */
static void put_rule(struct netlink *nl, uint8_t protocol, bool question)
{
	struct nlmsghdr *msg =
		netlink_add(nl, nft_type(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND,
			    "make a rule for the name server of the container");
	uint16_t port = htons(PORT), own = htons(RESOLVER_PORT);
	/* At the same places in both headers. */
	size_t offset = question ? offsetof(struct udphdr, dest) : offsetof(struct udphdr, source);
	size_t checksum = protocol == IPPROTO_UDP ? offsetof(struct udphdr, check)
						  : offsetof(struct tcphdr, check);
	struct in_addr address;
	struct nlattr *list;

	inet_pton(AF_INET, RESOLVER_ADDRESS, &address);
	nft_put_header(msg, NFPROTO_IPV4);
	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, TABLE);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, CHAIN);
	list = mnl_attr_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	nft_put_payload(msg, NFT_PAYLOAD_NETWORK_HEADER,
			question ? offsetof(struct iphdr, daddr) : offsetof(struct iphdr, saddr),
			sizeof(address), NFT_REG_1);
	nft_put_compare(msg, NFT_CMP_EQ, &address, sizeof(address));
	nft_put_meta(msg, NFT_META_L4PROTO, NFT_REG_1);
	nft_put_compare(msg, NFT_CMP_EQ, &protocol, sizeof(protocol));
	nft_put_payload(msg, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(port), NFT_REG_1);
	nft_put_compare(msg, NFT_CMP_EQ, question ? &port : &own, sizeof(port));
	put_immediate(msg, question ? own : port);
	put_write(msg, offset, checksum);
	mnl_attr_nest_end(msg, list);
}

int nft_make_inside(struct netlink *nl, struct err *err)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP };

	nft_put_begin(nl);
	put_table(nl);
	put_chain(nl);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		put_rule(nl, protocols[i], true);
		put_rule(nl, protocols[i], false);
	}
	nft_put_end(nl);
	return netlink_commit(nl, err);
}
