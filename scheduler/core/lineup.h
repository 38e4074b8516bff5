/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tasks of one machine that could go for a class, and the choice among them: all subsets where
 * they are few, else from the lowest upwards and then whoever need not go stays.
 */
#pragma once

#include "scheduler/core/preempt.h"

#define LINEUP_EXACT 10 /* tasks up to which all subsets are tried */

struct candidate {
	double lost;
	uint32_t task;
	uint16_t order; /* in the machine's list: what decides between equals */
	uint8_t band;
	bool can_pause;
	bool must_go; /* it holds a port that is asked for */
	bool goes;    /* in the set that is looked at */
};

/* By rising band and lost work. */
struct lineup {
	const struct class *class;
	uint32_t machine;
	enum way way;
	unsigned count;
	bool budgets; /* one of them has one */
	bool pausing; /* one of them can be paused */
	struct candidate all[VICTIMS_MAX];
};

/* False: nobody there could go, or one has to and may not. */
bool lineup_fill(const struct cell *cell, const struct class *class, uint32_t machine, enum way way,
		 struct lineup *ret);
/* The room there would be if those went that are marked. */
void lineup_room(const struct cell *cell, const struct lineup *lineup, bool pause,
		 struct room *ret);
/* Replaces *best by the best way on this machine, where that is better. False: there is none. */
bool lineup_choose(const struct cell *cell, struct lineup *lineup, struct preemption *best);
