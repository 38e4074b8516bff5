/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stdio of a process in a task, between who asked for it and the task's machine; neither
 * reaches the other. Bytes are frames (base/frame.h), of which the master reads nothing:
 *
 *	GET /v1/jobs/{job}/logs, POST /v1/jobs/{job}/exec
 *		the client's; answered for as long as it goes on by what the process says. The first
 *		frame is the stream's name, the last an exit or an error.
 *	POST /v1/streams/{stream}
 *		what the client says to it; answered when there is room for more
 *	GET /v1/agent/streams/{stream}
 *		its machine's helper (scheduler/link/reach.h): answered when the client has said
 *		something, at the latest after a while; the first answer is what is to be done
 *	POST /v1/agent/streams/{stream}?end=true
 *		what the process says, answered when there is room for more; end: that was all
 *
 * Of each direction the master holds two bodies at most; there are STREAMS_MAX streams. Whoever is
 * gone ends the stream: the others get 404.
 */
#pragma once

#include "scheduler/api/routes.h"

#define STREAMS_MAX 64
#define STREAM_BODY_MAX ((size_t)64 << 10)

struct streams;

int streams_new(struct loop *loop, struct master *master, struct streams **ret, struct err *err);
/* Each ends with an error; there are none from now on. Before the server goes. */
void streams_close(struct streams *streams);
/* Those whose certificate is taken back have none any more; what runs for them ends. */
void streams_cut_off(struct streams *streams, const char *name, const char *sentence);
/* After the server. Takes NULL. */
struct streams *streams_free(struct streams *streams);

/* The routes. */
int stream_logs(const struct call *call, struct err *err);
int stream_exec(const struct call *call, struct err *err);
int stream_say(const struct call *call, struct err *err);
int stream_listen_agent(const struct call *call, struct err *err);
int stream_say_agent(const struct call *call, struct err *err);
