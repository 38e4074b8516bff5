/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a task: each move from state to state in one place. A move that is not allowed is a
 * programmer's error and aborts. */
#pragma once

#include "scheduler/core/fit.h"

/* Pending to running. 0, or -ENOMEM with nothing changed. */
int task_start(struct cell *cell, uint32_t task, uint32_t machine, const struct grip *grip);
