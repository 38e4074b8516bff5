/* SPDX-License-Identifier: Apache-2.0 */
/* What http.c and http_request.c share: the server and its requests. */
#pragma once

#include <microhttpd.h>

#include "base/loop.h"
#include "scheduler/api/http.h"

struct http_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_source *source, *timer;
	struct http_limits limits;
	http_fn fn;
	void *data;
	bool resumed; /* and libmicrohttpd is yet to be called for it */
};

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	const char *method;
	char *path;
	char *body;
	size_t body_len, body_size;
	size_t body_max; /* 0: not looked up yet */
	bool too_large;
	bool dispatched; /* fn has it */
	bool inside;	 /* fn is at work on it */
	bool suspended;
	bool answered;
	struct MHD_Response *response;
	unsigned status;
	struct {
		const char *name, *value;
	} headers[HTTP_HEADERS_MAX];
	unsigned header_count;
	struct http_stream stream;
};

/* Calls libmicrohttpd after that time, and not when it wanted to be called. */
int http_server_wake(struct http_server *server, int64_t in_ms);
