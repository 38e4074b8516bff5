/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be asked of a cell: a table of methods and paths (docs/openapi.yaml describes each, and
 * a test compares the two).
 */
#pragma once

#include "base/json.h"
#include "scheduler/api/http.h"
#include "scheduler/master/caller.h"

#define ROUTE_NAME_SIZE 160

struct api;
struct loop;
struct master;

struct call {
	struct api *api;
	struct master *master;
	struct http_request *request;
	const struct caller *caller;
	const char *name; /* the {name} of the path; NULL */
	struct json_writer *w;
};

/* The answer was given by other means than the writer, or will be later. */
#define ROUTE_ANSWERED 1

struct route {
	const char *method, *path; /* "/v1/jobs/{job}/scale" */
	/* 0: the writer's text is the answer; ROUTE_ANSWERED; or -errno with the sentence. */
	int (*fn)(const struct call *call, struct err *err);
};

/* Ends with one that has no method. */
extern const struct route routes[];

/* Does the path fit the route's? ret_name: what stands for its {name}, "" where it has none. */
bool route_matches(const struct route *route, const char *path,
		   char ret_name[static ROUTE_NAME_SIZE]);

/* docs/openapi.yaml, as it was built in. */
const char *route_openapi(size_t *ret_len);
