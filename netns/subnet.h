/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 subnets as data: masks, overlap, and the choice of one that nobody uses. Pure. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct subnet {
	struct in_addr address; /* host bits clear */
	unsigned prefix_len;	/* 0 to 32 */
};

struct subnet_list {
	struct subnet *items;
	size_t count, size;
};

uint32_t subnet_mask(unsigned prefix_len); /* in host order */

/* Host bits of address are cleared. 0 or -ENOMEM. */
int subnet_list_add(struct subnet_list *list, struct in_addr address, unsigned prefix_len);
void subnet_list_deinit(struct subnet_list *list);

bool subnet_overlaps(const struct subnet *a, const struct subnet *b);

/*
 * The first free one of: 10.77.0.0/16 to 10.255.0.0/16, 172.31.0.0/16 down to 172.18.0.0/16,
 * 192.168.255.0/24 down to 192.168.2.0/24. Used prefixes shorter than /8 are ignored: default
 * routes, also when a VPN writes them as two halves. 0 or -EADDRNOTAVAIL.
 */
int subnet_choose(const struct subnet_list *used, struct subnet *ret);

#define _cleanup_subnet_list_ _cleanup_(subnet_list_deinit)
