/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a container's health is looked after, as asked for when it is created. Plain data; zero: not
 * at all.
 */
#pragma once

#include <stdint.h>

enum shim_health_kind {
	SHIM_HEALTH_NONE,
	SHIM_HEALTH_EXEC, /* a process in the container that ends with 0 */
	SHIM_HEALTH_TCP,  /* its port takes a connection */
	SHIM_HEALTH_HTTP, /* a GET of a path is answered by a status from 200 to 399 */
};

/* What follows when it turns unhealthy. */
enum shim_health_action {
	SHIM_HEALTH_GO_ON,
	SHIM_HEALTH_RESTART, /* at once, whatever the policy */
	SHIM_HEALTH_KILL,    /* by SIGKILL; the restart policy has the last word */
	SHIM_HEALTH_STOP,    /* as a person stops it: no restart follows */
};

#define HEALTH_SHORTEST_NS INT64_C(1000000) /* of an interval or a time-out */

struct shim_health {
	enum shim_health_kind kind;
	const char *process_json; /* exec: an OCI process, without a terminal */
	uint16_t port;		  /* TCP, HTTP: in the container's network, at 127.0.0.1 */
	const char *path;	  /* HTTP: "/healthz" */
	/* Between the end of one look and the beginning of the next; of one look; after a start, in
	 * which failures do not count; instead of the first while that lasts. */
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns;
	uint32_t retries; /* so many failures in a row make it unhealthy */
	enum shim_health_action action;
	uint32_t stop_signal, stop_timeout_ms; /* of a restart or stop */
};
