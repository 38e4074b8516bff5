/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Published ports as data, and the sockets that hold them. Whoever supervises a container binds a
 * socket for each of its ports, so that nobody else can take one while the container lives; BUNDLE/
 * ports.json tells which, and with which numbers, so that a later supervisor binds the same.
 *
 * Needs no libmnl: the supervisor reads it, too.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PUBLISH_FILE "ports.json"
#define PUBLISH_MAX 1024 /* ports of one container */
#define PUBLISH_TEXT_SIZE (INET6_ADDRSTRLEN + sizeof("[]:65535-65535/tcp"))

struct publish_port {
	char address[INET6_ADDRSTRLEN]; /* of the host; "": all of them, IPv4 and IPv6 */
	uint16_t host, host_last; /* the first free one of these; 0: any that the kernel chooses */
	uint16_t container;
	bool udp;
};

struct publish_list {
	struct publish_port *items; /* owned */
	size_t count;
	char target[INET_ADDRSTRLEN], target6[INET6_ADDRSTRLEN]; /* the container's, or "" */
};

/*
 * Adds what `-p` says: [ADDRESS:][HOST:]CONTAINER[/tcp|udp], where HOST and CONTAINER may be ranges
 * (8000-8010:80-90), and an IPv6 address stands in brackets. On failure nothing is added.
 */
int publish_parse(const char *word, struct publish_list *list, struct err *err);
void publish_list_deinit(struct publish_list *list);

/* "0.0.0.0:8080", "[::1]:8080"; "" as address writes every as given. Returns buf. */
char *publish_format_host(const struct publish_port *port, const char *every,
			  char buf[static PUBLISH_TEXT_SIZE]);

/*
 * Binds a port, by IPv4 in fds[0] and by IPv6 in fds[1], -1 where there is none of that kind; TCP
 * listens at once, because only that keeps others off. Descriptors are non-blocking and O_CLOEXEC.
 * port->host and host_last become the number that it got. -EADDRINUSE with a sentence that names
 * it.
 */
int publish_bind(struct publish_port *port, int fds[static 2], struct err *err);

/* Whether all can be bound together right now; binds nothing for good. The list stays as it is. */
int publish_probe(const struct publish_list *list, struct err *err);

/* dirfd: the container's folder. 1: read; 0: there is no such file. */
int publish_save(int dirfd, const struct publish_list *list, struct err *err);
int publish_load(int dirfd, struct publish_list *ret, struct err *err);

#define _cleanup_publish_list_ _cleanup_(publish_list_deinit)
