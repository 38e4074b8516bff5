/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nf_tables speaks in big-endian numbers, and in expressions that work on registers: load a value,
 * compare, and where all comparisons held, act.
 */
#include "netns/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <netinet/ip.h>

#include "netns/subnet.h"

#define CHAIN_NAME "postrouting"
#define COMMENT_SIZE 64
#define USERDATA_COMMENT 0 /* the type under which the nft program shows it */

static uint16_t nft_type(int message)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

static void put_nfgen(struct nlmsghdr *msg, uint8_t family, uint16_t resource)
{
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(msg, sizeof(*nfg));

	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(resource);
}

static void put_table_name(struct nlmsghdr *msg, uint16_t attribute,
			   const struct network_config *config)
{
	char name[sizeof("cellar-") + IFNAMSIZ];

	snprintf(name, sizeof(name), "cellar-%s", config->bridge);
	mnl_attr_put_strz(msg, attribute, name);
}

/* A type-length-value, the value being "cellar SUBNET" with its NUL. Returns the whole length. */
static size_t format_userdata(const struct network_config *config, char buf[static COMMENT_SIZE])
{
	char subnet[INET_ADDRSTRLEN];
	int len;

	inet_ntop(AF_INET, &config->subnet, subnet, sizeof(subnet));
	len = snprintf(buf + 2, COMMENT_SIZE - 2, "cellar %s/%u", subnet, config->prefix_len) + 1;
	buf[0] = USERDATA_COMMENT;
	buf[1] = (char)len;
	return (size_t)len + 2;
}

/* ---- finding ---- */

struct search {
	char userdata[COMMENT_SIZE];
	size_t len;
	bool found;
};

static int match_rule(void *data, const struct nlmsghdr *msg)
{
	struct search *s = data;
	const struct nlattr *attr;

	mnl_attr_for_each(
		attr, msg,
		sizeof(struct nfgenmsg)) if (mnl_attr_get_type(attr) == NFTA_RULE_USERDATA &&
					     mnl_attr_get_payload_len(attr) == s->len &&
					     memcmp(mnl_attr_get_payload(attr), s->userdata,
						    s->len) == 0) s->found = true;
	return 0;
}

int nft_find_masquerade(struct netlink *nl, const struct network_config *config, struct err *err)
{
	struct search search = { 0 };
	int r = 0;

	search.len = format_userdata(config, search.userdata);
	/* Somebody else's change cuts the dump short; it need not concern our table. */
	for (int tries = 0; tries < 10; tries++) {
		struct nlmsghdr *msg = netlink_add(nl, nft_type(NFT_MSG_GETRULE), NLM_F_DUMP,
						   "read nf_tables rules");

		put_nfgen(msg, NFPROTO_IPV4, 0);
		put_table_name(msg, NFTA_RULE_TABLE, config);
		mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, CHAIN_NAME);
		r = netlink_query(nl, match_rule, &search, err);
		if (search.found || r != -EAGAIN)
			break;
	}
	if (r < 0 && r != -ENOENT && !search.found)
		return r;
	err_clear(err);
	return search.found;
}

/* ---- expressions ---- */

/* Opens an element of the rule's list; ends with close_expression(). */
struct expression {
	struct nlattr *element, *data;
};

static struct expression open_expression(struct nlmsghdr *msg, const char *name)
{
	struct expression e;

