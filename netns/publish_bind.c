/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of published ports. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "netns/publish.h"

#define CHOICE_TRIES 64 /* a number that is free for IPv4 may be taken for IPv6 */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* "" is every address of the family. */
static socklen_t fill(union address *ret, int family, const char *text, uint16_t port)
{
	*ret = (union address){ .any.sa_family = (sa_family_t)family };
	if (family == AF_INET) {
		ret->v4.sin_port = htons(port);
		if (*text)
			inet_pton(AF_INET, text, &ret->v4.sin_addr);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_port = htons(port);
	if (*text)
		inet_pton(AF_INET6, text, &ret->v6.sin6_addr);
	return sizeof(ret->v6);
}

static uint16_t port_of(int fd)
{
	union address address = { 0 };
	socklen_t len = sizeof(address);

	getsockname(fd, &address.any, &len);
	return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

/* An fd or -errno. */
static int bind_one(int family, const char *text, uint16_t port, bool udp)
{
	_cleanup_fd_ int fd =
		socket(family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	union address address;
	socklen_t len = fill(&address, family, text, port);
	int on = 1;

	if (fd < 0)
		return -errno;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* Of TCP it overlooks connections that linger, and no listener; UDP would share. */
	if (!udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address.any, len) < 0 || (!udp && listen(fd, SOMAXCONN) < 0))
		return -errno;
	return take_fd(&fd);
}

/* Of every address: both kinds with one number. A host without IPv6 does without. */
static int bind_both(uint16_t port, bool udp, int fds[static 2])
{
	_cleanup_fd_ int v4 = bind_one(AF_INET, "", port, udp);
	int v6;

	if (v4 < 0)
		return v4;
	v6 = bind_one(AF_INET6, "", port_of(v4), udp);
	if (v6 == -EAFNOSUPPORT || v6 == -EADDRNOTAVAIL) {
		log_debug("no IPv6 here: port %u is published by IPv4 only", port_of(v4));
		v6 = -1;
	} else if (v6 < 0) {
		return v6;
	}
	fds[0] = take_fd(&v4);
	fds[1] = v6;
	return 0;
}

static int bind_number(const struct publish_port *p, uint16_t number, int fds[static 2])
{
	bool v6 = strchr(p->address, ':');
	int fd;

	fds[0] = fds[1] = -1;
	if (!*p->address)
		return bind_both(number, p->udp, fds);
	fd = bind_one(v6 ? AF_INET6 : AF_INET, p->address, number, p->udp);
	fds[v6] = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

static int explain(const struct publish_port *p, int code, struct err *err)
{
	char text[PUBLISH_TEXT_SIZE];
	const char *kind = p->udp ? "udp" : "tcp";

	publish_format_host(p, "", text);
	if (code == EADDRINUSE && p->host != p->host_last)
		return err_say(err, code, "ports %s/%s are all in use already", text, kind);
	if (code == EADDRINUSE)
		return err_say(err, code, "port %s/%s is in use already", text, kind);
	if (code == EADDRNOTAVAIL || code == EAFNOSUPPORT)
		return err_say(err, code, "%s is no address of this host", p->address);
	return err_set(err, code, "publish port %s/%s", text, kind);
}

int publish_bind(struct publish_port *port, int fds[static 2], struct err *err)
{
	int made[2], r = -EADDRINUSE;
	unsigned last = port->host ? port->host_last : CHOICE_TRIES;

	/* Without a number each try is another one of the kernel's choice. */
	for (unsigned i = port->host; r == -EADDRINUSE && i <= last; i++)
		r = bind_number(port, port->host ? (uint16_t)i : 0, made);
	if (r < 0)
		return explain(port, -r, err);
	memcpy(fds, made, sizeof(made));
	port->host = port->host_last = port_of(fds[0] >= 0 ? fds[0] : fds[1]);
	return 0;
}

int publish_probe(const struct publish_list *list, struct err *err)
{
	int(*fds)[2] = calloc(list->count + 1, sizeof(*fds)), r = 0;
	size_t n;

	if (!fds)
		return err_set(err, ENOMEM, "publish ports");
	/* All at once, so that a number asked for twice is found out too. */
	for (n = 0; r == 0 && n < list->count; n++) {
		struct publish_port port = list->items[n];

		fds[n][0] = fds[n][1] = -1;
		r = publish_bind(&port, fds[n], err);
	}
	while (n-- > 0) {
		cleanup_fd(&fds[n][0]);
		cleanup_fd(&fds[n][1]);
	}
	free(fds);
	return r;
}
