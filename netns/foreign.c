/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What drops: a base chain at the hook `forward` whose policy is drop, or whose last rule drops or
 * rejects everything (firewalld's way). Chains of iptables-nft are chains of nf_tables; those of
 * iptables-legacy are asked for by getsockopt(2).
 */
#include "netns/foreign.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "netns/nft_message.h"

#define DOCKER_USER "DOCKER-USER"
#define CHAINS_MAX 16 /* base chains at this hook */
#define OURS "cellar-"

struct chain {
	uint8_t family;
	char table[64], name[64];
	bool drops;
};

struct look {
	const char *bridge;
	struct chain chains[CHAINS_MAX];
	size_t count;
	bool ufw, docker_user[2]; /* of IPv4 and IPv6 */
};

static void copy_text(char *buf, size_t size, const struct nlattr *attr)
{
	snprintf(buf, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
		 (const char *)mnl_attr_get_payload(attr));
}

static uint32_t hook_of(const struct nlattr *hook)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, hook)
	{
		if (mnl_attr_get_type(attr) == NFTA_HOOK_HOOKNUM)
			return ntohl(mnl_attr_get_u32(attr));
	}
	return UINT32_MAX;
}

static int read_chain(void *data, const struct nlmsghdr *msg)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(msg);
	struct chain chain = { .family = nfg->nfgen_family };
	uint32_t hook = UINT32_MAX;
	const struct nlattr *attr;
	struct look *look = data;

	mnl_attr_for_each(attr, msg, sizeof(*nfg))
	{
		if (mnl_attr_get_type(attr) == NFTA_CHAIN_TABLE)
			copy_text(chain.table, sizeof(chain.table), attr);
		else if (mnl_attr_get_type(attr) == NFTA_CHAIN_NAME)
			copy_text(chain.name, sizeof(chain.name), attr);
		else if (mnl_attr_get_type(attr) == NFTA_CHAIN_HOOK)
			hook = hook_of(attr);
		else if (mnl_attr_get_type(attr) == NFTA_CHAIN_POLICY)
			chain.drops = ntohl(mnl_attr_get_u32(attr)) == NF_DROP;
	}
	if (strcmp(chain.table, "filter") == 0 && strcmp(chain.name, DOCKER_USER) == 0)
		look->docker_user[chain.family == NFPROTO_IPV6] = true;
	if (strcmp(chain.name, "ufw-before-forward") == 0)
		look->ufw = true;
	if (hook == NF_INET_FORWARD && look->count < CHAINS_MAX &&
	    strncmp(chain.table, OURS, strlen(OURS)) != 0 &&
	    (chain.family == NFPROTO_IPV4 || chain.family == NFPROTO_IPV6 ||
	     chain.family == NFPROTO_INET))
		look->chains[look->count++] = chain;
	return 0;
}

/* ---- rules ---- */

struct last_rule {
	const char *bridge;
	bool ends, names_bridge;
};

/* Whether an expression is `reject`, or `drop` as an immediate verdict. */
static bool is_refusal(const struct nlattr *expression)
{
	static const uint8_t drop[4] = { 0, 0, 0, NF_DROP };
	const struct nlattr *attr;
	bool immediate = false, has_drop = false;

	mnl_attr_for_each_nested(attr, expression)
	{
		if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME) {
			if (strcmp(mnl_attr_get_str(attr), "reject") == 0)
				return true;
			immediate = strcmp(mnl_attr_get_str(attr), "immediate") == 0;
		} else if (mnl_attr_get_type(attr) == NFTA_EXPR_DATA) {
			/* Its verdict's code is the only thing of four bytes at the very end. */
			size_t len = mnl_attr_get_payload_len(attr);

			has_drop = len >= 12 &&
				   memcmp((const char *)mnl_attr_get_payload(attr) + len - 4, drop,
					  4) == 0;
		}
	}
	return immediate && has_drop;
}

/* The rule refuses everything: it has counters and the refusal, and no condition. */
static bool refuses_all(const struct nlattr *list)
{
	const struct nlattr *element, *attr;
	bool refusal = false;

	mnl_attr_for_each_nested(element, list)
	{
		const char *name = "";

		mnl_attr_for_each_nested(attr, element)
		{
			if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME)
				name = mnl_attr_get_str(attr);
		}
		if (is_refusal(element))
			refusal = true;
		else if (strcmp(name, "counter") != 0 && strcmp(name, "log") != 0)
			return false;
	}
	return refusal;
}

