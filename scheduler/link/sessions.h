/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master's half of the exchange with the agents (docs/cell-machines.md): what each has reported
 * last, what it was told last, and the message that waits for news.
 */
#pragma once

#include <stdint.h>

#include "base/loop.h"
#include "scheduler/api/http.h"

struct master;
struct sessions;

/* hold_ns: so long a message waits for news. NULL: out of memory. */
struct sessions *sessions_new(struct loop *loop, struct master *master, int64_t hold_ns);

/* A message of this machine's agent, by its certificate. */
void sessions_serve(struct sessions *sessions, struct http_request *request, const char *machine);

/* What waits is answered, while there is somebody to answer it; from here on nobody is told of
 * news. */
void sessions_close(struct sessions *sessions);

/* When the master has forgotten them. Takes NULL. */
struct sessions *sessions_free(struct sessions *sessions);
