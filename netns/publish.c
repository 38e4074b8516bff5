/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/publish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* ---- what a person writes ---- */

struct range {
	unsigned first, last;
};

/* "80" or "80-90", of len bytes. */
static bool parse_range(const char *text, size_t len, struct range *ret)
{
	unsigned numbers[2] = { 0 };
	size_t at = 0, digits = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-' && at == 0 && digits) {
			at = 1;
			digits = 0;
			continue;
		}
		if (text[i] < '0' || text[i] > '9' || ++digits > 5)
			return false;
		numbers[at] = numbers[at] * 10 + (unsigned)(text[i] - '0');
	}
	*ret = (struct range){ numbers[0], at ? numbers[1] : numbers[0] };
	return digits && ret->first >= 1 && ret->last <= 65535 && ret->first <= ret->last;
}

/* As the kernel writes it, so that equal addresses are equal texts. */
static bool parse_address(const char *text, size_t len, bool v6, char *ret)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr in;
	int family = v6 ? AF_INET6 : AF_INET;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(family, copy, &in) == 1 && inet_ntop(family, &in, ret, INET6_ADDRSTRLEN);
}

/* Takes "ADDRESS:" off the front. The rest, or NULL when it is not an address. */
static const char *take_address(const char *word, char *ret)
{
	const char *colon = strchr(word, ':'), *end;

	if (*word == '[') {
		end = strchr(word, ']');
		if (!end || end[1] != ':' ||
		    !parse_address(word + 1, (size_t)(end - word) - 1, true, ret))
			return NULL;
		return end + 2;
	}
	/* One colon parts HOST and CONTAINER only; an address has dots. */
	if (!colon || (!strchr(colon + 1, ':') && !memchr(word, '.', (size_t)(colon - word))))
		return word;
	return parse_address(word, (size_t)(colon - word), false, ret) ? colon + 1 : NULL;
}

static int add(struct publish_list *list, const struct publish_port *first,
	       const struct range *host, const struct range *container, struct err *err)
{
	size_t n = container->last - container->first + 1;
	bool one_each = host->last - host->first + 1 == n;
	struct publish_port *items;

	if (list->count + n > PUBLISH_MAX)
		return err_say(err, E2BIG, "more than %d ports", PUBLISH_MAX);
	items = reallocarray(list->items, list->count + n, sizeof(*items));
	if (!items)
		return err_set(err, ENOMEM, "publish ports");
	list->items = items;
	for (size_t i = 0; i < n; i++) {
		struct publish_port *p = &items[list->count++];

		*p = *first;
		p->container = (uint16_t)(container->first + i);
		p->host = (uint16_t)(host->first ? host->first + (one_each ? i : 0) : 0);
		p->host_last = one_each ? p->host : (uint16_t)host->last;
	}
	return 0;
}

static int bad(const char *word, const char *why, struct err *err)
{
	return err_say(err, EINVAL,
		       "\"%.100s\": %s, as in 8080:80, 127.0.0.1:8080:80/tcp, "
		       "[::1]:53:53/udp or 8000-8010:80-90",
		       word, why);
}

int publish_parse(const char *word, struct publish_list *list, struct err *err)
{
	struct publish_port port = { 0 };
	struct range host = { 0 }, container;
	const char *slash = strchr(word, '/'), *rest = take_address(word, port.address), *colon;
	size_t len;

	if (!rest)
		return bad(word, "the address must be a number, of IPv6 in brackets", err);
	if (slash && strcmp(slash, "/tcp") != 0 && strcmp(slash, "/udp") != 0)
		return bad(word, "only tcp and udp can be published", err);
	port.udp = slash && slash[1] == 'u';
	len = strcspn(rest, "/");
	colon = memchr(rest, ':', len);
	if (colon && colon != rest && !parse_range(rest, (size_t)(colon - rest), &host))
		return bad(word, "ports are numbers from 1 to 65535", err);
	/* ADDRESS::80 leaves the host's port out, and so does 80; the rest leaves out too much. */
	if (*port.address ? !colon : colon == rest)
		return bad(word, "a port is missing", err);
	if (colon) {
		len -= (size_t)(colon + 1 - rest);
		rest = colon + 1;
	}
	if (!parse_range(rest, len, &container))
		return bad(word, "ports are numbers from 1 to 65535", err);
	if (host.first && container.first != container.last &&
	    host.last - host.first != container.last - container.first)
		return bad(word, "both ranges must be of one length", err);
	return add(list, &port, &host, &container, err);
}

void publish_list_deinit(struct publish_list *list)
{
	free(list->items);
	*list = (struct publish_list){ 0 };
}

char *publish_format_host(const struct publish_port *port, const char *every,
			  char buf[static PUBLISH_TEXT_SIZE])
{
	const char *address = *port->address ? port->address : every;
	bool v6 = strchr(address, ':');
	int n = snprintf(buf, PUBLISH_TEXT_SIZE, "%s%s%s%s%u", v6 ? "[" : "", address,
			 v6 ? "]" : "", *address ? ":" : "", port->host);

	if (port->host_last > port->host)
		snprintf(buf + n, PUBLISH_TEXT_SIZE - (size_t)n, "-%u", port->host_last);
	return buf;
}
