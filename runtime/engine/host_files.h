/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: files in its folder, bind-mounted
 * into it, so that an image need not bring them and cannot be told apart by them.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine_network.h"

struct host_files {
	const char *hostname;
	const char *name;     /* of the container; also an alias, unless it is the host name */
	const char *address;  /* "10.77.0.2", without prefix; NULL: none */
	const char *address6; /* likewise */
	const char *gateway;  /* what host-gateway stands for; NULL: the host's loopback */
	bool host_network;    /* the host's own hosts and resolv.conf, but for what is asked for */
	/* Folder of the container whose hosts and resolv.conf are its own, or NULL. */
	const char *joined_dir;
	bool resolver; /* its supervisor answers for names, at RESOLVER_ADDRESS */
	const struct engine_network_options *net; /* what is asked for, or NULL */
};

/* Texts owned by the caller; NULL when out of memory. */
char *host_files_hosts(const struct host_files *files);

/*
 * resolv.conf without nameservers that only the host can reach (loopback). ret_usable: whether a
 * nameserver is left.
 */
char *host_files_resolv(const char *host_text, bool *ret_usable);

/*
 * What --dns, --dns-search and --dns-option make of a resolv.conf: each replaces the lines of its
 * kind. Owned by the caller, NULL when out of memory.
 */
char *host_files_resolv_options(const char *text, const struct engine_network_options *net);

/* The name servers of the host, as its resolv.conf has them. -ENOMEM. */
int host_files_servers(struct arena *arena, const char *const **ret);

/* resolv.conf of who asks us: the host's but for the name servers. As above. */
char *host_files_resolv_own(const char *host_text, const struct engine_network_options *net);

/* Writes the three into the folder. */
int host_files_write(int dirfd, const struct host_files *files, struct err *err);
