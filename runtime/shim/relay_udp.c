/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A relay of UDP. Each client, known by its address, gets a socket towards the container, so that
 * answers find their way back; they leave with the address that the client has written to. A client
 * that was silent for a while is forgotten, and when there are too many the one that was silent for
 * longest.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "runtime/shim/relay.h"

#define CLIENTS_MAX 256
#define IDLE_NS INT64_C(120000000000)
#define SWEEP_NS INT64_C(30000000000)
#define AT_ONCE 32
#define DATAGRAM_MAX 65536

union control {
	char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

struct client {
	struct relay_udp *relay;
	struct client *next; /* the one heard of last comes first */
	int fd;
	struct loop_source *source;
	size_t attempt;
	int64_t heard_ns;
	struct sockaddr_storage address;
	socklen_t len;
	union control local; /* the address of ours that it wrote to, as control message */
	size_t local_len;
};

struct relay_udp {
	struct relay_options o;
	struct loop_source *source, *sweep;
	struct client *clients;
	size_t count;
};

static char datagram[DATAGRAM_MAX];

static void client_free(struct client *client)
{
	struct client **at = &client->relay->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	client->relay->count--;
	client->relay->o.budget->left++;
	loop_remove(client->source);
	cleanup_fd(&client->fd);
	free(client);
}

static void free_oldest(struct relay_udp *relay)
{
	struct client *client = relay->clients;

	while (client && client->next)
		client = client->next;
	if (client)
		client_free(client);
}

/* ---- from the container ---- */

static void answer(struct client *client, size_t len)
{
	struct iovec iov = { datagram, len };
	struct msghdr msg = {
		.msg_name = &client->address,
		.msg_namelen = client->len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = client->local_len ? &client->local : NULL,
		.msg_controllen = client->local_len,
	};

	/* Lost is lost, as everywhere with UDP. */
	sendmsg(client->relay->o.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int on_client(void *data, uint32_t events);

/* Takes the next of the target's addresses. */
static int connect_client(struct client *client)
{
	const struct relay_target *target = &client->relay->o.target;
	const struct sockaddr *address;

	if (client->attempt == target->count)
		return -ECONNREFUSED;
	client->source = loop_remove(client->source);
	cleanup_fd(&client->fd);
	address = (const void *)&target->addresses[client->attempt];
	client->fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0 || connect(client->fd, address, target->lens[client->attempt++]) < 0)
		return -errno;
	return loop_add_fd(client->relay->o.loop, client->fd, EPOLLIN, on_client, client,
			   &client->source, NULL);
}

static int on_client(void *data, uint32_t events)
{
	struct client *client = data;

	(void)events;
	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t n = recv(client->fd, datagram, sizeof(datagram), MSG_DONTWAIT);

		if (n >= 0) {
			answer(client, (size_t)n);
			continue;
		}
		if (errno == EAGAIN || errno == EINTR)
			break;
		/* Nobody listens there: perhaps by the other kind of address. */
		if (connect_client(client) < 0)
			client_free(client);
		break;
	}
	return 0;
}

/* ---- from clients ---- */

static int on_sweep(void *data);

static void schedule_sweep(struct relay_udp *relay)
{
	if (!relay->sweep && relay->clients)
		loop_add_time(relay->o.loop, clock_monotonic_ns() + SWEEP_NS, on_sweep, relay,
			      &relay->sweep, NULL);
}

static int on_sweep(void *data)
{
	struct relay_udp *relay = data;
	int64_t now_ns = clock_monotonic_ns();
	struct client *next;

	relay->sweep = NULL;
	for (struct client *client = relay->clients; client; client = next) {
		next = client->next;
		if (now_ns - client->heard_ns > IDLE_NS)
			client_free(client);
	}
	schedule_sweep(relay);
	return 0;
}

/* Takes the address it was sent to out of what the kernel tells. */
static void note_local(struct client *client, struct msghdr *msg)
{
	struct msghdr out = { .msg_control = &client->local,
			      .msg_controllen = sizeof(client->local) };
	struct cmsghdr *to = CMSG_FIRSTHDR(&out);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info = { 0 }, got;

			memcpy(&got, CMSG_DATA(c), sizeof(got));
			info.ipi_spec_dst = got.ipi_spec_dst;
			*to = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO };
			memcpy(CMSG_DATA(to), &info, sizeof(info));
			client->local_len = CMSG_SPACE(sizeof(info));
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			*to = (struct cmsghdr){ CMSG_LEN(sizeof(struct in6_pktinfo)), IPPROTO_IPV6,
						IPV6_PKTINFO };
			memcpy(CMSG_DATA(to), CMSG_DATA(c), sizeof(struct in6_pktinfo));
			client->local_len = CMSG_SPACE(sizeof(struct in6_pktinfo));
		}
	}
}

