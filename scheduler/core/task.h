/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a task: each move from state to state in one place. A move that is not allowed is a
 * programmer's error and aborts. */
#pragma once

#include "scheduler/core/fit.h"

/* Pending to running. 0, or -ENOMEM with nothing changed. */
int task_start(struct cell *cell, uint32_t task, uint32_t machine, const struct grip *grip);

/* The task asks for what the class asks for from now on; where it runs it has that grip. */
void task_resize(struct cell *cell, uint32_t task, uint32_t class, const struct grip *grip);

/* For a trial: the task gives back its room as if it had left, and keeps its state; and has it
 * again. Nobody is told. */
void task_lift(struct cell *cell, uint32_t task);
bool task_could_be_put_back(const struct cell *cell, uint32_t task); /* by rules and ports */
void task_put_back(struct cell *cell, uint32_t task);

/* Takes back what task_start did just now: as if it had never run. */
void task_unstart(struct cell *cell, uint32_t task);
