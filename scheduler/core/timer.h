/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks that wait for their time: a heap by task.due_ms. */
#pragma once

#include "scheduler/core/state.h"

/* Room for one timer a task: 0 or -ENOMEM. */
int timer_reserve(struct cell *cell);
void timer_set(struct cell *cell, uint32_t task, int64_t due_ms);
void timer_cancel(struct cell *cell, uint32_t task);
/* The next task that is due by now, taken out; NONE. */
uint32_t timer_due(struct cell *cell);
