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

struct ports;

/* *ret is NULL for a bundle that publishes nothing. -EADDRINUSE: somebody else has one. */
int ports_open(struct loop *loop, const char *bundle, struct ports **ret, struct err *err);

/* Takes NULL, returns NULL. */
struct ports *ports_close(struct ports *ports);
