/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A netlink socket that sends several requests in one go and turns each refusal into a sentence.
 *
 *	msg = netlink_add(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "give %s an address", name);
 *	mnl_nlmsg_put_extra_header(msg, ...); mnl_attr_put(msg, ...);
 *	netlink_tolerate(nl, EEXIST);
 *	...more messages...
 *	r = netlink_commit(nl, err);
 *
 * The kernel answers before sendmsg(2) returns, so nothing here ever waits; the socket is
 * non-blocking, and an answer that is not there is an error instead of a hang.
 */
#pragma once

#include <stdint.h>
#include <libmnl/libmnl.h>

#include "base/cleanup.h"
#include "base/err.h"

struct netlink;

#define NETLINK_BATCH_MAX 24 /* requests in one commit, of at most 1,000 bytes each */

/* In the caller's network namespace. bus: NETLINK_ROUTE or NETLINK_NETFILTER. */
int netlink_open(int bus, struct netlink **ret, struct err *err);

/* On a netlink socket made elsewhere, as in another namespace; owns it, also on failure. */
int netlink_adopt(int fd, struct netlink **ret, struct err *err);
struct netlink *netlink_close(struct netlink *nl); /* takes NULL, returns NULL */
int netlink_fd(const struct netlink *nl);	   /* for SIOCGIF* in its namespace; not owned */

/*
 * Begins a request; the text says what is attempted, for the sentence. flags: NLM_F_* beside
 * NLM_F_REQUEST and NLM_F_ACK, which a commit adds where they belong. The pointer is good for
 * adding the header and attributes until the next netlink_add().
 */
struct nlmsghdr *netlink_add(struct netlink *nl, uint16_t type, uint16_t flags, const char *fmt,
			     ...) __attribute__((format(printf, 4, 5)));

/* The last added request may fail with this positive errno value without spoiling the commit. */
void netlink_tolerate(struct netlink *nl, int code);

/* The last added request gets no acknowledgement (the frame of an nf_tables batch). */
void netlink_expect_no_ack(struct netlink *nl);

/* Sends all requests added and takes their acknowledgements. The first refusal is reported. */
int netlink_commit(struct netlink *nl, struct err *err);

/*
 * Sends the one request added and calls fn for what it gives: one object, or with NLM_F_DUMP all
 * of them, consistently (-EAGAIN when they changed on the way). fn ends it with <0, which is
 * returned.
 */
int netlink_query(struct netlink *nl, int (*fn)(void *data, const struct nlmsghdr *msg), void *data,
		  struct err *err);

/* The requests added and not yet sent, for tests. */
const struct nlmsghdr *netlink_pending(const struct netlink *nl, size_t *ret_len);

CLEANUP_DEFINE(struct netlink, netlink, netlink_close);
#define _cleanup_netlink_ _cleanup_(cleanup_netlink)
