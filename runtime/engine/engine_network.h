/* SPDX-License-Identifier: Apache-2.0 */
/* What a person may ask for of a container's network. Zero values are Docker's defaults. */
#pragma once

#include "netns/network.h"
#include "netns/publish.h"

/* A line of /etc/hosts. */
struct engine_host {
	const char *name;
	const char *address; /* NULL: the gateway's, which is the host */
};

struct engine_network_options {
	const struct publish_port *ports; /* of the host, passed on to it */
	size_t ports_count;
	/* Ports that it is known for beside its image's: "80", "53/udp", "8000-8010". They count
	 * where publish_all is set: each is published on a port that the kernel chooses, but for
	 * those that are in ports already. */
	const char *const *exposed; /* NULL-terminated, or NULL */
	bool publish_all;
	struct network_request request;
	/* Lists are NULL-terminated; NULL: none. Of resolv.conf: NULL is as the host has it. */
	const char *const *dns, *const *dns_search, *const *dns_options;
	const char *const *aliases; /* further names that other containers know it by */
	const struct engine_host *hosts;
	size_t hosts_count;
	const char *join; /* container whose network it shares: ENGINE_NETWORK_CONTAINER */
};
