/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/subnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

/*
 * Away from what others take first: Docker begins at 172.17, home routers are 192.168.0 and .1,
 * clouds and virtual machines number from the low end.
 */
static const struct range {
	uint32_t first, last; /* in host order; counts down when last is less */
	unsigned prefix_len;
} ranges[] = {
	{ 0x0a4d0000, 0x0aff0000, 16 }, /* 10.77 to 10.255 */
	{ 0xac1f0000, 0xac120000, 16 }, /* 172.31 to 172.18 */
	{ 0xc0a8ff00, 0xc0a80200, 24 }, /* 192.168.255 to 192.168.2 */
};

uint32_t subnet_mask(unsigned prefix_len)
{
	return prefix_len ? ~UINT32_C(0) << (32 - prefix_len) : 0;
}

int subnet_list_add(struct subnet_list *list, struct in_addr address, unsigned prefix_len)
{
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 32;
		struct subnet *items = reallocarray(list->items, size, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->size = size;
	}
	address.s_addr &= htonl(subnet_mask(prefix_len));
	list->items[list->count++] = (struct subnet){ address, prefix_len };
	return 0;
}

void subnet_list_deinit(struct subnet_list *list)
{
	free(list->items);
	*list = (struct subnet_list){ 0 };
}

bool subnet_overlaps(const struct subnet *a, const struct subnet *b)
{
	unsigned shorter = a->prefix_len < b->prefix_len ? a->prefix_len : b->prefix_len;

	return ((a->address.s_addr ^ b->address.s_addr) & htonl(subnet_mask(shorter))) == 0;
}

static bool is_free(const struct subnet *subnet, const struct subnet_list *used)
{
	for (size_t i = 0; i < used->count; i++)
		if (used->items[i].prefix_len >= 8 && subnet_overlaps(subnet, &used->items[i]))
			return false;
	return true;
}

int subnet_choose(const struct subnet_list *used, struct subnet *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		const struct range *range = &ranges[i];
		uint32_t size = UINT32_C(1) << (32 - range->prefix_len);
		uint32_t step = range->last < range->first ? -size : size;

		for (uint32_t a = range->first;; a += step) {
			struct subnet subnet = { { htonl(a) }, range->prefix_len };

			if (is_free(&subnet, used)) {
				*ret = subnet;
				return 0;
			}
			if (a == range->last)
				break;
		}
	}
	return -EADDRNOTAVAIL;
}
