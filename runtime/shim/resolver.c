/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each question that is passed on has a socket of its own, and so a port of the kernel's choice:
 * who wants to forge an answer has to guess it. A server that refuses or is silent loses its place
 * to the next one.
 */
#include "runtime/shim/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "netns/namespace.h"
#include "netns/resolver_file.h"
#include "runtime/shim/relay.h"

#define PORT 53
#define QUERIES_MAX 64
#define QUERY_MAX 1500 /* longer ones do not exist outside of attacks */
#define TRY_NS INT64_C(2000000000)
#define TRIES_EACH 2
#define AT_ONCE 32
#define TCP_FDS 32

struct query {
	struct resolver *resolver;
	struct query *next; /* the newest comes first */
	int fd;
	struct loop_source *source, *timer;
	size_t server, tries;
	struct sockaddr_in client;
	struct dns_question question;
	size_t len;
	uint8_t data[QUERY_MAX];
};

struct resolver {
	struct resolver_options o;
	int fd;
	struct loop_source *source;
	struct sockaddr_storage servers[RESOLVER_SERVERS_MAX];
	socklen_t lens[RESOLVER_SERVERS_MAX];
	size_t servers_count, best;
	struct query *queries;
	size_t count;
	struct relay_budget budget;
	struct relay_tcp *tcp;
};

/* One thread: nobody else uses it between a read and the write that follows. */
static uint8_t packet[65536];

static void query_free(struct query *q)
{
	struct query **at = &q->resolver->queries;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	q->resolver->count--;
	loop_remove(q->source);
	loop_remove(q->timer);
	cleanup_fd(&q->fd);
	free(q);
}

static void send_to(const struct resolver *r, const struct sockaddr_in *client, const void *data,
		    size_t len)
{
	sendto(r->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)client,
	       sizeof(*client));
}

static void answer(const struct resolver *r, const struct sockaddr_in *client, const uint8_t *query,
		   const struct dns_question *question, int code,
		   const struct dns_address *addresses, size_t count)
{
	uint8_t text[DNS_ANSWER_MAX];

	send_to(r, client, text, dns_format(query, question, code, addresses, count, text));
}

/* ---- to the host's servers ---- */

static int on_reply(void *data, uint32_t events);
static int on_timeout(void *data);

static int try_server(struct query *q)
{
	struct resolver *r = q->resolver;

	q->source = loop_remove(q->source);
	q->timer = loop_remove(q->timer);
	if (q->fd >= 0)
		close(take_fd(&q->fd));
	q->fd = socket(r->servers[q->server].ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0);
	if (q->fd < 0)
		return -errno;
	if (connect(q->fd, (const struct sockaddr *)&r->servers[q->server], r->lens[q->server]) <
		    0 ||
	    send(q->fd, q->data, q->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	if (loop_add_fd(r->o.loop, q->fd, EPOLLIN, on_reply, q, &q->source, NULL) < 0)
		return -ENOMEM;
	return loop_add_time(r->o.loop, clock_monotonic_ns() + TRY_NS, on_timeout, q, &q->timer,
			     NULL);
}

/* To the next that takes it; where none does, the client is told. */
static void try_on(struct query *q)
{
	struct resolver *r = q->resolver;

	while (q->tries++ < TRIES_EACH * r->servers_count) {
		if (try_server(q) == 0)
			return;
		q->server = (q->server + 1) % r->servers_count;
	}
	answer(r, &q->client, q->data, &q->question, DNS_SERVER_FAILURE, NULL, 0);
	query_free(q);
}

static void try_next(struct query *q)
{
	q->server = (q->server + 1) % q->resolver->servers_count;
	try_on(q);
}

static int on_timeout(void *data)
{
	struct query *q = data;

	q->timer = NULL;
	try_next(q);
	return 0;
}

static int on_reply(void *data, uint32_t events)
{
	struct query *q = data;
	ssize_t n = recv(q->fd, packet, sizeof(packet), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0) {
		try_next(q);
		return 0;
	}
	/* The number of the question, and that it is an answer. Anything else is not for us. */
	if (n < 12 || memcmp(packet, q->data, 2) != 0 || !(packet[2] & 0x80))
		return 0;
	q->resolver->best = q->server;
	send_to(q->resolver, &q->client, packet, (size_t)n);
	query_free(q);
	return 0;
}

static void free_oldest(struct resolver *r)
{
	struct query *q = r->queries;

	while (q && q->next)
		q = q->next;
	if (q)
		query_free(q);
}

static void pass_on(struct resolver *r, const struct sockaddr_in *client, const uint8_t *data,
		    size_t len, const struct dns_question *question)
{
	struct query *q;

	if (!r->servers_count) {
		answer(r, client, data, question, DNS_NO_SUCH_NAME, NULL, 0);
		return;
	}
	if (r->count >= QUERIES_MAX)
		free_oldest(r);
	q = calloc(1, sizeof(*q));
	if (!q)
		return;
	q->resolver = r;
	q->fd = -1;
	q->server = r->best;
	q->client = *client;
	q->question = *question;
	q->len = len;
	memcpy(q->data, data, len);
	q->next = r->queries;
	r->queries = q;
	r->count++;
	try_on(q);
}

/* ---- from the container ---- */

static void take_query(struct resolver *r, const struct sockaddr_in *client, const uint8_t *data,
		       size_t len)
{
	struct dns_address addresses[2 * DNS_ADDRESSES_MAX];
	struct dns_question question = { 0 };
	size_t count = 0;

	if (!dns_parse(data, len, &question))
		return;
	if (*question.name)
		count = r->o.find(r->o.root, r->o.runroot, question.name, addresses,
				  2 * DNS_ADDRESSES_MAX);
	if (count)
		answer(r, client, data, &question, DNS_OK, addresses, count);
	else if (!dns_may_pass(&question))
		answer(r, client, data, &question, DNS_REFUSED, NULL, 0);
	else
		pass_on(r, client, data, len, &question);
}

static int on_socket(void *data, uint32_t events)
{
	struct resolver *r = data;
	uint8_t query[QUERY_MAX];

	(void)events;
	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_in client;
		socklen_t len = sizeof(client);
		ssize_t n = recvfrom(r->fd, query, sizeof(query), MSG_DONTWAIT | MSG_TRUNC,
				     (struct sockaddr *)&client, &len);

		if (n < 0)
			break;
		if (len == sizeof(client) && (size_t)n <= sizeof(query))
			take_query(r, &client, query, (size_t)n);
	}
	return 0;
}

/* ---- making ---- */

static void add_server(struct resolver *r, const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	size_t n = r->servers_count;

	if (n == RESOLVER_SERVERS_MAX)
		return;
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(&r->servers[n], &v4, sizeof(v4));
		r->lens[n] = sizeof(v4);
	} else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(&r->servers[n], &v6, sizeof(v6));
		r->lens[n] = sizeof(v6);
	} else {
		log_debug("name server %s is left out: not an address", text);
		return;
	}
	r->servers_count++;
}

