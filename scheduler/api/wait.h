/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait for something new: `?index=N` on a reading request answers when what is asked
 * for has changed after N, or after `?wait=SECONDS` (30, at most 300) as it is. And followers of
 * the events, who stay. All of them are counted: a client that leaves is noticed late.
 */
#pragma once

#include "scheduler/api/routes.h"

#define WAITERS_MAX 192

struct waits;

/* Listens to the master. */
int waits_new(struct loop *loop, struct master *master, struct waits **ret, struct err *err);
/* Whoever waits is answered with what there is; nobody waits from now on. Before the server goes.
 */
void waits_close(struct waits *waits);
/* Those whose certificate is taken back wait no more, and follow nothing. */
void waits_cut_off(struct waits *waits, const char *name, const char *sentence);
/* After the server: followers are its connections. */
struct waits *waits_free(struct waits *waits);

/*
 * ROUTE_ANSWERED where the request waits, and fn will write its answer; 0: it need not wait. job:
 * whose changes count, or NULL for those of the whole cell. -EAGAIN: too many wait already.
 */
int waits_hold(struct waits *waits, const struct call *call, const char *job,
	       int (*fn)(const struct call *call, struct err *err), struct err *err);

/* GET /v1/events: lines from `?since=` on; with `?follow=true` for ever. */
int waits_events(struct waits *waits, const struct call *call, struct err *err);