static struct client *client_new(struct relay_udp *relay, const struct msghdr *msg)
{
	struct client *client;

	if (relay->count >= CLIENTS_MAX || relay->o.budget->left == 0)
		free_oldest(relay);
	client = relay_budget_has(relay->o.budget, 1) ? calloc(1, sizeof(*client)) : NULL;
	if (!client)
		return NULL;
	client->relay = relay;
	client->fd = -1;
	memcpy(&client->address, msg->msg_name, msg->msg_namelen);
	client->len = msg->msg_namelen;
	client->next = relay->clients;
	relay->clients = client;
	relay->count++;
	relay->o.budget->left--;
	if (connect_client(client) < 0) {
		client_free(client);
		return NULL;
	}
	schedule_sweep(relay);
	return client;
}

/* Finds it, and puts it in front. */
static struct client *find(struct relay_udp *relay, const struct msghdr *msg)
{
	for (struct client **at = &relay->clients; *at; at = &(*at)->next) {
		struct client *client = *at;

		if (client->len != msg->msg_namelen ||
		    memcmp(&client->address, msg->msg_name, client->len) != 0)
			continue;
		*at = client->next;
		client->next = relay->clients;
		relay->clients = client;
		return client;
	}
	return NULL;
}

static int on_socket(void *data, uint32_t events)
{
	struct relay_udp *relay = data;

	(void)events;
	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_storage address = { 0 };
		union control control;
		struct iovec iov = { datagram, sizeof(datagram) };
		struct msghdr msg = { .msg_name = &address,
				      .msg_namelen = sizeof(address),
				      .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = &control,
				      .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(relay->o.fd, &msg, MSG_DONTWAIT);
		struct client *client;

		if (n < 0)
			break;
		client = find(relay, &msg);
		if (!client)
			client = client_new(relay, &msg);
		if (!client)
			continue;
		note_local(client, &msg);
		client->heard_ns = clock_monotonic_ns();
		send(client->fd, datagram, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	return 0;
}

int relay_udp_new(const struct relay_options *options, struct relay_udp **ret, struct err *err)
{
	struct relay_udp *relay = calloc(1, sizeof(*relay));
	int on = 1, r;

	if (!relay)
		return err_set(err, ENOMEM, "publish a port");
	relay->o = *options;
	setsockopt(options->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	setsockopt(options->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	r = loop_add_fd(options->loop, options->fd, EPOLLIN, on_socket, relay, &relay->source, err);
	if (r < 0) {
		free(relay);
		return r;
	}
	*ret = relay;
	return 0;
}

struct relay_udp *relay_udp_free(struct relay_udp *relay)
{
	if (!relay)
		return NULL;
	loop_remove(relay->source);
	loop_remove(relay->sweep);
	while (relay->clients)
		client_free(relay->clients);
	close(relay->o.fd);
	free(relay);
	return NULL;
}

int relay_udp_fd(const struct relay_udp *relay)
{
	return relay->o.fd;
}
