/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preemption: who has to go so that a task can run. Victims have a lower priority, and production
 * never goes for production. Of all ways that were seen the one wins whose highest victim is in the
 * lowest band, then the one that loses least work (CPU times time run), then the one with fewest
 * victims. Below monitoring, disruption budgets hold. A victim preempts nobody in the pass in which
 * it was preempted.
 *
 * A victim is killed, checkpointed or paused, as its job says, with the notice that its job asks
 * for. A checkpoint lies on the machine: the task goes back there, where it can. Paused it keeps
 * its place and all it holds there but the CPU, and loses no work: so that is tried first; where
 * CPU alone is not enough, or for production, it is killed. See pause.h.
 */
#pragma once

#include "scheduler/core/fit.h"

#define VICTIMS_MAX 1024      /* on one machine */
#define PREEMPT_CANDIDATES 64 /* machines compared, as with placements */

/* Whom a way may ask to go, and how. */
enum way {
	WAY_PAUSE, /* whoever the rules allow; paused, where that is enough */
	WAY_LEAVE, /* the same, but that every victim leaves */
	WAY_CLAIM, /* whoever is not higher: where room would come of itself, see claim.h */
};

struct preemption {
	uint32_t machine; /* NONE: there is no way */
	bool pause;	  /* victims that can be paused are, and keep all but their CPU */
	struct grip grip; /* of the task, once the victims are gone */
	uint32_t victims[VICTIMS_MAX];
	unsigned count;
	enum band band; /* of the highest victim */
	double lost;	/* millicore-milliseconds */
};

/* The victims leave the machine for the task. Returns the longest notice that one is given, ms. */
uint32_t preempt_evict(struct cell *cell, uint32_t task, uint32_t machine, const uint32_t *victims,
		       unsigned count);
/* The same, but that those who can be paused are where the way says so. */
uint32_t preempt_carry_out(struct cell *cell, uint32_t task, const struct preemption *way);

/* avoid: a machine not to be taken while there is another; NONE. */
void preempt_find(struct cell *cell, struct class *class, uint32_t avoid, enum way way,
		  struct preemption *ret);

/* What goes with the task when it has to leave now: CPU times time run, in millicore-milliseconds.
 * Next to nothing where it can be checkpointed. */
double preempt_lost_work(const struct cell *cell, uint32_t task);
/* The least that it counts with: pausing it loses no more. */
double preempt_least_work(const struct cell *cell, uint32_t task);

/* Could preemption on that machine help the class at all? Never says no where it could. */
bool preempt_might(struct cell *cell, struct class *class, uint32_t machine);

/* May a task of this priority take the place of one of that? */
bool preempt_allowed(unsigned priority, unsigned victim);
