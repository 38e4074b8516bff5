/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest single change with which a gang that waits would start. */
#pragma once

#include "scheduler/core/why.h"

/* Each change is tried for real, on a copy of the cell: the job goes, comes again as changed, and
 * is decided. For tasks that are to join a gang that runs only their number is tried, on the job as
 * it is. The cell stays as it is. 0 or -errno. */
int why_gang(struct cell *cell, uint32_t task, struct change *ret);
