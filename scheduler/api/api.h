/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API of a cell, HTTP and JSON below /v1 (docs/cell.md): routes from a request to the master.
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"

struct api;
struct http_request;
struct loop;
struct master;

/*
 * A unix socket that only its owner may use; one that nobody listens on is replaced. It is taken
 * before anything else is: -EADDRINUSE says that another celld is at work. Returns the descriptor.
 */
int api_listen(const char *socket_path, struct err *err);

/* listen_fd is the API's from now on; the path is removed in the end. */
int api_new(struct loop *loop, struct master *master, int listen_fd, const char *socket_path,
	    struct api **ret, struct err *err);
/* Whoever waits for news is answered now, and nobody waits any more: before any server whose
 * requests came here (api_serve) goes. api_free() does it, too. Takes NULL. */
void api_close(struct api *api);
struct api *api_free(struct api *api);

/* A request that came in elsewhere, from somebody who may ask. */
void api_serve(struct api *api, struct http_request *request);
/* Who sees requests before the API does, and answers those that are its own: true. One at most. */
typedef bool (*api_first_fn)(void *data, struct http_request *request);
void api_set_first(struct api *api, api_first_fn fn, void *data);

/* The certificates of that name count no more: what goes on for them ends with the sentence
 * (streams into tasks, events that are followed, requests that wait for news). */
void api_cut_off(struct api *api, const char *name, const char *sentence);

/* {"error": SENTENCE}, with the status of its code. */
void api_answer_error(struct http_request *request, const struct err *err);
/* The writer's text, with status 200. */
void api_answer_json(struct http_request *request, struct json_writer *w);

/* ---- for the routes (routes.h) ---- */

struct call;
struct waits;
struct waits *api_waits(struct api *api);
struct streams;
struct streams *api_streams(struct api *api);
/* Runs it with a writer of its own, and answers. */
void api_run(const struct call *call, int (*fn)(const struct call *call, struct err *err));

CLEANUP_DEFINE(struct api, api, api_free);
#define _cleanup_api_ _cleanup_(cleanup_api)
