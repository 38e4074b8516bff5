/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup around all that an agent runs, where it is to have one (agent_options.cgroup): tasks
 * and allocs lie below it, and not below the host's root. Where the agent may use so much memory
 * and no more, that is the cgroup's limit, too; a lower one, which the operator has set, holds. So
 * several agents share a host without meeting, and one machine of a cell can be limited, counted
 * and killed by one folder. It is made where it is missing, and stays.
 */
#pragma once

#include "scheduler/agent/pressure.h"

/* Makes it. An error where it cannot be had; nothing happens without one. */
int slice_open(const struct agent *agent, struct err *err);

/* "" without one, else its path: what the paths of cgroups in it begin with. */
const char *slice_path(const struct agent *agent);

/* Memory that its limit leaves for tasks, of so much. */
int64_t slice_memory(const struct agent *agent, int64_t memory_bytes);

/* How its memory stands; false: it has no limit. */
bool slice_look(const struct agent *agent, struct pressure_look *ret);

/* The file that tells of stalls in it; false: there is none, and that of the machine is to be
 * taken. */
bool slice_stalls(const struct agent *agent, char path[static CGROUP_PATH_MAX]);
