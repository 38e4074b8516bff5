/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published ports of a container, held by its shim: bound from BUNDLE/ports.json, where the
 * numbers that they got are written down, so that a later shim of the same container gets the same.
 * What comes in by them is passed on (relay.h).
 *
 * They are held from before the container is created until it has ended for good; a restart keeps
 * them.
 */
#pragma once

#include "base/err.h"
#include "base/loop.h"
#include "runtime/shim/upgrade.pb-c.h"

struct ports;

/* Sockets and connections that another program left in this process (upgrade.h). */
struct ports_saved {
	Upgrade__Port **list;
	size_t count;
	Upgrade__Port *items; /* of ports_save() */
};

/* *ret is NULL for a bundle that publishes nothing. saved: descriptors that are taken over; NULL.
 * -EADDRINUSE: somebody else has one. */
int ports_open(struct loop *loop, const char *bundle, const struct ports_saved *saved,
	       struct ports **ret, struct err *err);

/* For who takes our place: points into the ports; takes NULL. ports_unsave() frees it, also after
 * -ENOMEM. */
int ports_save(const struct ports *ports, struct ports_saved *ret);
void ports_unsave(struct ports_saved *saved);

/* Takes NULL, returns NULL. */
struct ports *ports_close(struct ports *ports);
