/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/shim/proto.h"

#define OUT_MAX (2 * (TTRPC_MESSAGE_MAX + TTRPC_HEADER_SIZE))
#define READ_SIZE 16384

struct connection {
	struct server *server;
	struct connection *next;
	int fd;
	struct loop_source *source;
	struct strbuf in, out;
	size_t out_done; /* bytes of out that were written */
	bool broken;	 /* shut down; its next event frees it */
	struct rpc_call *calls;
	size_t calls_count;
};

struct rpc_call {
	struct connection *connection; /* NULL once that is gone */
	struct rpc_call *sibling;      /* in connection->calls */
	struct rpc_call *next;	       /* the user's */
	uint32_t stream;
};

struct server {
	struct loop *loop;
	const struct server_ops *ops;
	void *data;
	int listen_fd;
	struct loop_source *listener; /* NULL while full */
	struct connection *connections;
	size_t count;
	bool had_connection;
};

static int on_listener(void *data, uint32_t events);

static void listener_resume(struct server *server)
{
	if (server->listener || server->listen_fd < 0 || server->count >= SERVER_CONNECTIONS_MAX)
		return;
	if (loop_add_fd(server->loop, server->listen_fd, EPOLLIN, on_listener, server,
			&server->listener, NULL) < 0)
		log_warn("the shim accepts no more connections: out of memory");
}

static void connection_free(struct connection *c)
{
	struct server *server = c->server;

	for (struct connection **at = &server->connections; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	server->count--;
	for (struct rpc_call *call = c->calls; call; call = call->sibling)
		call->connection = NULL;
	loop_remove(c->source);
	close(c->fd);
	strbuf_deinit(&c->in);
	strbuf_deinit(&c->out);
	free(c);
	listener_resume(server);
}

/* Safe in the midst of reading from it: the event that follows frees the connection. */
static void connection_break(struct connection *c)
{
	c->broken = true;
	shutdown(c->fd, SHUT_RDWR);
}

static void connection_write(struct connection *c)
{
	while (!c->broken && c->out_done < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->out_done, c->out.len - c->out_done,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			connection_break(c);
			return;
		}
		c->out_done += (size_t)n;
	}
	if (c->out_done == c->out.len) {
		strbuf_deinit(&c->out);
		c->out = (struct strbuf){ 0 };
		c->out_done = 0;
	}
	if (loop_change_fd(c->source, c->out.len ? EPOLLIN | EPOLLOUT : EPOLLIN) < 0)
		connection_break(c);
}

static void call_free(struct rpc_call *call)
{
	struct connection *c = call->connection;

	if (c) {
		for (struct rpc_call **at = &c->calls; *at; at = &(*at)->sibling)
			if (*at == call) {
				*at = call->sibling;
				c->calls_count--;
				break;
			}
	}
	free(call);
}

static void answer(struct rpc_call *call, enum ttrpc_code code, const void *message,
		   const struct err *why)
{
	struct connection *c = call->connection;

	if (c && !c->broken) {
		/* What was sent already goes, so that the bound counts what waits. */
		if (c->out_done) {
			memmove(c->out.data, c->out.data + c->out_done, c->out.len - c->out_done);
			c->out.len -= c->out_done;
			c->out_done = 0;
		}
		if (ttrpc_pack_response(call->stream, code, message, why, &c->out) < 0 ||
		    c->out.len > OUT_MAX)
			connection_break(c);
		else
			connection_write(c);
	}
	call_free(call);
}

void rpc_reply(struct rpc_call *call, const void *message)
{
	answer(call, TTRPC_OK, message, NULL);
}

void rpc_fail(struct rpc_call *call, enum ttrpc_code code, const struct err *why)
{
	answer(call, code, NULL, why);
}

struct rpc_call *rpc_next(const struct rpc_call *call)
{
	return call->next;
}

void rpc_set_next(struct rpc_call *call, struct rpc_call *next)
{
	call->next = next;
}

static void handle_frame(struct connection *c, const struct ttrpc_header *header,
			 const uint8_t *data)
{
	struct server *server = c->server;
	_cleanup_proto_ Ttrpc__Request *request = NULL;
	struct err err = { 0 };
	struct rpc_call *call;

	if (header->type != TTRPC_REQUEST || header->stream % 2 == 0 ||
	    c->calls_count >= SERVER_CALLS_MAX) {
		connection_break(c);
		return;
	}
	call = calloc(1, sizeof(*call));
	if (!call) {
		connection_break(c);
		return;
	}
	call->connection = c;
	call->stream = header->stream;
	call->sibling = c->calls;
	c->calls = call;
	c->calls_count++;
	if (proto_unpack(&ttrpc__request__descriptor, data, header->length, &request, &err) < 0)
		rpc_fail(call, TTRPC_INVALID_ARGUMENT, &err);
	else
		server->ops->request(server->data, call, request);
}

/* Handles every whole frame of the input and keeps the rest. */
static void handle_input(struct connection *c)
{
	size_t done = 0;

	while (!c->broken && c->in.len - done >= TTRPC_HEADER_SIZE) {
		struct ttrpc_header header;

		ttrpc_header_parse(c->in.data + done, &header);
		if (header.length > TTRPC_MESSAGE_MAX) {
			connection_break(c);
			break;
		}
		if (c->in.len - done < TTRPC_HEADER_SIZE + header.length)
			break;
		handle_frame(c, &header, (uint8_t *)c->in.data + done + TTRPC_HEADER_SIZE);
		done += TTRPC_HEADER_SIZE + header.length;
	}
	if (done == c->in.len) {
		strbuf_deinit(&c->in);
		c->in = (struct strbuf){ 0 };
	} else if (done) {
		memmove(c->in.data, c->in.data + done, c->in.len - done);
		c->in.len -= done;
	}
}

static int on_connection(void *data, uint32_t events)
{
	struct connection *c = data;
	struct server *server = c->server;
	char buf[READ_SIZE];
	ssize_t n = -1;

	errno = EAGAIN;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (c->broken || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		connection_free(c);
		server->ops->closed(server->data);
		return 0;
	}
	if (n > 0) {
		strbuf_add(&c->in, buf, (size_t)n);
		if (!strbuf_ok(&c->in))
			connection_break(c);
		else
			handle_input(c);
	}
	if (events & EPOLLOUT)
		connection_write(c);
	return 0;
}

static bool peer_is_us(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

static int on_listener(void *data, uint32_t events)
{
	struct server *server = data;
	struct connection *c;
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return 0;
	c = peer_is_us(fd) ? calloc(1, sizeof(*c)) : NULL;
	if (!c || loop_add_fd(server->loop, fd, EPOLLIN, on_connection, c, &c->source, NULL) < 0) {
		free(c);
		close(fd);
		return 0;
	}
	c->server = server;
	c->fd = fd;
	c->next = server->connections;
	server->connections = c;
	server->had_connection = true;
	if (++server->count >= SERVER_CONNECTIONS_MAX)
		server->listener = loop_remove(server->listener);
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
