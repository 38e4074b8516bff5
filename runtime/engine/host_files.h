/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: files in its folder, bind-mounted
 * into it, so that an image need not bring them and cannot be told apart by them.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct host_files {
	const char *hostname;
	const char *name;    /* of the container; also an alias, unless it is the host name */
	const char *address; /* "10.77.0.2", without prefix; NULL: none */
	bool host_network;   /* the host's own hosts and resolv.conf, unchanged */
};

/* Texts owned by the caller; NULL when out of memory. */
char *host_files_hosts(const struct host_files *files);

/*
 * resolv.conf without nameservers that only the host can reach (loopback). ret_usable: whether a
 * nameserver is left.
 */
char *host_files_resolv(const char *host_text, bool *ret_usable);

/* Writes the three into the folder. */
int host_files_write(int dirfd, const struct host_files *files, struct err *err);
