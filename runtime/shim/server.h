/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serving side of ttrpc in the event loop: a listener, its connections, and the calls on them
 * that are not answered yet. A call may be answered at any later time (Wait), or never, when its
 * connection has gone before. A client that gave a time gets an error then, whatever becomes of the
 * call.
 *
 * Invariants:
 *  1 A connection's input buffer holds less than one frame after each round; a frame is at most
 *    TTRPC_MESSAGE_MAX bytes, and memory grows with what has arrived, not with what was announced.
 *  2 The output buffer is bounded: a peer that does not read is dropped.
 *  3 Peers of another user than ours are dropped unheard.
 *  4 All buffers together hold at most SERVER_HELD_MAX bytes: the connection with most is dropped.
 *  5 A frame that was begun is whole after SERVER_FRAME_NS, or its connection is dropped.
 *  6 Who comes is heard: with SERVER_CONNECTIONS_MAX others one of these goes first (server.c tells
 *    which).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/loop.h"
#include "runtime/shim/ttrpc.h"
#include "runtime/shim/upgrade.pb-c.h"

#define SERVER_CONNECTIONS_MAX 128
#define SERVER_FAIR_SHARE 16 /* connections of one process that it loses to nobody */
#define SERVER_HELD_MAX ((size_t)32 << 20)
#define SERVER_FRAME_NS INT64_C(5000000000)
#define SERVER_CALLS_MAX 1024 /* unanswered ones on one connection */

struct server;
struct rpc_call;

struct server_ops {
	/* Owns the call and answers it with rpc_reply() or rpc_fail(), now or later. */
	void (*request)(void *data, struct rpc_call *call, const Ttrpc__Request *request);
	/* A connection was closed; it is not counted any more. */
	void (*closed)(void *data);
	/* The time of a call is over: rpc_is_abandoned() is true of one more. NULL. */
	void (*abandoned)(void *data);
};

/* Owns listen_fd, also on failure. */
int server_new(struct loop *loop, int listen_fd, const struct server_ops *ops, void *data,
	       struct server **ret, struct err *err);
struct server *server_free(struct server *server); /* calls left over must not be answered */

size_t server_connections(const struct server *server);
bool server_had_connection(const struct server *server);
void server_stop_listening(struct server *server);

/* Writes what is still buffered, for at most timeout_ms; for the end of the process. */
void server_drain(struct server *server, int timeout_ms);

/* For who takes our place: connections with what is under way on them. upgrade: the call that asked
 * for it. The messages point into the server. */
int server_save(struct server *server, const struct rpc_call *upgrade, Upgrade__State *state);
void server_unsave(Upgrade__State *state);
/* Takes the descriptors over. ret_upgrade: the call to be answered, or NULL. The requests are made
 * again. */
void server_restore(struct server *server, const Upgrade__State *state,
		    struct rpc_call **ret_upgrade);

/* Both end the call. message NULL: Empty. */
void rpc_reply(struct rpc_call *call, const void *message);
void rpc_fail(struct rpc_call *call, enum ttrpc_code code, const struct err *why);

/* Nobody waits for the answer any more: the connection or its time is over. */
bool rpc_is_abandoned(const struct rpc_call *call);

/* For lists of those who wait. */
struct rpc_call *rpc_next(const struct rpc_call *call);
void rpc_set_next(struct rpc_call *call, struct rpc_call *next);
