/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams that somebody at the master waits for: each is taken up by a helper, a process of its own
 * (scheduler/link/reach.h), which outlives the agent.
 */
#pragma once

#include "scheduler/agent/exchange.h"

struct agent;
struct reach;

/* Starts a helper for those that are new. */
void reach_heed(struct agent *agent, const struct machine_wants *wants);
/* The helpers go on. */
void reach_leave(struct agent *agent);
