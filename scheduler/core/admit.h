/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "scheduler/core/state.h"

#define ADMIT_TASKS_MAX 1000000 /* of a job */

/* Can anybody ask for that? -ERANGE or -EINVAL with a sentence about the job. */
int admit_check_request(const char *job, const struct request *request, struct err *err);

/* A task that pends, in no list yet. */
struct task admit_new(struct cell *cell, uint32_t j, uint32_t index, uint32_t class);
/* The job's tasks from that index up to its count, in its list by index, neither in the queue nor
 * counted anywhere. 0 or -ENOMEM: what was made stays, for admit_forget_from(). */
int admit_make_from(struct cell *cell, const struct job *job, uint32_t j, uint32_t from);
/* Its tasks from that index on, ended or never begun, are no more. */
void admit_forget_from(struct cell *cell, uint32_t j, uint32_t from);
