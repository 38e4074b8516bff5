/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "netns/publish.h"
#include "runtime/shim/relay.h"
#include "runtime/shim/relay_flow.h"

#define FDS_RESERVED 256 /* of the limit, for what else a shim does */
#define FDS_MIN 64
#define FDS_MAX 2048

struct holder {
	struct relay_tcp *tcp;
	struct relay_udp *udp;
	uint32_t place; /* which of the bundle's ports, times two, and which of its sockets */
};

struct ports {
	struct relay_budget budget;
	struct holder *holders; /* two a port: IPv4 and IPv6 */
	size_t count;
};

struct ports *ports_close(struct ports *ports)
{
	if (!ports)
		return NULL;
	for (size_t i = 0; i < ports->count; i++) {
		relay_tcp_free(ports->holders[i].tcp);
		relay_udp_free(ports->holders[i].udp);
	}
	free(ports->holders);
	free(ports);
	return NULL;
}

/* What the limit on descriptors leaves. It is not raised, since the container would inherit that.
 */
static size_t count_budget(size_t sockets)
{
	struct rlimit limit = { .rlim_cur = 1024 };
	size_t taken = FDS_RESERVED + sockets;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < taken + FDS_MIN)
		return FDS_MIN;
	return limit.rlim_cur - taken < FDS_MAX ? limit.rlim_cur - taken : FDS_MAX;
}

static struct relay_target make_target(const struct publish_list *list, uint16_t port)
{
	struct relay_target target = { 0 };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET, list->target, &v4.sin_addr) == 1) {
		memcpy(&target.addresses[target.count], &v4, sizeof(v4));
		target.lens[target.count++] = sizeof(v4);
	}
	if (inet_pton(AF_INET6, list->target6, &v6.sin6_addr) == 1) {
		memcpy(&target.addresses[target.count], &v6, sizeof(v6));
		target.lens[target.count++] = sizeof(v6);
	}
	return target;
}

static const Upgrade__Port *find_saved(const struct ports_saved *saved, uint32_t place)
{
	for (size_t i = 0; saved && i < saved->count; i++)
		if (saved->list[i]->place == place)
			return saved->list[i];
	return NULL;
}

static int open_holder(struct ports *ports, const struct relay_options *o, bool udp,
		       const Upgrade__Port *saved, struct err *err)
{
	struct holder *holder = &ports->holders[ports->count];
	int r = udp ? relay_udp_new(o, &holder->udp, err) : relay_tcp_new(o, &holder->tcp, err);

	if (r < 0)
		return r;
	ports->count++;
	if (saved && !udp)
		relay_tcp_restore(holder->tcp, saved);
	return 0;
}

static int open_port(struct ports *ports, struct loop *loop, const struct publish_list *list,
		     size_t index, const struct ports_saved *saved, struct err *err)
{
	struct publish_port *port = &list->items[index];
	const Upgrade__Port *found[2];
	int fds[2] = { -1, -1 }, r = 0;

	for (uint32_t i = 0; i < 2; i++) {
		found[i] = find_saved(saved, (uint32_t)index * 2 + i);
		fds[i] = found[i] ? found[i]->fd : -1;
	}
	if (fds[0] < 0 && fds[1] < 0)
		r = publish_bind(port, fds, err);
	for (uint32_t i = 0; r == 0 && i < 2; i++) {
		struct relay_options o = {
			.loop = loop,
			.budget = &ports->budget,
			.target = make_target(list, port->container),
			.fd = fds[i],
		};

		if (fds[i] < 0)
			continue;
		ports->holders[ports->count].place = (uint32_t)index * 2 + i;
		r = open_holder(ports, &o, port->udp, found[i], err);
		if (r == 0)
			take_fd(&fds[i]);
	}
	cleanup_fd(&fds[0]);
	cleanup_fd(&fds[1]);
	return r;
}

static int open_all(struct ports *ports, struct loop *loop, struct publish_list *list,
		    const struct ports_saved *saved, struct err *err)
{
	int r = 0;

	ports->holders = calloc(2 * list->count + 1, sizeof(*ports->holders));
	if (!ports->holders)
		return err_set(err, ENOMEM, "publish ports");
	ports->budget.left = count_budget(2 * list->count);
	for (size_t i = 0; r == 0 && i < list->count; i++)
		r = open_port(ports, loop, list, i, saved, err);
	return r;
}

int ports_open(struct loop *loop, const char *bundle, const struct ports_saved *saved,
	       struct ports **ret, struct err *err)
{
	_cleanup_publish_list_ struct publish_list list = { 0 };
	_cleanup_fd_ int dirfd = dir_open(AT_FDCWD, bundle, err);
	struct ports *ports;
	int r = dirfd < 0 ? dirfd : publish_load(dirfd, &list, err);

	*ret = NULL;
	if (r <= 0)
		return r;
	ports = calloc(1, sizeof(*ports));
	if (!ports)
		return err_set(err, ENOMEM, "publish ports");
	r = open_all(ports, loop, &list, saved, err);
	if (r == 0)
		r = publish_save(dirfd, &list, err);
	if (r < 0) {
		ports_close(ports);
		return r;
	}
	*ret = ports;
	return 0;
}

int ports_save(const struct ports *ports, struct ports_saved *ret)
{
	size_t count = ports ? ports->count : 0;
	int r = 0;

	ret->items = calloc(count + 1, sizeof(*ret->items));
	ret->list = calloc(count + 1, sizeof(*ret->list));
	if (!ret->items || !ret->list)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++) {
		const struct holder *holder = &ports->holders[i];
		Upgrade__Port *saved = &ret->items[i];

		*saved = (Upgrade__Port)UPGRADE__PORT__INIT;
		saved->place = holder->place;
		ret->list[ret->count++] = saved;
		if (holder->tcp)
			r = relay_tcp_save(holder->tcp, saved);
		else
			saved->fd = relay_udp_fd(holder->udp);
	}
	return r;
}

void ports_unsave(struct ports_saved *saved)
{
	for (size_t i = 0; i < saved->count; i++)
		flow_unsave(saved->list[i]);
	free(take_ptr(saved->items));
	free(take_ptr(saved->list));
	saved->count = 0;
}
