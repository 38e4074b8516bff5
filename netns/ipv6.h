/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's IPv6 switches, of the network namespace of who asks. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "base/err.h"

/* Whether the kernel does IPv6 at all, and on this interface; for one that does not exist yet,
 * whether it will there. */
bool ipv6_is_on(const char *interface);

/* Whether the reader's network namespace forwards IPv6. */
bool ipv6_forwards(void);

/*
 * Turns forwarding on where it is off. A host that forwards believes no router advertisements,
 * unless told so: interfaces that listen to them are told (accept_ra = 2), so that the host's own
 * IPv6 stays as it is. 0 or -errno.
 */
int ipv6_enable_forwarding(struct err *err);

/* In a new namespace, before it has interfaces: they shall use an address at once (no duplicate
 * address detection), and let no neighbour make them routes. */
void ipv6_prepare_namespace(void);

/* The unique local /64 of a folder on this machine, always the same. */
struct in6_addr ipv6_choose_subnet(const char *absolute_dir);
