/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocs on this machine: room that is reserved for tasks of several jobs, as a cgroup with the
 * alloc's limits, in which those of its tasks lie: together they never take more. What the next
 * agent has to know of them stands below RUNROOT/.cell.
 */
#pragma once

#include "scheduler/agent/agent.h"

struct alloc;
struct box;

/* Takes up those of an earlier agent. */
void alloc_load(struct agent *agent);
/* Makes what the master wants and is not there, changes limits, removes what is not wanted and has
 * no box in it. */
void alloc_heed(struct agent *agent, const struct machine_wants *wants);
/* Their cgroups stay. */
void alloc_free(struct agent *agent);

/* The cgroup of an alloc of that name; lives as long as it does. NULL where it could not be made.
 */
const char *alloc_cgroup(const struct agent *agent, const char *name);
