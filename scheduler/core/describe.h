/* SPDX-License-Identifier: Apache-2.0 */
/* A job of the cell as it could be submitted again: what admission made of it, undone. */
#pragma once

#include "base/arena.h"
#include "scheduler/core/cell.h"

/* Everything but what it starts after and the cells it may run in. Lists live in the arena, strings
 * as long as the cell. 0 or -ENOMEM. */
int describe_job(const struct cell *cell, uint32_t job, struct arena *arena, struct job *ret);
