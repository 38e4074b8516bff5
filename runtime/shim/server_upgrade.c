/* SPDX-License-Identifier: Apache-2.0 */
/* Connections handed to the program that takes our place. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "runtime/shim/server_struct.h"

static int save_calls(const struct connection *c, const struct rpc_call *upgrade,
		      Upgrade__Connection *ret)
{
	Upgrade__Call *calls = calloc(c->calls_count + 1, sizeof(*calls));

	ret->calls = calloc(c->calls_count + 1, sizeof(*ret->calls));
	if (!calls || !ret->calls) {
		free(calls);
		free(take_ptr(ret->calls));
		return -ENOMEM;
	}
	ret->calls[0] = calls;
	for (const struct rpc_call *call = c->calls; call; call = call->sibling) {
		Upgrade__Call *saved = &calls[ret->n_calls];

		*saved = (Upgrade__Call)UPGRADE__CALL__INIT;
		saved->stream = call->stream;
		saved->request.data = call->frame;
		saved->request.len = call->frame_len;
		saved->upgrade = call == upgrade;
		ret->calls[ret->n_calls++] = saved;
	}
	return 0;
}

static int save_connection(const struct connection *c, const struct rpc_call *upgrade,
			   Upgrade__Connection *ret)
{
	*ret = (Upgrade__Connection)UPGRADE__CONNECTION__INIT;
	ret->fd = c->fd;
	ret->peer = c->peer;
	ret->in.data = (uint8_t *)c->in.data;
	ret->in.len = c->in.len;
	ret->out.data = (uint8_t *)c->out.data + c->out_done;
	ret->out.len = c->out.len - c->out_done;
	return save_calls(c, upgrade, ret);
}

int server_save(struct server *server, const struct rpc_call *upgrade, Upgrade__State *state)
{
	Upgrade__Connection *all = calloc(server->count + 1, sizeof(*all));
	int r = 0;

	state->connections = calloc(server->count + 1, sizeof(*state->connections));
	if (!all || !state->connections) {
		free(all);
		free(take_ptr(state->connections));
		return -ENOMEM;
	}
	state->connections[0] = all;
	for (const struct connection *c = server->connections; c && r == 0; c = c->next) {
		if (c->broken)
			continue;
		state->connections[state->n_connections] = &all[state->n_connections];
		r = save_connection(c, upgrade, &all[state->n_connections++]);
	}
	state->listen_fd = server->listen_fd;
	return r;
}

void server_unsave(Upgrade__State *state)
{
	for (size_t i = 0; i < state->n_connections; i++) {
		Upgrade__Connection *c = state->connections[i];

		if (c->calls)
			free(c->calls[0]);
		free(c->calls);
	}
	if (state->connections)
		free(state->connections[0]);
	free(take_ptr(state->connections));
	state->n_connections = 0;
}

static void restore_calls(struct connection *c, const Upgrade__Connection *saved,
			  struct rpc_call **ret_upgrade)
{
	/* The list has the newest first. */
	for (size_t i = saved->n_calls; i > 0; i--) {
		const Upgrade__Call *call = saved->calls[i - 1];

		if (call->upgrade)
			*ret_upgrade = connection_add_call(c, call->stream);
		else if (connection_repeat_call(c, call->stream, call->request.data,
						call->request.len) < 0)
			connection_break(c);
	}
}

void server_restore(struct server *server, const Upgrade__State *state,
		    struct rpc_call **ret_upgrade)
{
	*ret_upgrade = NULL;
	for (size_t i = state->n_connections; i > 0; i--) {
		const Upgrade__Connection *saved = state->connections[i - 1];
		struct connection *c;

		if (connection_new(server, saved->fd, saved->peer) < 0) {
			log_warn("a client of the shim is lost: out of memory");
			continue;
		}
		server->had_connection = true;
		c = server->connections;
		c->spoke = true;
		strbuf_add(&c->in, saved->in.data, saved->in.len);
		strbuf_add(&c->out, saved->out.data, saved->out.len);
		if (!strbuf_ok(&c->in) || !strbuf_ok(&c->out))
			connection_break(c);
		restore_calls(c, saved, ret_upgrade);
		connection_write(c);
	}
}
