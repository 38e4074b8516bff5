/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master's end of the link: it listens for agents (and for people, whom it hands on to the
 * API), all over TLS.
 *
 *	POST /v1/agent/sync	an agent, known by its certificate:
 *		{"session": ID, "number": N, "have": HASH, "hold": BOOL, "report": DIFF}
 *	answer	{"session": ID}			begin anew, under this name, with the whole report
 *		{"whole": true}			the report does not fit: send it whole
 *		{"superseded": true}		a later message came meanwhile
 *		{"wait_ms": N, "wants": DIFF}	no "wants": they are as before
 *
 * A message with "hold" is answered when there is news for the machine, or after a while: that is
 * the beat, and the master sets its pace. Numbers rise, so that no message counts twice. DIFF:
 * scheduler/link/document.h.
 *
 *	GET /v1/ca, POST /v1/join	scheduler/link/joining.h: without a certificate
 */
#pragma once

#include "scheduler/api/api.h"
#include "scheduler/api/http.h"

#define LINK_SYNC_PATH "/v1/agent/sync"

struct link_server;
struct link_joining;

struct link_server_options {
	const char *listen; /* "ADDRESS:PORT"; the address a number, "[...]" for IPv6 */
	const char *key, *certificate, *ca; /* PEM */
	int64_t hold_ms;		    /* 0: 1000 */
	struct link_joining *joining;
	struct api *api;
};

/* Master, api and joining outlive it. */
int link_server_new(struct loop *loop, struct master *master,
		    const struct link_server_options *options, struct link_server **ret,
		    struct err *err);
/* After it the master may still poke. */
struct link_server *link_server_close(struct link_server *server);
/* After the master. */
struct link_server *link_server_free(struct link_server *server);
