/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API of a cell, HTTP and JSON below /v1 (docs/cell.md): routes from a request to the master.
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"

struct api;
struct loop;
struct master;

/* Serves a unix socket that only its owner may use; one that nobody listens on is replaced. */
int api_new(struct loop *loop, struct master *master, const char *socket_path, struct api **ret,
	    struct err *err);
struct api *api_free(struct api *api); /* removes the socket */

CLEANUP_DEFINE(struct api, api, api_free);
#define _cleanup_api_ _cleanup_(cleanup_api)
