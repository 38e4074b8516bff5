/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runtime and cellar-systemd, the only program that speaks D-Bus, say to each other: one
 * JSON document on the helper's stdin and one on its stdout, then it ends.
 *
 *	{"version":1,"verb":"start","user":false,"unit":"cellar-a.scope","pid":12,
 *	 "properties":[{"name":"TasksMax","type":"t","values":["5"],"since":0}]}
 *	{"cgroup":"/system.slice/cellar-a.scope"}	or {"code":16,"error":"systemd: ..."}
 */
#pragma once

#include "cgroups/systemd_property.h"

#define SYSTEMD_REQUEST_VERSION 1
#define SYSTEMD_REQUEST_BYTES_MAX (1u << 20)

enum systemd_verb {
	SYSTEMD_START, /* a transient unit with pid in it (a slice has none) */
	SYSTEMD_SET,   /* properties, until the unit ends */
	SYSTEMD_STOP,  /* and forgets its failure; 0 also where there is no such unit */
	SYSTEMD_VERBS
};

struct systemd_request {
	enum systemd_verb verb;
	bool user; /* the manager of our user, not the system's */
	const char *unit;
	pid_t pid; /* 0: none */
	const struct systemd_property *properties;
	size_t properties_count;
};

/* The text, owned by the caller; NULL when out of memory. */
char *systemd_request_format(const struct systemd_request *request, size_t *ret_len);

/* Strings and properties live in the arena. */
int systemd_request_parse(const char *text, size_t len, struct arena *arena,
			  struct systemd_request *ret, struct err *err);

/* cgroup NULL: none; an error when err has a code. */
char *systemd_answer_format(const char *cgroup, const struct err *err, size_t *ret_len);

/* An error in the answer becomes this function's. ret_cgroup, of the arena: NULL where none. */
int systemd_answer_parse(const char *text, size_t len, struct arena *arena, const char **ret_cgroup,
			 struct err *err);
