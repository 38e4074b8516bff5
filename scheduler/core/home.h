/* SPDX-License-Identifier: Apache-2.0 */
/* Where a group of tasks that stay together goes: the domain that takes them all, by trial. */
#pragma once

#include "scheduler/core/state.h"

/*
 * The first of a group decides for all: where the task's class has SPREAD_TOGETHER and none is
 * placed, the home becomes, of the domains that take all pending tasks of the job, the one with
 * the least CPU free, else the one that takes most. Where none takes any it binds nobody.
 * Whether a home was chosen now: it is a guess that knows nothing of ports, other rules and
 * preemption, so what finds no place with it is tried again without.
 */
bool home_choose(struct cell *cell, uint32_t task);
/* The task found no place: a home where nobody lives binds nobody. */
void home_forget(struct cell *cell, uint32_t task);
