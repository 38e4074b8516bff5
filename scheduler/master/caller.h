/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks the master for a change. Whoever takes requests in (a unix socket, TLS, an agent for one
 * of its tasks) finds it out and answers for it; the master holds it against the policy and writes
 * it down. Every call of master.h that changes something takes one.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define CALLER_NAME_SIZE 128
#define CALLER_NO_UID ((uid_t)-1)

enum caller_role {
	CALLER_OWNER,	 /* speaks for the owner of its name, and for those the policy says */
	CALLER_OPERATOR, /* whoever runs the cell: may do everything */
	CALLER_TASK,	 /* a task of a job, which speaks for that job alone */
};

struct caller {
	char name[CALLER_NAME_SIZE]; /* "root", "alice", "uid-1000", of a task "JOB/INDEX" */
	enum caller_role role;
	uid_t uid; /* of a unix socket's other end, or CALLER_NO_UID */
};
