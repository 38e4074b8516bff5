/* SPDX-License-Identifier: Apache-2.0 */
/* A way into the master: a method and a path, with the function that answers. Each file that has
 * some gives a table, which ends with a NULL method; api.c knows the tables. */
#pragma once

#include "base/json.h"
#include "scheduler/api/http.h"
#include "scheduler/master/caller.h"

struct master;

struct call {
	struct master *master;
	struct http_request *request;
	const struct caller *caller;
	const char *name;      /* what the path has behind the route; NULL */
	struct json_writer *w; /* of the answer, which is sent when the function returns 0 */
};

struct route {
	const char *method, *path; /* ends with '/': a name follows */
	int (*fn)(const struct call *call, struct err *err);
};

extern const struct route routes_secrets[];

/* What the query must have: -EINVAL with a sentence. */
int call_need(const struct call *call, const char *query, const char **ret, struct err *err);