static int read_rule(void *data, const struct nlmsghdr *msg)
{
	struct last_rule *last = data;
	const struct nlattr *attr;

	last->ends = false;
	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) != NFTA_RULE_EXPRESSIONS)
			continue;
		last->ends = refuses_all(attr);
		last->names_bridge |=
			memmem(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr),
			       last->bridge, strlen(last->bridge) + 1) != NULL;
	}
	return 0;
}

static int read_rules(struct netlink *nl, uint8_t family, const char *table, const char *chain,
		      struct last_rule *ret)
{
	struct nlmsghdr *msg =
		netlink_add(nl, nft_type(NFT_MSG_GETRULE), NLM_F_DUMP, "read nf_tables rules");

	nft_put_header(msg, family);
	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain);
	return netlink_query(nl, read_rule, ret, NULL);
}

/* ---- Docker's place for others ---- */

/* As iptables-nft writes `-i BRIDGE -j ACCEPT`, so that it can read it. */
static void put_accept(struct netlink *nl, uint8_t family, enum nft_meta_keys key,
		       const char *bridge)
{
	struct nlmsghdr *msg = netlink_add(nl, nft_type(NFT_MSG_NEWRULE), NLM_F_CREATE,
					   "let the bridge through in " DOCKER_USER);
	struct nlattr *list, *data, *verdict;
	struct nft_expression e;

	nft_put_header(msg, family);
	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, "filter");
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, DOCKER_USER);
	list = mnl_attr_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	nft_put_meta(msg, key, NFT_REG_1);
	nft_put_compare(msg, NFT_CMP_EQ, bridge, strlen(bridge) + 1);
	nft_close(msg, nft_open(msg, "counter"));
	e = nft_open(msg, "immediate");
	nft_put_be32(msg, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(msg, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(msg, NFTA_DATA_VERDICT);
	nft_put_be32(msg, NFTA_VERDICT_CODE, NF_ACCEPT);
	mnl_attr_nest_end(msg, verdict);
	mnl_attr_nest_end(msg, data);
	nft_close(msg, e);
	mnl_attr_nest_end(msg, list);
}

static bool admit(struct netlink *nl, uint8_t family, const char *bridge)
{
	struct last_rule rules = { .bridge = bridge };

	if (read_rules(nl, family, "filter", DOCKER_USER, &rules) < 0)
		return false;
	if (rules.names_bridge)
		return true;
	nft_put_begin(nl);
	put_accept(nl, family, NFT_META_IIFNAME, bridge);
	put_accept(nl, family, NFT_META_OIFNAME, bridge);
	nft_put_end(nl);
	return netlink_commit(nl, NULL) == 0;
}

/* ---- iptables-legacy ---- */

/* Whether some rule speaks of the bridge, which somebody has then seen to. */
static bool legacy_names(const struct ipt_get_entries *entries, const char *bridge)
{
	for (size_t at = 0; at + sizeof(struct ipt_entry) <= entries->size;) {
		const struct ipt_entry *entry =
			(const void *)((const char *)entries->entrytable + at);

		if (strncmp(entry->ip.iniface, bridge, IFNAMSIZ) == 0)
			return true;
		if (entry->next_offset < sizeof(*entry))
			break;
		at += entry->next_offset;
	}
	return false;
}

/* Owned by the caller; NULL where they cannot be had. */
static struct ipt_get_entries *legacy_entries(struct ipt_getinfo *info)
{
	_cleanup_free_ struct ipt_get_entries *entries = NULL;
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	socklen_t len = sizeof(*info);

	if (fd < 0 || getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, info, &len) < 0 ||
	    !(info->valid_hooks & 1u << NF_INET_FORWARD) || info->size > 64u << 20)
		return NULL;
	len = (socklen_t)(sizeof(*entries) + info->size);
	entries = calloc(1, len);
	if (!entries)
		return NULL;
	snprintf(entries->name, sizeof(entries->name), "filter");
	entries->size = info->size;
	return getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, entries, &len) < 0
		       ? NULL
		       : take_ptr(entries);
}

