/* SPDX-License-Identifier: Apache-2.0 */
/* The connections of a TCP relay: each a client's socket and one to the container. */
#pragma once

#include "runtime/shim/relay.h"
#include "runtime/shim/upgrade.pb-c.h"

#define FLOW_FDS 2 /* descriptors of one */

struct flow;

struct flow_list {
	const struct relay_options *o;
	struct flow *first;
};

/* fd: of a client who has just come; taken over. */
void flow_begin(struct flow_list *list, int fd);

/* What the container has sent is still delivered, as far as the clients' sockets take it. */
void flow_end_all(struct flow_list *list);

/* For who takes our place: the message points into the flows; flow_unsave() frees it. -ENOMEM */
int flow_save_all(const struct flow_list *list, Upgrade__Port *ret);
void flow_unsave(Upgrade__Port *saved);
/* Takes the descriptors over. */
void flow_restore(struct flow_list *list, const Upgrade__Flow *saved);
