/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine's helper for one stream (scheduler/api/streams.h), a process of its own: takes it up at
 * the master, executes `ctr logs` or `ctr exec` as the stream's task says, and carries its stdio,
 * until it has ended or whoever asked has left. It says no more at a time than the master has
 * taken, so that what writes a lot waits for who reads it.
 */
#pragma once

#include "base/http/client.h"

struct reach_options {
	const char *root, *runroot; /* of ctr; NULL: the defaults */
	const char *socket;	    /* of a master on this machine, or NULL: */
	const char *host_port;	    /* where it is, and */
	struct http_trust trust;    /* who we are */
	const char *stream;
};

/* Returns when all is over; signals are its own. */
int reach_run(const struct reach_options *options, struct err *err);
