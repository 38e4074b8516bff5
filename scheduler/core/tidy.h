/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cell that lives long sees millions of names, owners, requests and rules come and go. What is
 * made for them (names, classes and shapes of tasks, lines and turns of the queue, groups of spread
 * rules, kinds of the rooms of alloc sets) is forgotten when nobody refers to it any more: all at
 * once, when as much was made since the last time as was in use then. The place of what is
 * forgotten is taken by what comes next, so memory is bounded by a few times the most that was
 * there at one time, and no number that a caller knows ever changes.
 */
#pragma once

#include "scheduler/core/state.h"

/* So much is made at least between two times. */
#define TIDY_LEAST 4096

/* Time to? Not in the middle of a change: nothing that is half made is marked. */
static inline bool tidy_is_due(const struct cell *cell)
{
	return cell->made >= cell->tidy_at;
}
