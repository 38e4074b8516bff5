/* SPDX-License-Identifier: Apache-2.0 */
/* What server.c and connection.c share: the server, its connections and their calls. */
#pragma once

#include "base/strbuf.h"
#include "runtime/shim/server.h"

struct connection {
	struct server *server;
	struct connection *next; /* the one that came last comes first */
	int fd;
	pid_t peer;
	struct loop_source *source;
	struct strbuf in, out;
	size_t out_done;	      /* bytes of out that were written */
	bool spoke;		      /* it has sent a whole request */
	bool broken;		      /* shut down; its next event frees it */
	struct loop_source *patience; /* with the rest of a frame; NULL: none is awaited */
	struct rpc_call *calls;
	size_t calls_count;
};

struct rpc_call {
	struct connection *connection; /* NULL once nobody waits for the answer any more */
	struct rpc_call *sibling;      /* in connection->calls */
	struct rpc_call *next;	       /* the user's */
	uint32_t stream;
	uint8_t *frame; /* the request, of one that was not answered at once */
	size_t frame_len;
	struct loop_source *timer; /* of the client's own limit; NULL: none */
};

struct server {
	struct loop *loop;
	const struct server_ops *ops;
	void *data;
	int listen_fd;
	struct loop_source *listener;
	struct connection *connections;
	size_t count;
	bool had_connection;
	struct rpc_call *current; /* being handled; NULL once it was answered */
};

/* Takes fd over, also on failure. -ENOMEM. */
int connection_new(struct server *server, int fd, pid_t peer);
void connection_free(struct connection *c);

/* One that somebody will answer; NULL: out of memory. */
struct rpc_call *connection_add_call(struct connection *c, uint32_t stream);

/* A call that came over another connection object: as if its request came now. */
int connection_repeat_call(struct connection *c, uint32_t stream, const void *request, size_t len);

/* Safe in the midst of reading from it: the event that follows frees the connection. */
void connection_break(struct connection *c);
void connection_write(struct connection *c);

/* Bytes that it makes us hold. */
static inline size_t connection_held(const struct connection *c)
{
	return c->in.size + c->out.size;
}
