/* SPDX-License-Identifier: Apache-2.0 */
/* One peer of the server: its frames, and its calls until they are answered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/server_struct.h"

#define OUT_MAX (2 * (TTRPC_MESSAGE_MAX + TTRPC_HEADER_SIZE))
#define READ_SIZE 16384
#define LIMIT_MAX_NS (INT64_C(365) * 24 * 3600 * 1000000000)

void connection_free(struct connection *c)
{
	for (struct connection **at = &c->server->connections; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			c->server->count--;
			break;
		}
	for (struct rpc_call *call = c->calls; call; call = call->sibling) {
		call->connection = NULL;
		call->timer = loop_remove(call->timer);
	}
	loop_remove(c->source);
	loop_remove(c->patience);
	close(c->fd);
	strbuf_deinit(&c->in);
	strbuf_deinit(&c->out);
	free(c);
}

void connection_break(struct connection *c)
{
	c->broken = true;
	shutdown(c->fd, SHUT_RDWR);
}

void connection_write(struct connection *c)
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

/* ---- calls ---- */

/* Nobody hears of it any more. */
static void call_abandon(struct rpc_call *call)
{
	struct connection *c = call->connection;

	call->timer = loop_remove(call->timer);
	if (!c)
		return;
	for (struct rpc_call **at = &c->calls; *at; at = &(*at)->sibling)
		if (*at == call) {
			*at = call->sibling;
			c->calls_count--;
			break;
		}
	call->connection = NULL;
}

static void send_answer(const struct rpc_call *call, enum ttrpc_code code, const void *message,
			const struct err *why)
{
	struct connection *c = call->connection;

	if (!c || c->broken)
		return;
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

static void answer(struct rpc_call *call, enum ttrpc_code code, const void *message,
		   const struct err *why)
{
	send_answer(call, code, message, why);
	if (call->connection && call->connection->server->current == call)
		call->connection->server->current = NULL;
	call_abandon(call);
	free(call->frame);
	free(call);
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

bool rpc_is_abandoned(const struct rpc_call *call)
{
	return !call->connection;
}

static int on_limit(void *data)
{
	struct rpc_call *call = data;
	struct server *server = call->connection->server;
	struct err err = { 0 };

	call->timer = NULL;
	ttrpc_fail(&err, TTRPC_DEADLINE_EXCEEDED, "it took longer than the caller wanted to wait");
	send_answer(call, TTRPC_DEADLINE_EXCEEDED, NULL, &err);
	call_abandon(call);
	if (server->ops->abandoned)
		server->ops->abandoned(server->data);
	return 0;
}

/* Who holds the call answers it when it can; its client is told in time. */
static int set_limit(struct rpc_call *call, int64_t limit_ns)
{
	if (limit_ns <= 0 || limit_ns > LIMIT_MAX_NS)
		return 0;
	return loop_add_time(call->connection->server->loop, clock_monotonic_ns() + limit_ns,
			     on_limit, call, &call->timer, NULL);
}

struct rpc_call *connection_add_call(struct connection *c, uint32_t stream)
{
	struct rpc_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->connection = c;
	call->stream = stream;
	call->sibling = c->calls;
	c->calls = call;
	c->calls_count++;
	return call;
}

/* ---- frames ---- */

static void handle_frame(struct connection *c, const struct ttrpc_header *header,
			 const uint8_t *data)
{
	struct server *server = c->server;
	_cleanup_proto_ Ttrpc__Request *request = NULL;
	struct err err = { 0 };
	struct rpc_call *call = NULL;

	if (header->type == TTRPC_REQUEST && header->stream % 2 == 1 &&
	    c->calls_count < SERVER_CALLS_MAX)
		call = connection_add_call(c, header->stream);
	if (!call) {
		connection_break(c);
		return;
	}
	if (proto_unpack(&ttrpc__request__descriptor, data, header->length, &request, &err) < 0) {
		rpc_fail(call, TTRPC_INVALID_ARGUMENT, &err);
		return;
	}
	c->spoke = true;
	if (set_limit(call, request->timeout_nano) < 0)
		connection_break(c);
	server->current = call;
	server->ops->request(server->data, call, request);
	/* It waits: whoever takes our place (upgrade.h) has to be asked again. */
	if (server->current == call && header->length) {
		call->frame = malloc(header->length);
		call->frame_len = call->frame ? header->length : 0;
		if (call->frame)
			memcpy(call->frame, data, header->length);
	}
	server->current = NULL;
}

int connection_repeat_call(struct connection *c, uint32_t stream, const void *request, size_t len)
{
	const struct ttrpc_header header = { .length = (uint32_t)len,
					     .stream = stream,
					     .type = TTRPC_REQUEST };

	if (len > TTRPC_MESSAGE_MAX)
		return -EMSGSIZE;
	handle_frame(c, &header, request);
	return c->broken ? -EPROTO : 0;
}

static int on_impatience(void *data)
{
	struct connection *c = data;

	c->patience = NULL;
	log_debug("process %d stopped in the midst of a request; it is dropped", (int)c->peer);
	connection_break(c);
	return 0;
}

/* A frame that was begun has to be finished: the time counts from its first byte. */
static void await_rest(struct connection *c, bool begun)
{
	if (!c->in.len || begun)
		c->patience = loop_remove(c->patience);
	if (c->in.len && !c->patience &&
	    loop_add_time(c->server->loop, clock_monotonic_ns() + SERVER_FRAME_NS, on_impatience, c,
			  &c->patience, NULL) < 0)
		connection_break(c);
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
	await_rest(c, done > 0);
}

/* Together they make us hold no more than so much: the one that has the most goes. */
static void bound_memory(struct server *server)
{
	for (;;) {
		struct connection *most = NULL;
		size_t sum = 0;

		for (struct connection *c = server->connections; c; c = c->next) {
			sum += connection_held(c);
			if (!most || connection_held(c) > connection_held(most))
				most = c;
		}
		if (sum <= SERVER_HELD_MAX)
			return;
		log_debug("clients of the shim hold up %zu bytes; process %d is dropped", sum,
			  (int)most->peer);
		connection_break(most);
		strbuf_deinit(&most->in);
		strbuf_deinit(&most->out);
		most->in = most->out = (struct strbuf){ 0 };
		most->out_done = 0;
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
	bound_memory(server);
	return 0;
}

int connection_new(struct server *server, int fd, pid_t peer)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c || loop_add_fd(server->loop, fd, EPOLLIN, on_connection, c, &c->source, NULL) < 0) {
		free(c);
		close(fd);
		return -ENOMEM;
	}
	c->server = server;
	c->fd = fd;
	c->peer = peer;
	c->next = server->connections;
	server->connections = c;
	server->count++;
	return 0;
}
