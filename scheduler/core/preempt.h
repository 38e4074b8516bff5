/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preemption: who has to go so that a task can run. Victims have a lower priority, and production
 * never goes for production. Of all ways that were seen the one wins whose highest victim is in the
 * lowest band, then the one that loses least work (CPU times time run), then the one with fewest
 * victims. Below monitoring, disruption budgets hold. A victim preempts nobody in the pass in which
 * it was preempted.
 */
#pragma once

#include "scheduler/core/fit.h"

#define VICTIMS_MAX 32
#define PREEMPT_CANDIDATES 64 /* machines compared, as with placements */

struct preemption {
	uint32_t machine; /* NONE: there is no way */
	struct grip grip; /* of the task, once the victims are gone */
	uint32_t victims[VICTIMS_MAX];
	unsigned count;
	enum band band; /* of the highest victim */
	double lost;	/* millicore-milliseconds */
};

/* The victims leave the machine for the task. */
void preempt_evict(struct cell *cell, uint32_t task, uint32_t machine, const uint32_t *victims,
		   unsigned count);

void preempt_find(struct cell *cell, struct class *class, struct preemption *ret);

/* Could preemption on that machine help the class at all? Never says no where it could. */
bool preempt_might(struct cell *cell, struct class *class, uint32_t machine);

/* May a task of this priority take the place of one of that? */
bool preempt_allowed(unsigned priority, unsigned victim);
