/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "netns/nft_message.h"
#include "netns/subnet.h"

#define POSTROUTING "postrouting"
#define FORWARD "forward"
#define COMMENT_SIZE 80
#define USERDATA_COMMENT 0 /* the type under which the nft program shows it */

struct table {
	const struct network_config *config;
	uint8_t family;
	char name[sizeof("cellar-") + IFNAMSIZ];
};

static struct table describe(const struct network_config *config, uint8_t family)
{
	struct table t = { .config = config, .family = family };

	snprintf(t.name, sizeof(t.name), "cellar-%s", config->bridge);
	return t;
}

/* A type-length-value, the value being "cellar SUBNET" with its NUL. Returns the whole length. */
static size_t format_userdata(const struct table *t, char buf[static COMMENT_SIZE])
{
	bool v6 = t->family == NFPROTO_IPV6;
	char subnet[INET6_ADDRSTRLEN];
	int len;

	inet_ntop(v6 ? AF_INET6 : AF_INET,
		  v6 ? (const void *)&t->config->subnet6 : &t->config->subnet, subnet,
		  sizeof(subnet));
	len = snprintf(buf + 2, COMMENT_SIZE - 2, "cellar %s/%u v2", subnet,
		       v6 ? 64 : t->config->prefix_len) +
	      1;
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

	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFTA_RULE_USERDATA &&
		    mnl_attr_get_payload_len(attr) == s->len &&
		    memcmp(mnl_attr_get_payload(attr), s->userdata, s->len) == 0)
			s->found = true;
	}
	return 0;
}

int nft_find_table(struct netlink *nl, const struct network_config *config, uint8_t family,
		   struct err *err)
{
	struct table t = describe(config, family);
	struct search search = { 0 };
	int r = 0;

	search.len = format_userdata(&t, search.userdata);
	/* Somebody else's change cuts the dump short; it need not concern our table. */
	for (int tries = 0; tries < 10; tries++) {
		struct nlmsghdr *msg = netlink_add(nl, nft_type(NFT_MSG_GETRULE), NLM_F_DUMP,
						   "read nf_tables rules");

		nft_put_header(msg, family);
		mnl_attr_put_strz(msg, NFTA_RULE_TABLE, t.name);
		mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, POSTROUTING);
		r = netlink_query(nl, match_rule, &search, err);
		if (search.found || r != -EAGAIN)
			break;
	}
	if (r < 0 && r != -ENOENT && !search.found)
		return r;
	err_clear(err);
	return search.found;
}

/* ---- making ---- */

static void put_table(struct netlink *nl, const struct table *t, int message)
{
	struct nlmsghdr *msg =
		netlink_add(nl, nft_type(message), message == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0,
			    "make nf_tables table %s", t->name);

	nft_put_header(msg, t->family);
	mnl_attr_put_strz(msg, NFTA_TABLE_NAME, t->name);
}

static void put_chain(struct netlink *nl, const struct table *t, const char *name, const char *type,
		      unsigned hook, int priority)
{
	struct nlmsghdr *msg = netlink_add(nl, nft_type(NFT_MSG_NEWCHAIN), NLM_F_CREATE,
					   "create chain %s of nf_tables table %s", name, t->name);
	struct nlattr *nest;

	nft_put_header(msg, t->family);
	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, t->name);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, name);
	mnl_attr_put_strz(msg, NFTA_CHAIN_TYPE, type);
	nest = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
	nft_put_be32(msg, NFTA_HOOK_HOOKNUM, hook);
	nft_put_be32(msg, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	mnl_attr_nest_end(msg, nest);
}

static struct nlmsghdr *open_rule(struct netlink *nl, const struct table *t, const char *chain,
				  struct nlattr **ret_list)
{
	struct nlmsghdr *msg =
		netlink_add(nl, nft_type(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND,
			    "create a rule of chain %s of nf_tables table %s", chain, t->name);

	nft_put_header(msg, t->family);
	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, t->name);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain);
	*ret_list = mnl_attr_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	return msg;
}

