/* SPDX-License-Identifier: Apache-2.0 */
/* Where a group of tasks that stay together goes: the domain that takes them all, by trial. */
#pragma once

#include "scheduler/core/state.h"

/*
 * For the pending tasks of a job whose class has SPREAD_TOGETHER and none placed: of the domains
 * that take all of them the one with the least CPU free, else the one that takes most. 0: none
 * takes any, or out of memory.
 */
uint32_t home_choose(struct cell *cell, uint32_t job);
