/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one joins a cell, the master's end:
 *
 *	POST /v1/tokens	an operator: {"ttl_ms": N, "role": "agent", "name": NAME}
 *			answer {"token": T, "expires": TIME}
 *	POST /v1/revoke	an operator: {"role": "agent", "name": NAME}; of a person both that may be
 *	GET /v1/ca	anybody: {"ca": PEM}, to be held against the token's fingerprint
 *	POST /v1/join	anybody: {"secret": S, "name": NAME, "request": PEM}
 *			answer {"role": R, "name": NAME, "certificate": PEM}
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "scheduler/link/pki.h"

struct api;
struct http_certificate;
struct http_request;
struct link_joining;
struct master;

/* Master and CA outlive it. api: what goes on there for people whose certificate is taken back
 * ends; it outlives the requests that come here. */
int link_joining_new(struct master *master, struct api *api, const struct pki_pair *ca,
		     struct link_joining **ret, struct err *err);
struct link_joining *link_joining_free(struct link_joining *joining);

/* Whoever comes with a certificate: -EACCES when it was taken back. */
int link_joining_check(const struct link_joining *joining,
		       const struct http_certificate *certificate, struct err *err);
/* One of the requests above. */
struct link_joining_route {
	const char *method, *path;
};
/* The i-th, for whoever compares them with docs/openapi.yaml; false: there are no more. */
bool link_joining_route(size_t i, struct link_joining_route *ret);

/* What anybody may ask for, and what operators may (api_first_fn); false: it is something else. */
bool link_joining_serve_anybody(struct link_joining *joining, struct http_request *request);
bool link_joining_serve(void *joining, struct http_request *request);

CLEANUP_DEFINE(struct link_joining, link_joining, link_joining_free);
#define _cleanup_link_joining_ _cleanup_(cleanup_link_joining)
