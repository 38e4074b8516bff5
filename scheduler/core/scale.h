/* SPDX-License-Identifier: Apache-2.0 */
/* Another number of tasks for a job that is there. */
#pragma once

#include "scheduler/core/cell.h"

/*
 * asked: the job as it was submitted, with the number of tasks that it is to have. More: the new
 * ones pend. Fewer: those with the highest indexes end for good, and are forgotten. -EINVAL for a
 * gang or an alloc set, which are whole or not at all; -ERANGE, -EDQUOT, -ENOMEM. Nothing has
 * changed when it fails, and fewer tasks never fail.
 */
int cell_scale(struct cell *cell, uint32_t job, const struct job *asked, struct err *err);
