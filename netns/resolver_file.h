/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BUNDLE/resolver.json: what a container's supervisor must know to answer its questions for names:
 * in which network namespace it asks, and which servers know what we do not.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define RESOLVER_FILE "resolver.json"
#define RESOLVER_ADDRESS "127.0.0.11" /* on the container's loopback; where Docker's is, too */
#define RESOLVER_PORT 20053	      /* what is sent to 53 goes there: nft_inside.h */
#define RESOLVER_SERVERS_MAX 3	      /* as many as resolv.conf may name */

struct resolver_settings {
	const char *netns;	    /* path */
	const char *const *servers; /* addresses, NULL-terminated */
};

/* dirfd: the container's folder. 1: read; 0: there is no such file. */
int resolver_settings_save(int dirfd, const struct resolver_settings *settings, struct err *err);
int resolver_settings_load(int dirfd, struct arena *arena, struct resolver_settings *ret,
			   struct err *err);
