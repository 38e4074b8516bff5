/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests on an event loop, over libcurl: the same as http_call(), and nobody waits.
 * Connections are kept and used again.
 *
 * Addresses have to be numbers: for names libcurl starts a thread, and a process that clones must
 * have none.
 */
#pragma once

#include "base/http/client.h"

struct loop;
struct http_async;
struct http_flight;

/* answer is NULL where err says why there is none; both are gone after it, and so is the flight. */
typedef void (*http_async_fn)(void *data, const struct http_answer *answer, const struct err *err);

int http_async_new(struct loop *loop, struct http_async **ret, struct err *err);
/* Every flight must have come back or been cancelled. */
struct http_async *http_async_free(struct http_async *async);

/* fn is called once, later. The call and what it points to need not outlive this. */
int http_async_start(struct http_async *async, const struct http_call *call, http_async_fn fn,
		     void *data, struct http_flight **ret, struct err *err);
/* fn is not called. Takes NULL, returns NULL. */
struct http_flight *http_flight_cancel(struct http_flight *flight);

CLEANUP_DEFINE(struct http_async, http_async, http_async_free);
#define _cleanup_http_async_ _cleanup_(cleanup_http_async)
