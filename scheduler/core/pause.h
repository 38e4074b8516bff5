/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paused tasks: victims whose jobs ask for it are not killed but stopped where they are. Such a
 * task still runs, as far as its state goes, and keeps memory, disk, ports and devices, but its CPU
 * is for others (all of it counts as slack). At the end of each pass those go on whose CPU is free
 * again, the highest priority first. Production is not paused: its CPU is promised by limits.
 */
#pragma once

#include "scheduler/core/state.h"

/* May it be paused now? */
bool pause_can(const struct cell *cell, uint32_t task);
/* The millicores that pausing it would free. */
int64_t pause_gain(const struct cell *cell, const struct task *task);
/* For that other task. It was checked that it can be. */
void pause_task(struct cell *cell, uint32_t task, uint32_t other);
/* It leaves its machine, or has all its CPU again: counts alone. */
void pause_over(struct cell *cell, uint32_t task);
/* Lets go on what can; whether there was any. */
bool pause_resume(struct cell *cell);
