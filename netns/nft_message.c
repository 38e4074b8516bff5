/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/nft_message.h"

#include <arpa/inet.h>
#include <string.h>

static void put_header(struct nlmsghdr *msg, uint8_t family, uint16_t resource)
{
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(msg, sizeof(*nfg));

	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(resource);
}

void nft_put_header(struct nlmsghdr *msg, uint8_t family)
{
	put_header(msg, family, 0);
}

void nft_put_be32(struct nlmsghdr *msg, uint16_t attribute, uint32_t value)
{
	mnl_attr_put_u32(msg, attribute, htonl(value));
}

static void put_frame(struct netlink *nl, uint16_t type)
{
	struct nlmsghdr *msg = netlink_add(nl, type, 0, "change nf_tables rules");

	put_header(msg, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	netlink_expect_no_ack(nl);
}

void nft_put_begin(struct netlink *nl)
{
	put_frame(nl, NFNL_MSG_BATCH_BEGIN);
}

void nft_put_end(struct netlink *nl)
{
	put_frame(nl, NFNL_MSG_BATCH_END);
}

void nft_put_value(struct nlmsghdr *msg, uint16_t attribute, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(msg, attribute);

	mnl_attr_put(msg, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(msg, nest);
}

struct nft_expression nft_open(struct nlmsghdr *msg, const char *name)
{
	struct nft_expression e;

	e.element = mnl_attr_nest_start(msg, NFTA_LIST_ELEM);
	mnl_attr_put_strz(msg, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(msg, NFTA_EXPR_DATA);
	return e;
}

void nft_close(struct nlmsghdr *msg, struct nft_expression e)
{
	mnl_attr_nest_end(msg, e.data);
	mnl_attr_nest_end(msg, e.element);
}

void nft_put_payload(struct nlmsghdr *msg, enum nft_payload_bases base, size_t offset, size_t len,
		     uint32_t reg)
{
	struct nft_expression e = nft_open(msg, "payload");

	nft_put_be32(msg, NFTA_PAYLOAD_DREG, reg);
	nft_put_be32(msg, NFTA_PAYLOAD_BASE, base);
	nft_put_be32(msg, NFTA_PAYLOAD_OFFSET, (uint32_t)offset);
	nft_put_be32(msg, NFTA_PAYLOAD_LEN, (uint32_t)len);
	nft_close(msg, e);
}

void nft_put_meta(struct nlmsghdr *msg, enum nft_meta_keys key, uint32_t reg)
{
	struct nft_expression e = nft_open(msg, "meta");

	nft_put_be32(msg, NFTA_META_DREG, reg);
	nft_put_be32(msg, NFTA_META_KEY, key);
	nft_close(msg, e);
}

void nft_put_compare(struct nlmsghdr *msg, enum nft_cmp_ops op, const void *value, size_t len)
{
	struct nft_expression e = nft_open(msg, "cmp");

	nft_put_be32(msg, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_be32(msg, NFTA_CMP_OP, op);
	nft_put_value(msg, NFTA_CMP_DATA, value, len);
	nft_close(msg, e);
}

void nft_put_mask(struct nlmsghdr *msg, const void *mask, size_t len)
{
	static const char zero[16];
	struct nft_expression e = nft_open(msg, "bitwise");

	nft_put_be32(msg, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_put_be32(msg, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_put_be32(msg, NFTA_BITWISE_LEN, (uint32_t)len);
	nft_put_value(msg, NFTA_BITWISE_MASK, mask, len);
	nft_put_value(msg, NFTA_BITWISE_XOR, zero, len);
	nft_close(msg, e);
}
