/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. A connection has two ends, the client's and the container's. What is read
 * from one is written to the other at once; what that does not take is kept beside it (at most one
 * CHUNK), and until it is gone nothing more is read: so a slow reader slows down its writer, and
 * memory is bounded. The end of one direction is passed on by shutdown(2), the other direction goes
 * on. An end is watched only for what it can be helped with, since epoll would report a broken
 * connection again and again to one that cannot act on it.
 *
 * Copying by read and write, not splice(2): a pipe for each busy direction would cost two more
 * descriptors of a limit that is often 1,024, and the copies go unseen beside the rest (docs/
 * ARCHITECTURE.md has the figures).
 */
#include "runtime/shim/relay_flow.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CHUNK 65536
#define ROUNDS 8	  /* chunks before others get their turn */
#define DRAIN_ROUNDS 1024 /* the same at the end, when there is no later turn */

enum { CLIENT, CONTAINER };

struct flow;

struct end {
	struct flow *flow;
	int fd;
	struct loop_source *source; /* NULL while there is nothing to wait for */
	uint32_t interest;
	char *pending; /* to be written here; owned */
	size_t offset, len;
	bool finished; /* its end of file was read */
};

struct flow {
	struct flow_list *list;
	struct relay_lease lease;
	struct flow *next, **at;
	struct end ends[2];
	size_t attempt; /* of the target's addresses */
	bool connecting;
	max_align_t filter_state[];
};

/* One process, one thread: nobody else uses it between a read and the write that follows. */
static char chunk[CHUNK];

static int on_end(void *data, uint32_t events);

static void end_deinit(struct end *end)
{
	loop_remove(end->source);
	cleanup_fd(&end->fd);
	free(end->pending);
}

static void flow_free(struct flow *flow)
{
	*flow->at = flow->next;
	if (flow->next)
		flow->next->at = flow->at;
	end_deinit(&flow->ends[CLIENT]);
	end_deinit(&flow->ends[CONTAINER]);
	relay_lease_end(&flow->lease);
	free(flow);
}

/* One side broke it off, so the other shall see that, and no orderly end. */
static void flow_abort(struct flow *flow)
{
	struct linger at_once = { .l_onoff = 1 };

	for (int i = CLIENT; i <= CONTAINER; i++)
		if (flow->ends[i].fd >= 0)
			setsockopt(flow->ends[i].fd, SOL_SOCKET, SO_LINGER, &at_once,
				   sizeof(at_once));
	flow_free(flow);
}

static void on_evict(struct relay_lease *lease)
{
	flow_abort((struct flow *)((char *)lease - offsetof(struct flow, lease)));
}

/* ---- moving bytes ---- */

