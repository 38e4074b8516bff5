/* SPDX-License-Identifier: Apache-2.0 */
/* The search for the best machine, over a sample of the feasible ones. */
#pragma once

#include "scheduler/core/fit.h"

struct choice {
	uint32_t machine; /* NONE: it fits nowhere, and every machine that might hold it was seen */
	struct grip grip;
	float score;
	uint32_t examined;
	uint32_t notice_ms; /* that the victims are given */
};

/* avoid: a machine not to be taken while there is another; NONE. */
void place_choose(struct cell *cell, struct class *class, uint32_t avoid, struct choice *ret);

/* That machine and no other, where it fits there as things are; whether it does. */
bool place_choose_at(struct cell *cell, struct class *class, uint32_t machine, struct choice *ret);

/* The event of a decision: placed, or fits nowhere. */
void place_tell(struct cell *cell, uint32_t task, const struct choice *choice);
