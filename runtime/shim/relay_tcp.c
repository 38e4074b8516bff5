/* SPDX-License-Identifier: Apache-2.0 */
/* A relay of TCP: one listening socket, and the connections that came in by it (relay_flow.h). */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "runtime/shim/relay.h"
#include "runtime/shim/relay_flow.h"

#define ACCEPT_AT_ONCE 16
#define RETRY_NS INT64_C(100000000)

struct relay_tcp {
	struct relay_options o;
	struct loop_source *source, *retry;
	struct flow_list flows;
};

static int on_listener(void *data, uint32_t events);

static void listen_for(struct relay_tcp *relay)
{
	if (!relay->source)
		loop_add_fd(relay->o.loop, relay->o.fd, EPOLLIN, on_listener, relay, &relay->source,
			    NULL);
}

static int on_retry(void *data)
{
	struct relay_tcp *relay = data;

	relay->retry = NULL;
	listen_for(relay);
	return 0;
}

/* Who comes now waits in the backlog. The kernel tells nobody when a descriptor is free again, nor
 * does another relay that shares the budget: so look again a little later. */
static void pause_accepting(struct relay_tcp *relay)
{
	relay->source = loop_remove(relay->source);
	if (!relay->retry)
		loop_add_time(relay->o.loop, clock_monotonic_ns() + RETRY_NS, on_retry, relay,
			      &relay->retry, NULL);
}

static int on_listener(void *data, uint32_t events)
{
	struct relay_tcp *relay = data;

	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int fd;

		/* Nobody has to go unless somebody waits, which only the first round tells. */
		if (i && relay->o.budget->left < FLOW_FDS)
			break;
		if (!relay_budget_has(relay->o.budget, FLOW_FDS)) {
			pause_accepting(relay);
			break;
		}
		fd = accept4(relay->o.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			flow_begin(&relay->flows, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_accepting(relay);
		/* Anything else concerns the one that came and went. */
		break;
	}
	return 0;
}

int relay_tcp_new(const struct relay_options *options, struct relay_tcp **ret, struct err *err)
{
	struct relay_tcp *relay = calloc(1, sizeof(*relay));
	int r;

	if (!relay)
		return err_set(err, ENOMEM, "publish a port");
	relay->o = *options;
	relay->flows.o = &relay->o;
	r = loop_add_fd(options->loop, options->fd, EPOLLIN, on_listener, relay, &relay->source,
			err);
	if (r < 0) {
		free(relay);
		return r;
	}
	*ret = relay;
	return 0;
}

struct relay_tcp *relay_tcp_free(struct relay_tcp *relay)
{
	if (!relay)
		return NULL;
	loop_remove(relay->source);
	loop_remove(relay->retry);
	close(relay->o.fd);
	flow_end_all(&relay->flows);
	free(relay);
	return NULL;
}

int relay_tcp_save(const struct relay_tcp *relay, Upgrade__Port *ret)
{
	ret->fd = relay->o.fd;
	return flow_save_all(&relay->flows, ret);
}

void relay_tcp_restore(struct relay_tcp *relay, const Upgrade__Port *saved)
{
	for (size_t i = saved->n_flows; i > 0; i--)
		flow_restore(&relay->flows, saved->flows[i - 1]);
}
