/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks of a process in a task, and what its machine's helper is told to do
 * (scheduler/link/reach.h reads it). */
#pragma once

#include "scheduler/api/routes.h"

struct exec_request {
	struct arena *arena;
	uint32_t index; /* UINT32_MAX: of the only task */
	const char *const *command;
	const char *user, *workdir; /* or NULL */
	bool interactive, tty;
	int64_t rows, columns;
	char *shown; /* the command for people */
};

int streams_read_index(const struct call *call, uint32_t *ret, struct err *err);
int streams_read_exec(const struct call *call, struct exec_request *ret, struct err *err);
void exec_request_deinit(struct exec_request *request);

/* The texts are the caller's. */
int streams_write_logs(const struct call *call, const char *container, char **ret, struct err *err);
int streams_write_exec(const struct exec_request *request, const char *container, char **ret,
		       struct err *err);