	e.element = mnl_attr_nest_start(msg, NFTA_LIST_ELEM);
	mnl_attr_put_strz(msg, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(msg, NFTA_EXPR_DATA);
	return e;
}

static void close_expression(struct nlmsghdr *msg, struct expression e)
{
	mnl_attr_nest_end(msg, e.data);
	mnl_attr_nest_end(msg, e.element);
}

static void put_be32(struct nlmsghdr *msg, uint16_t attribute, uint32_t value)
{
	mnl_attr_put_u32(msg, attribute, htonl(value));
}

static void put_value(struct nlmsghdr *msg, uint16_t attribute, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(msg, attribute);

	mnl_attr_put(msg, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(msg, nest);
}

static void put_compare(struct nlmsghdr *msg, enum nft_cmp_ops op, const void *value, size_t len)
{
	struct expression e = open_expression(msg, "cmp");

	put_be32(msg, NFTA_CMP_SREG, NFT_REG_1);
	put_be32(msg, NFTA_CMP_OP, op);
	put_value(msg, NFTA_CMP_DATA, value, len);
	close_expression(msg, e);
}

static void put_match_source(struct nlmsghdr *msg, const struct network_config *config)
{
	uint32_t mask = htonl(subnet_mask(config->prefix_len)), zero = 0;
	struct expression e = open_expression(msg, "payload");

	put_be32(msg, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_be32(msg, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_be32(msg, NFTA_PAYLOAD_OFFSET, offsetof(struct iphdr, saddr));
	put_be32(msg, NFTA_PAYLOAD_LEN, sizeof(mask));
	close_expression(msg, e);
	e = open_expression(msg, "bitwise");
	put_be32(msg, NFTA_BITWISE_SREG, NFT_REG_1);
	put_be32(msg, NFTA_BITWISE_DREG, NFT_REG_1);
	put_be32(msg, NFTA_BITWISE_LEN, sizeof(mask));
	put_value(msg, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	put_value(msg, NFTA_BITWISE_XOR, &zero, sizeof(zero));
	close_expression(msg, e);
	put_compare(msg, NFT_CMP_EQ, &config->subnet, sizeof(config->subnet));
}

static void put_match_other_interface(struct nlmsghdr *msg, const struct network_config *config)
{
	struct expression e = open_expression(msg, "meta");

	put_be32(msg, NFTA_META_DREG, NFT_REG_1);
	put_be32(msg, NFTA_META_KEY, NFT_META_OIFNAME);
	close_expression(msg, e);
	put_compare(msg, NFT_CMP_NEQ, config->bridge, IFNAMSIZ);
}

/* ---- making ---- */

static void put_table(struct netlink *nl, const struct network_config *config)
{
	struct nlmsghdr *msg = netlink_add(nl, nft_type(NFT_MSG_NEWTABLE), NLM_F_CREATE,
					   "create nf_tables table cellar-%s", config->bridge);

	put_nfgen(msg, NFPROTO_IPV4, 0);
	put_table_name(msg, NFTA_TABLE_NAME, config);
}

static void put_chain(struct netlink *nl, const struct network_config *config)
{
	struct nlmsghdr *msg =
		netlink_add(nl, nft_type(NFT_MSG_NEWCHAIN), NLM_F_CREATE,
			    "create the nat chain of nf_tables table cellar-%s", config->bridge);
	struct nlattr *hook;

	put_nfgen(msg, NFPROTO_IPV4, 0);
	put_table_name(msg, NFTA_CHAIN_TABLE, config);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, CHAIN_NAME);
	mnl_attr_put_strz(msg, NFTA_CHAIN_TYPE, "nat");
	hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
	put_be32(msg, NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
	put_be32(msg, NFTA_HOOK_PRIORITY, NF_IP_PRI_NAT_SRC);
	mnl_attr_nest_end(msg, hook);
}

static void put_rule(struct netlink *nl, const struct network_config *config)
{
	struct nlmsghdr *msg = netlink_add(
		nl, nft_type(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND,
		"create the masquerade rule of nf_tables table cellar-%s", config->bridge);
	char userdata[COMMENT_SIZE];
	size_t len = format_userdata(config, userdata);
	struct nlattr *list;

	put_nfgen(msg, NFPROTO_IPV4, 0);
	put_table_name(msg, NFTA_RULE_TABLE, config);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, CHAIN_NAME);
	list = mnl_attr_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	put_match_source(msg, config);
	put_match_other_interface(msg, config);
	close_expression(msg, open_expression(msg, "masq"));
	mnl_attr_nest_end(msg, list);
	mnl_attr_put(msg, NFTA_RULE_USERDATA, len, userdata);
}

static void put_batch_frame(struct netlink *nl, uint16_t type)
{
	struct nlmsghdr *msg = netlink_add(nl, type, 0, "change nf_tables rules");

	put_nfgen(msg, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	netlink_expect_no_ack(nl);
}

int nft_add_masquerade(struct netlink *nl, const struct network_config *config, struct err *err)
{
	put_batch_frame(nl, NFNL_MSG_BATCH_BEGIN);
	put_table(nl, config);
	put_chain(nl, config);
	put_rule(nl, config);
	put_batch_frame(nl, NFNL_MSG_BATCH_END);
	return netlink_commit(nl, err);
}