static void put_match_source(struct nlmsghdr *msg, const struct table *t)
{
	const struct network_config *c = t->config;
	uint32_t mask = htonl(subnet_mask(c->prefix_len));

	if (t->family == NFPROTO_IPV6) {
		/* The 64 bits of the subnet. */
		nft_put_payload(msg, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct ip6_hdr, ip6_src),
				8, NFT_REG_1);
		nft_put_compare(msg, NFT_CMP_EQ, &c->subnet6, 8);
		return;
	}
	nft_put_payload(msg, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct iphdr, saddr),
			sizeof(mask), NFT_REG_1);
	nft_put_mask(msg, &mask, sizeof(mask));
	nft_put_compare(msg, NFT_CMP_EQ, &c->subnet, sizeof(c->subnet));
}

static void put_match_interface(struct nlmsghdr *msg, enum nft_meta_keys key, enum nft_cmp_ops op,
				const struct table *t)
{
	nft_put_meta(msg, key, NFT_REG_1);
	nft_put_compare(msg, op, t->config->bridge, IFNAMSIZ);
}

static void put_masquerade(struct netlink *nl, const struct table *t)
{
	char userdata[COMMENT_SIZE];
	size_t len = format_userdata(t, userdata);
	struct nlattr *list;
	struct nlmsghdr *msg = open_rule(nl, t, POSTROUTING, &list);

	put_match_source(msg, t);
	put_match_interface(msg, NFT_META_OIFNAME, NFT_CMP_NEQ, t);
	nft_close(msg, nft_open(msg, "masq"));
	mnl_attr_nest_end(msg, list);
	mnl_attr_put(msg, NFTA_RULE_USERDATA, len, userdata);
}

static void put_drop(struct nlmsghdr *msg)
{
	struct nft_expression e = nft_open(msg, "immediate");
	struct nlattr *data, *verdict;

	nft_put_be32(msg, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(msg, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(msg, NFTA_DATA_VERDICT);
	nft_put_be32(msg, NFTA_VERDICT_CODE, NF_DROP);
	mnl_attr_nest_end(msg, verdict);
	mnl_attr_nest_end(msg, data);
	nft_close(msg, e);
}

/* What nobody inside has asked for stays outside. */
static void put_closed_door(struct netlink *nl, const struct table *t)
{
	const uint32_t known = NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED);
	const uint32_t none = 0;
	struct nft_expression e;
	struct nlattr *list;
	struct nlmsghdr *msg = open_rule(nl, t, FORWARD, &list);

	put_match_interface(msg, NFT_META_IIFNAME, NFT_CMP_NEQ, t);
	put_match_interface(msg, NFT_META_OIFNAME, NFT_CMP_EQ, t);
	e = nft_open(msg, "ct");
	nft_put_be32(msg, NFTA_CT_DREG, NFT_REG_1);
	nft_put_be32(msg, NFTA_CT_KEY, NFT_CT_STATE);
	nft_close(msg, e);
	nft_put_mask(msg, &known, sizeof(known));
	nft_put_compare(msg, NFT_CMP_EQ, &none, sizeof(none));
	put_drop(msg);
	mnl_attr_nest_end(msg, list);
}

static void put_guard(struct netlink *nl, const struct table *t)
{
	uint32_t group = NFT_LINK_GROUP;
	struct nlattr *list;
	struct nlmsghdr *msg = open_rule(nl, t, FORWARD, &list);

	nft_put_meta(msg, NFT_META_IIFGROUP, NFT_REG_1);
	nft_put_compare(msg, NFT_CMP_NEQ, &group, sizeof(group));
	nft_put_meta(msg, NFT_META_OIFGROUP, NFT_REG_1);
	nft_put_compare(msg, NFT_CMP_NEQ, &group, sizeof(group));
	put_drop(msg);
	mnl_attr_nest_end(msg, list);
}

int nft_make_table(struct netlink *nl, const struct network_config *config, uint8_t family,
		   bool guard, struct err *err)
{
	struct table t = describe(config, family);

	nft_put_begin(nl);
	/* Made, so that it can be deleted: that it is not there would be an error. */
	put_table(nl, &t, NFT_MSG_NEWTABLE);
	put_table(nl, &t, NFT_MSG_DELTABLE);
	put_table(nl, &t, NFT_MSG_NEWTABLE);
	put_chain(nl, &t, POSTROUTING, "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
	put_masquerade(nl, &t);
	put_chain(nl, &t, FORWARD, "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER);
	put_closed_door(nl, &t);
	if (guard)
		put_guard(nl, &t);
	nft_put_end(nl);
	return netlink_commit(nl, err);
}
