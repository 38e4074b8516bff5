/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's end of the link (scheduler/link/server.h): one message waits at the master for news,
 * and what comes up meanwhile goes with another. Nothing here ever blocks.
 */
#pragma once

#include "base/http/client.h"
#include "scheduler/agent/agent.h"

struct link_client;

struct link_client_options {
	const char *master;	 /* "https://HOST[:PORT]" */
	struct http_trust trust; /* the paths outlive the link */
};

int link_client_new(struct loop *loop, const struct link_client_options *options,
		    struct link_client **ret, struct err *err);
struct link_client *link_client_free(struct link_client *client);
const struct agent_link *link_client_link(const struct link_client *client);

CLEANUP_DEFINE(struct link_client, link_client, link_client_free);
#define _cleanup_link_client_ _cleanup_(cleanup_link_client)
