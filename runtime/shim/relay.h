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
#include "runtime/shim/upgrade.pb-c.h"

/* Where a container takes it: tried in this order, and the next one when a connection is refused,
 * because a program may listen by one kind of address only. */
struct relay_target {
	struct sockaddr_storage addresses[2];
	socklen_t lens[2];
	size_t count;
};

/*
 * Descriptors that all relays of a container may still open. A TCP connection holds some by a
 * lease; when there are none left the one that nothing went through for longest is broken off,
 * unless that was just now: idle clients must not keep others out for ever.
 */
struct relay_lease;
struct relay_budget {
	size_t left;
	int64_t grace_ns; /* so long a lease that was used is safe; 0: five seconds */
	struct relay_lease *oldest, *newest; /* by their last use */
};

struct relay_lease {
	struct relay_budget *budget;
	struct relay_lease *older, *newer;
	size_t fds;
	int64_t used_ns;
	void (*evict)(struct relay_lease *lease); /* has to call relay_lease_end() */
};

void relay_lease_begin(struct relay_lease *lease, struct relay_budget *budget, size_t fds,
		       void (*evict)(struct relay_lease *lease));
void relay_lease_use(struct relay_lease *lease);
void relay_lease_end(struct relay_lease *lease);

/* So many are left, now or after others had to go. */
bool relay_budget_has(struct relay_budget *budget, size_t fds);

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

/* For who takes our place; flow_unsave() frees it. The listening socket is the message's fd. */
int relay_tcp_save(const struct relay_tcp *relay, Upgrade__Port *ret);
void relay_tcp_restore(struct relay_tcp *relay, const Upgrade__Port *saved);

int relay_udp_new(const struct relay_options *options, struct relay_udp **ret, struct err *err);
struct relay_udp *relay_udp_free(struct relay_udp *relay);
int relay_udp_fd(const struct relay_udp *relay); /* its own */
