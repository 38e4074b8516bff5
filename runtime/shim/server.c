/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "runtime/shim/server_struct.h"

/* Another user's are refused: who can open the socket could drive the container. */
static bool peer_is_us(int fd, pid_t *ret_pid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != geteuid())
		return false;
	*ret_pid = peer.pid;
	return true;
}

static size_t count_of(const struct server *server, pid_t peer)
{
	size_t count = 0;

	for (const struct connection *c = server->connections; c; c = c->next)
		count += c->peer == peer;
	return count;
}

/* Who goes for the one that has just come, which is the first of the list. */
static struct connection *find_victim(const struct server *server, pid_t greediest)
{
	struct connection *silent = NULL, *idle = NULL, *any = NULL;

	for (struct connection *c = server->connections->next; c; c = c->next) {
		if (!c->spoke)
			silent = c;
		else if (c->peer == greediest && !c->calls_count)
			idle = c;
		else if (c->peer == greediest)
			any = c;
	}
	if (silent)
		return silent;
	if (count_of(server, greediest) <= SERVER_FAIR_SHARE)
		return server->connections;
	return idle ? idle : any;
}

static pid_t find_greediest(const struct server *server)
{
	size_t most = 0;
	pid_t peer = 0;

	for (const struct connection *c = server->connections; c; c = c->next) {
		size_t count = count_of(server, c->peer);

		if (count > most) {
			most = count;
			peer = c->peer;
		}
	}
	return peer;
}

/*
 * First goes who never said a word, then of the process that has most who waits for nothing, then
 * any of that: so whoever opens many takes from itself, and others are served. Where nobody has
 * more than a fair share the one that comes is turned away: to others a lost connection may mean a
 * dead shim.
 */
static void make_room(struct server *server)
{
	struct connection *victim;

	if (server->count <= SERVER_CONNECTIONS_MAX)
		return;
	victim = find_victim(server, find_greediest(server));
	log_debug("the shim has %zu clients: one of process %d is dropped", server->count,
		  (int)victim->peer);
	connection_free(victim);
	server->ops->closed(server->data);
}

static int on_listener(void *data, uint32_t events)
{
	struct server *server = data;
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	pid_t peer;

	(void)events;
	if (fd < 0)
		return 0;
	if (!peer_is_us(fd, &peer)) {
		close(fd);
		return 0;
	}
	server->had_connection = true;
	if (connection_new(server, fd, peer) < 0)
		log_warn("the shim turns a client away: out of memory");
	else
		make_room(server);
	return 0;
}

int server_new(struct loop *loop, int listen_fd, const struct server_ops *ops, void *data,
	       struct server **ret, struct err *err)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server) {
		close(listen_fd);
		return err_set(err, ENOMEM, "serve the Task API");
	}
	*server = (struct server){ .loop = loop, .ops = ops, .data = data, .listen_fd = listen_fd };
	r = loop_add_fd(loop, listen_fd, EPOLLIN, on_listener, server, &server->listener, err);
	if (r < 0) {
		server_free(server);
		return r;
	}
	*ret = server;
	return 0;
}

void server_stop_listening(struct server *server)
{
	server->listener = loop_remove(server->listener);
	if (server->listen_fd >= 0)
		close(take_fd(&server->listen_fd));
}

struct server *server_free(struct server *server)
{
	if (!server)
		return NULL;
	server_stop_listening(server);
	while (server->connections)
		connection_free(server->connections);
	free(server);
	return NULL;
}

size_t server_connections(const struct server *server)
{
	return server->count;
}

bool server_had_connection(const struct server *server)
{
	return server->had_connection;
}

void server_drain(struct server *server, int timeout_ms)
{
	int64_t deadline = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;

	for (struct connection *c = server->connections; c; c = c->next) {
		while (!c->broken && c->out.len) {
			struct pollfd p = { .fd = c->fd, .events = POLLOUT };
			int64_t left = (deadline - clock_monotonic_ns()) / 1000000;

			if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
				return;
			connection_write(c);
		}
	}
}
