/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quota: how much of each resource an owner may ask for in a band, checked at admission and given
 * back when a task leaves the cell. Priority 0 needs none.
 */
#pragma once

#include "scheduler/core/state.h"

/* 0, or -EDQUOT with the resource, what is left and what was asked for. */
int quota_check(struct cell *cell, const struct job *job, struct err *err);
/* The same for a job that is there and asks for more (of some; less is always allowed). */
int quota_check_more(struct cell *cell, const struct cell_job *job, const struct amounts *more,
		     struct err *err);
/* A task of the job came to the cell, or left it. */
void quota_charge(struct cell *cell, const struct cell_job *job, const struct request *request);
void quota_return(struct cell *cell, const struct cell_job *job, const struct request *request);
