/* SPDX-License-Identifier: Apache-2.0 */
/* A machine of a cell has more or less than before: memory came, or its operator keeps some back.
 */
#pragma once

#include "scheduler/core/cell.h"

/*
 * A real machine without NUMA nodes. Whoever is there stays, while there is room: then the lowest
 * are preempted, and as the last of them production. -EINVAL, -ERANGE, -ENOMEM with nothing
 * changed.
 */
int cell_set_capacity(struct cell *cell, uint32_t machine, const struct amounts *capacity,
		      struct err *err);
