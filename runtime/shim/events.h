/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events for containerd: a queue that is sent, one at a time and so in order, to the Events service
 * at TTRPC_ADDRESS. While nobody listens there (containerd is being restarted) they wait, 2048 of
 * them; what comes after those is lost. One that is not answered is sent again; after five tries it
 * is given up. Without an address (ctr) nothing is kept.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"
#include "runtime/shim/upgrade.pb-c.h"

struct events;

/* address NULL or "": events are dropped. Strings are copied. */
int events_new(struct loop *loop, const char *address, const char *namespace_, struct events **ret,
	       struct err *err);
struct events *events_free(struct events *events);

/* name: "TaskStart" of containerd.events; topic: "/tasks/start". */
void events_publish(struct events *events, const char *topic, const char *name,
		    const void *message);

/* Calls fn from the loop as soon as nothing waits, or after timeout_ms. */
int events_flush(struct events *events, int timeout_ms, void (*fn)(void *data), void *data);

/* For who takes our place: what was not answered yet, which the message points into. */
int events_save(const struct events *events, Upgrade__State *state);
void events_unsave(Upgrade__State *state);
void events_restore(struct events *events, const Upgrade__State *state);
