/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another number of tasks for a job that is there, or of allocs for an alloc set.
 *
 * What comes to a gang that runs, or to a set that is reserved, comes all at once or not at all
 * (gang.h). A task keeps its index for as long as it is there: when an alloc goes from the middle
 * of a set its index is free, and the next alloc that comes has the lowest free one.
 */
#pragma once

#include "scheduler/core/cell.h"

/*
 * asked: the job as it was submitted, with the number of tasks that it is to have. More: the new
 * ones pend. Fewer: those with the highest indexes end for good, and are forgotten. Of a set the
 * allocs go that are not reserved, then those that are empty, then the others, of each the highest
 * index first; what is in them pends, with its notice, for another alloc of the set. -ERANGE,
 * -EINVAL: no number; -EDQUOT, -ENOMEM. Nothing has changed when it fails, and fewer never fail.
 */
int cell_scale(struct cell *cell, uint32_t job, const struct job *asked, struct err *err);

/* Takes back what made a job larger, before anything was decided: gone are the tasks from that
 * index on, and those below it that had ended then. */
void cell_scale_undo(struct cell *cell, uint32_t job, uint32_t was, const bool *had_ended);

/* How many it has that have not ended: what cell_scale counts. */
uint32_t cell_scale_size(const struct cell *cell, uint32_t job);
/* By index: would it go if there were to be so many? Room for all of the job. */
void cell_scale_leavers(struct cell *cell, uint32_t job, uint32_t count, bool *ret_goes);

/* After a restart, by index: the pending tasks of a gang that had not joined it yet. 0 or -ENOMEM.
 */
int cell_scale_rejoin(struct cell *cell, uint32_t job, const bool *joining);