static int bind_inside(int netns_fd, int type, struct err *err)
{
	_cleanup_fd_ int fd = namespace_socket(netns_fd, AF_INET, type | SOCK_NONBLOCK, 0, err);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(RESOLVER_PORT) };
	int on = 1;

	inet_pton(AF_INET, RESOLVER_ADDRESS, &address.sin_addr);
	if (fd < 0)
		return fd;
	/* Connections of an earlier shim may linger. */
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0))
		return err_set(err, errno, "answer for names at " RESOLVER_ADDRESS);
	return take_fd(&fd);
}

static bool filter_tcp(void *state, const uint8_t *data, size_t len)
{
	return dns_stream_take(state, data, len);
}

static int open_tcp(struct resolver *r, int netns_fd, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	struct relay_options o = {
		.loop = r->o.loop,
		.budget = &r->budget,
		.filter = filter_tcp,
		.filter_state_size = sizeof(struct dns_stream),
	};
	int q;

	if (!r->servers_count)
		return 0;
	fd = bind_inside(netns_fd, SOCK_STREAM, err);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < r->servers_count && i < 2; i++) {
		o.target.addresses[i] = r->servers[i];
		o.target.lens[i] = r->lens[i];
		o.target.count++;
	}
	o.fd = fd;
	q = relay_tcp_new(&o, &r->tcp, err);
	if (q == 0)
		take_fd(&fd);
	return q;
}

static int open_sockets(struct resolver *r, const struct resolver_settings *settings,
			struct err *err)
{
	_cleanup_fd_ int netns_fd = namespace_open(settings->netns, err);
	int q;

	if (netns_fd < 0)
		return netns_fd;
	for (const char *const *server = settings->servers; *server; server++)
		add_server(r, *server);
	r->fd = bind_inside(netns_fd, SOCK_DGRAM, err);
	if (r->fd < 0)
		return r->fd;
	q = open_tcp(r, netns_fd, err);
	if (q == 0)
		q = loop_add_fd(r->o.loop, r->fd, EPOLLIN, on_socket, r, &r->source, err);
	return q;
}

struct resolver *resolver_close(struct resolver *r)
{
	if (!r)
		return NULL;
	while (r->queries)
		query_free(r->queries);
	relay_tcp_free(r->tcp);
	loop_remove(r->source);
	cleanup_fd(&r->fd);
	free(r);
	return NULL;
}

int resolver_open(const struct resolver_options *options, struct resolver **ret, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_fd_ int dirfd = dir_open(AT_FDCWD, options->bundle, err);
	struct resolver_settings settings = { 0 };
	struct resolver *resolver;
	int r;

	*ret = NULL;
	if (dirfd < 0)
		return dirfd;
	r = arena ? resolver_settings_load(dirfd, arena, &settings, err)
		  : err_set(err, ENOMEM, "answer for names");
	if (r <= 0)
		return r;
	resolver = calloc(1, sizeof(*resolver));
	if (!resolver)
		return err_set(err, ENOMEM, "answer for names");
	resolver->o = *options;
	resolver->fd = -1;
	resolver->budget.left = TCP_FDS;
	r = open_sockets(resolver, &settings, err);
	if (r < 0) {
		resolver_close(resolver);
		return r;
	}
	*ret = resolver;
	return 0;
}
