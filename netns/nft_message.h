/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of nf_tables messages. nf_tables speaks in big-endian numbers, and in expressions that
 * work on registers: load a value, compare, and where all comparisons held, act.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "netns/netlink.h"

static inline uint16_t nft_type(int message)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

void nft_put_header(struct nlmsghdr *msg, uint8_t family);
void nft_put_be32(struct nlmsghdr *msg, uint16_t attribute, uint32_t value);

/* The frame around changes that are made all or none. */
void nft_put_begin(struct netlink *nl);
void nft_put_end(struct netlink *nl);

/* A value in the nest that nf_tables wants around it. */
void nft_put_value(struct nlmsghdr *msg, uint16_t attribute, const void *value, size_t len);

/* Opens an element of a rule's list of expressions; ends with nft_close(). */
struct nft_expression {
	struct nlattr *element, *data;
};

struct nft_expression nft_open(struct nlmsghdr *msg, const char *name);
void nft_close(struct nlmsghdr *msg, struct nft_expression e);

/* Loads: from a header of the packet, or about it (NFT_META_*). */
void nft_put_payload(struct nlmsghdr *msg, enum nft_payload_bases base, size_t offset, size_t len,
		     uint32_t reg);
void nft_put_meta(struct nlmsghdr *msg, enum nft_meta_keys key, uint32_t reg);

/* On NFT_REG_1. */
void nft_put_compare(struct nlmsghdr *msg, enum nft_cmp_ops op, const void *value, size_t len);
void nft_put_mask(struct nlmsghdr *msg, const void *mask, size_t len);
