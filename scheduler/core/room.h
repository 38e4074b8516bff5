/* SPDX-License-Identifier: Apache-2.0 */
/* Taking and giving back room on a machine, with all that depends on it: index, score, bands. */
#pragma once

#include "scheduler/core/fit.h"

/* What the task holds, back into a room it is thought to leave. */
void room_add_task(const struct cell *cell, const struct task *task, struct room *room);

/* The task lies on task->machine with its grip from now on, or no longer. The caller keeps state.
 */
void room_take(struct cell *cell, uint32_t task);
void room_give(struct cell *cell, uint32_t task);
/* Limit less reservation of a task that lies on a machine. */
void room_set_slack(struct cell *cell, uint32_t task, struct node_room slack);