/* Bytes sent, 0 when it takes none now, or -errno. */
static ssize_t send_some(const struct end *to, const char *data, size_t len)
{
	ssize_t n = send(to->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* The end of file comes behind the last byte. */
static void pass_end(const struct end *from, struct end *to)
{
	if (from->finished && !to->pending)
		shutdown(to->fd, SHUT_WR);
}

static int flush(struct end *from, struct end *to)
{
	ssize_t n;

	if (!to->pending)
		return 0;
	n = send_some(to, to->pending + to->offset, to->len - to->offset);
	if (n < 0)
		return (int)n;
	to->offset += (size_t)n;
	if (to->offset < to->len)
		return 0;
	free(take_ptr(to->pending));
	pass_end(from, to);
	return 0;
}

static int keep(struct end *to, const char *data, size_t len)
{
	to->pending = malloc(len);
	if (!to->pending)
		return -ENOMEM;
	memcpy(to->pending, data, len);
	to->offset = 0;
	to->len = len;
	return 0;
}

static bool may_pass(struct end *from, size_t len)
{
	struct flow *flow = from->flow;
	relay_filter_fn filter = flow->list->o->filter;

	return !filter || from == &flow->ends[CONTAINER] ||
	       filter(flow->filter_state, (const uint8_t *)chunk, len);
}

/* 1: something moved; 0: nothing can right now; <0: the connection is broken. */
static int pump_chunk(struct end *from, struct end *to)
{
	ssize_t n, sent;

	n = recv(from->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0) {
		from->finished = true;
		pass_end(from, to);
		return 0;
	}
	if (!may_pass(from, (size_t)n))
		return -EPERM;
	sent = send_some(to, chunk, (size_t)n);
	if (sent < 0)
		return (int)sent;
	if (sent < n)
		return keep(to, chunk + sent, (size_t)(n - sent));
	return 1;
}

static int pump(struct end *from, struct end *to, int rounds)
{
	int r = 1;

	while (r > 0 && rounds-- > 0 && !from->finished && !to->pending)
		r = pump_chunk(from, to);
	return r < 0 ? r : 0;
}

/* ---- watching ---- */

static int watch(struct end *end, uint32_t interest)
{
	if (interest == end->interest)
		return 0;
	end->interest = interest;
	if (!interest) {
		end->source = loop_remove(end->source);
		return 0;
	}
	if (end->source)
		return loop_change_fd(end->source, interest);
	return loop_add_fd(end->flow->list->o->loop, end->fd, interest, on_end, end, &end->source,
			   NULL);
}

static uint32_t wanted(const struct flow *flow, int i)
{
	const struct end *end = &flow->ends[i], *other = &flow->ends[!i];

	if (flow->connecting)
		return i == CONTAINER ? EPOLLOUT : 0;
	return (!end->finished && !other->pending ? EPOLLIN : 0) | (end->pending ? EPOLLOUT : 0);
}

static bool is_over(const struct flow *flow)
{
	return flow->ends[CLIENT].finished && flow->ends[CONTAINER].finished &&
	       !flow->ends[CLIENT].pending && !flow->ends[CONTAINER].pending;
}

/* Goes on, or ends it. */
static void settle(struct flow *flow, int r)
{
	if (r == 0 && is_over(flow)) {
		flow_free(flow);
		return;
	}
	for (int i = CLIENT; r == 0 && i <= CONTAINER; i++)
		r = watch(&flow->ends[i], wanted(flow, i));
	if (r < 0)
		flow_abort(flow);
}

/* ---- connecting ---- */

static void tune(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/* To the next address that takes it. */
static int connect_next(struct flow *flow)
{
	const struct relay_target *target = &flow->list->o->target;
	struct end *end = &flow->ends[CONTAINER];
	int r = -ECONNREFUSED;

	while (flow->attempt < target->count) {
		const struct sockaddr *address = (const void *)&target->addresses[flow->attempt];
		socklen_t len = target->lens[flow->attempt++];

		watch(end, 0);
		cleanup_fd(&end->fd);
		end->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (end->fd < 0)
			return -errno;
		tune(end->fd);
		if (connect(end->fd, address, len) == 0 || errno == EINPROGRESS) {
			flow->connecting = true;
			return 0;
		}
		r = -errno;
	}
	return r;
}

static int finish_connect(struct flow *flow)
{
	int code = 0;
	socklen_t len = sizeof(code);

	getsockopt(flow->ends[CONTAINER].fd, SOL_SOCKET, SO_ERROR, &code, &len);
	if (code)
		return connect_next(flow);
	flow->connecting = false;
	return 0;
}

static int on_end(void *data, uint32_t events)
{
	struct end *end = data;
	struct flow *flow = end->flow;
	struct end *other = &flow->ends[end == &flow->ends[CLIENT]];
	int r = 0;

	relay_lease_use(&flow->lease);
	if (flow->connecting) {
		settle(flow, finish_connect(flow));
		return 0;
	}
	if (end->pending)
		r = flush(other, end);
	if (r == 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		r = pump(end, other, ROUNDS);
	settle(flow, r);
	return 0;
}

/* ---- one of many ---- */

static struct flow *add(struct flow_list *list, int client_fd, int container_fd)
{
	struct flow *flow = calloc(1, sizeof(*flow) + list->o->filter_state_size);

	if (!flow) {
		cleanup_fd(&client_fd);
		cleanup_fd(&container_fd);
		return NULL;
	}
	flow->list = list;
	flow->ends[CLIENT] = (struct end){ .flow = flow, .fd = client_fd };
	flow->ends[CONTAINER] = (struct end){ .flow = flow, .fd = container_fd };
	flow->next = list->first;
	if (flow->next)
		flow->next->at = &flow->next;
	flow->at = &list->first;
	list->first = flow;
	relay_lease_begin(&flow->lease, list->o->budget, FLOW_FDS, on_evict);
	return flow;
}

void flow_begin(struct flow_list *list, int fd)
{
	struct flow *flow = add(list, fd, -1);

	if (!flow)
		return;
	tune(fd);
	settle(flow, connect_next(flow));
}

void flow_end_all(struct flow_list *list)
{
	while (list->first) {
		struct flow *flow = list->first;
		struct end *client = &flow->ends[CLIENT], *container = &flow->ends[CONTAINER];

		if (!flow->connecting && flush(container, client) == 0)
			pump(container, client, DRAIN_ROUNDS);
		flow_free(flow);
	}
}

/* ---- an upgrade ---- */

static void save_end(const struct end *end, int32_t *ret_fd, ProtobufCBinaryData *ret_pending)
{
	*ret_fd = end->fd;
	if (!end->pending)
		return;
	ret_pending->data = (uint8_t *)end->pending + end->offset;
	ret_pending->len = end->len - end->offset;
}

int flow_save_all(const struct flow_list *list, Upgrade__Port *ret)
{
	size_t count = 0;
	Upgrade__Flow *flows;

	for (const struct flow *flow = list->first; flow; flow = flow->next)
		count++;
	flows = calloc(count + 1, sizeof(*flows));
	ret->flows = calloc(count + 1, sizeof(*ret->flows));
	if (!flows || !ret->flows) {
		free(flows);
		free(take_ptr(ret->flows));
		return -ENOMEM;
	}
	/* The first element holds all of them. */
	ret->flows[0] = flows;
	for (const struct flow *flow = list->first; flow; flow = flow->next) {
		Upgrade__Flow *saved = &flows[ret->n_flows];

		*saved = (Upgrade__Flow)UPGRADE__FLOW__INIT;
		save_end(&flow->ends[CLIENT], &saved->client, &saved->to_client);
		save_end(&flow->ends[CONTAINER], &saved->container, &saved->to_container);
		saved->client_finished = flow->ends[CLIENT].finished;
		saved->container_finished = flow->ends[CONTAINER].finished;
		/* Begun again by who takes over. */
		if (flow->connecting)
			saved->container = -1;
		ret->flows[ret->n_flows++] = saved;
	}
	return 0;
}

void flow_unsave(Upgrade__Port *saved)
{
	if (saved->flows)
		free(saved->flows[0]);
	free(take_ptr(saved->flows));
	saved->n_flows = 0;
}

static int restore_pending(struct end *end, const ProtobufCBinaryData *pending)
{
	return pending->len ? keep(end, (const char *)pending->data, pending->len) : 0;
}

void flow_restore(struct flow_list *list, const Upgrade__Flow *saved)
{
	struct flow *flow = add(list, saved->client, saved->container);
	int r;

	if (!flow)
		return;
	flow->ends[CLIENT].finished = saved->client_finished;
	flow->ends[CONTAINER].finished = saved->container_finished;
	r = restore_pending(&flow->ends[CLIENT], &saved->to_client);
	if (r == 0)
		r = restore_pending(&flow->ends[CONTAINER], &saved->to_container);
	if (r == 0 && saved->container < 0)
		r = connect_next(flow);
	settle(flow, r);
}
