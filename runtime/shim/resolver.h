/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name server of a container: sockets of its shim on the container's own loopback
 * (127.0.0.11, where port 53 is turned to: netns/nft_inside.h), by BUNDLE/resolver.json, so that a
 * later shim can open them again.
 *
 * Names of containers it answers from what the disk tells at that moment; nothing is told to
 * anybody when a container comes or goes. All else it passes on to the host's servers, from the
 * host's network, where also one on the host's loopback can be reached. By TCP, which only comes
 * for answers that are too long for UDP, all questions are passed on.
 *
 * Questions only: to a server of the host the container seems to be the host, and may be trusted
 * with changes (UPDATE, NOTIFY) or whole zones (AXFR).
 */
#pragma once

#include "base/err.h"
#include "base/loop.h"
#include "runtime/shim/dns_message.h"

struct resolver;

/* Fills in the addresses of the containers that are known by a name; how many. */
typedef size_t (*resolver_find_fn)(const char *root, const char *runroot, const char *name,
				   struct dns_address *ret, size_t max);

struct resolver_options {
	struct loop *loop;
	const char *bundle;
	const char *root, *runroot; /* for find; outlive the resolver */
	resolver_find_fn find;
};

/* *ret is NULL for a bundle without resolver.json. */
int resolver_open(const struct resolver_options *options, struct resolver **ret, struct err *err);
struct resolver *resolver_close(struct resolver *resolver); /* takes NULL, returns NULL */
