/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of user and group ids of the host, ID_RANGE_SIZE each, one a container with a user
 * namespace of its own: symlinks CONTAINERS/.ids/NUMBER -> ID, taken and let go as names are
 * (names.h): making the link is taking the range, and a link whose container is gone may be taken
 * over. Linked into the shim too.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define ID_RANGE_SIZE 65536u

/*
 * Where nothing else is said: 3840 ranges from 1879048192 (0x70000000) on. They lie above those
 * that systemd gives its containers and below what 31 bits hold.
 */
#define ID_RANGES_FIRST 0x70000000u
#define ID_RANGES_COUNT 3840u

/* Where ranges may lie. */
struct id_ranges {
	uint32_t first, count;
};

/*
 * From the texts of /etc/subuid and /etc/subgid (NULL: none): the lines of the user "cellar", which
 * must say the same. -EINVAL where they do not, or hold no whole range.
 */
int id_ranges_parse(const char *subuid, const char *subgid, struct id_ranges *ret, struct err *err);

/* ret_base: the first id. -EUSERS when all are taken. */
int id_ranges_take(int containers_fd, const struct id_ranges *ranges, const char *id,
		   uint32_t *ret_base, struct err *err);

/* Only where it is still that id's. 0 also when it is not. */
int id_ranges_release(int containers_fd, uint32_t base, const char *id, struct err *err);