/* By the verdict that the chain FORWARD ends with. */
static bool legacy_drops(const char *bridge)
{
	struct ipt_getinfo info = { .name = "filter" };
	_cleanup_free_ struct ipt_get_entries *entries = legacy_entries(&info);
	const struct xt_standard_target *target;
	const struct ipt_entry *entry;

	if (!entries || info.underflow[NF_INET_FORWARD] >= info.size)
		return false;
	entry = (const void *)((const char *)entries->entrytable + info.underflow[NF_INET_FORWARD]);
	target = (const void *)((const char *)entry + entry->target_offset);
	return target->verdict == -NF_DROP - 1 && !legacy_names(entries, bridge);
}

/* Asking for its entries would make the table where there is none. */
static bool legacy_filter_exists(void)
{
	_cleanup_file_ FILE *file = fopen("/proc/net/ip_tables_names", "re");
	char line[64];

	while (file && fgets(line, sizeof(line), file))
		if (strcmp(line, "filter\n") == 0)
			return true;
	return false;
}

/* ---- the whole ---- */

static void describe(const struct look *look, const struct chain *chain, const char *kind,
		     struct network_obstacle *ret)
{
	static const char *const families[] = {
		[NFPROTO_INET] = "inet", [NFPROTO_IPV4] = "ip", [NFPROTO_IPV6] = "ip6"
	};
	const char *b = look->bridge;

	snprintf(ret->chain, sizeof(ret->chain), "%stable %s %s, chain %s", kind,
		 families[chain->family], chain->table, chain->name);
	if (strcmp(chain->table, "firewalld") == 0)
		snprintf(ret->advice, sizeof(ret->advice),
			 "firewall-cmd --permanent --zone=trusted --add-interface=%s && "
			 "firewall-cmd --reload",
			 b);
	else if (look->ufw)
		snprintf(ret->advice, sizeof(ret->advice),
			 "ufw route allow in on %s && ufw route allow out on %s", b, b);
	else if (strcmp(chain->table, "filter") == 0)
		snprintf(ret->advice, sizeof(ret->advice),
			 "%s -I %s -i %s -j ACCEPT && %s -I %s -o %s -j ACCEPT",
			 chain->family == NFPROTO_IPV6 ? "ip6tables" : "iptables", chain->name, b,
			 chain->family == NFPROTO_IPV6 ? "ip6tables" : "iptables", chain->name, b);
	else
		snprintf(ret->advice, sizeof(ret->advice),
			 "nft insert rule %s %s %s iifname %s accept && nft insert rule %s %s %s "
			 "oifname %s accept",
			 families[chain->family], chain->table, chain->name, b,
			 families[chain->family], chain->table, chain->name, b);
}

/* Whether the chain drops what is ours; where it may be told not to, it is. */
static bool stands_in_the_way(struct netlink *nl, const struct look *look,
			      const struct chain *chain)
{
	struct last_rule rules = { .bridge = look->bridge };
	bool v6 = chain->family == NFPROTO_IPV6;

	if (read_rules(nl, chain->family, chain->table, chain->name, &rules) < 0 ||
	    rules.names_bridge || (!chain->drops && !rules.ends))
		return false;
	return !look->docker_user[v6] || strcmp(chain->table, "filter") != 0 ||
	       !admit(nl, chain->family, look->bridge);
}

int foreign_look(struct netlink *nl, const char *bridge, struct network_obstacle *ret,
		 struct err *err)
{
	static const struct chain legacy = { NFPROTO_IPV4, "filter", "FORWARD", true };
	struct look look = { .bridge = bridge };
	int r = -EAGAIN;

	for (int tries = 0; r == -EAGAIN && tries < 10; tries++) {
		struct nlmsghdr *msg = netlink_add(nl, nft_type(NFT_MSG_GETCHAIN), NLM_F_DUMP,
						   "read nf_tables chains");

		nft_put_header(msg, NFPROTO_UNSPEC);
		look.count = 0;
		r = netlink_query(nl, read_chain, &look, err);
	}
	if (r < 0)
		return r;
	err_clear(err);
	for (size_t i = 0; i < look.count; i++)
		if (stands_in_the_way(nl, &look, &look.chains[i])) {
			describe(&look, &look.chains[i], "", ret);
			return 1;
		}
	if (!legacy_filter_exists() || !legacy_drops(bridge))
		return 0;
	describe(&look, &legacy, "iptables-legacy, ", ret);
	return 1;
}
