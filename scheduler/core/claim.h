/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims: so that a large task cannot wait for ever behind a steady stream of small ones of its
 * priority. A class is stuck from when it is first proven to fit nowhere until one of its tasks is
 * placed. One that is stuck for longer than the cell's patience, and whose oldest task waits as
 * long, may claim the machine (a gang: all machines) where least work of tasks that are not higher
 * stands in its way. Nothing new of its own priority or below is placed there; what runs there ends
 * in its time, nobody is pushed out for it.
 *
 * Each band has one claim at most: of the highest priority, and there of the class that is stuck
 * longest. It ends when a task of the class is placed, none waits any more, or a machine of it
 * goes. When the patience has run out once more the claim is made anew, perhaps elsewhere, and
 * stands twice as long: so it comes to outlast whatever ends at all, and a task waits no longer
 * than the patience and four times the longest run in its way.
 */
#pragma once

#include "scheduler/core/state.h"

/* A task of the class has been proven to fit nowhere; or has been placed. */
void claim_stuck(struct cell *cell, struct class *class);
void claim_moved_on(struct cell *cell, struct class *class);
/* The machine takes nobody: who claims it must look elsewhere. */
void claim_lost(struct cell *cell, uint32_t machine);
/* At the end of a pass, when all that waits is blocked: makes and ends claims. Whether a claim has
 * ended, which may let others go on. */
bool claim_step(struct cell *cell);

/* Is the machine kept for somebody whom the class may not pass? */
static inline bool claim_bars(const struct cell *cell, const struct class *class, uint32_t machine)
{
	uint8_t claimed = cell->machines[machine].claimed;

	return claimed && claimed != class->claim &&
	       class->priority <= cell->claims[claimed - 1].priority;
}
