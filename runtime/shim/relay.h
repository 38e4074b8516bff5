/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passing on what comes in at a published port: a connection or a datagram at a socket of ours goes
 * to the container by a socket of its own, and back.
 *
 * All published traffic comes here, for it works from everywhere alike (docs/ARCHITECTURE.md, "The
 * network of ctr's containers"); the kernel translates nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/loop.h"

/* Where a container takes it: tried in this order, and the next one when a connection is refused,
 * because a program may listen by one kind of address only. */
struct relay_target {
	struct sockaddr_storage addresses[2];
	socklen_t lens[2];
	size_t count;
};

/* Descriptors that all relays of a container may still open. */
struct relay_budget {
	size_t left;
};

/* Looks at what a client sends before it is passed on; false breaks the connection. state: of this
 * connection, all zero at first. */
typedef bool (*relay_filter_fn)(void *state, const uint8_t *data, size_t len);

struct relay_options {
	struct loop *loop;
	struct relay_budget *budget; /* outlives the relay */
	struct relay_target target;
	relay_filter_fn filter; /* of TCP; NULL: none */
	size_t filter_state_size;
	int fd; /* bound, for TCP listening, non-blocking; the relay's from then on, if it is made
		 */
};

struct relay_tcp;
struct relay_udp;

int relay_tcp_new(const struct relay_options *options, struct relay_tcp **ret, struct err *err);

/* What the container has sent so far is still delivered, as far as the clients' sockets take it. */
struct relay_tcp *relay_tcp_free(struct relay_tcp *relay);

int relay_udp_new(const struct relay_options *options, struct relay_udp **ret, struct err *err);
struct relay_udp *relay_udp_free(struct relay_udp *relay);
