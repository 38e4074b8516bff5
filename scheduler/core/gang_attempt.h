/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt to start a gang: its tasks are started and its victims lifted out for real, one after
 * the other, so that each step sees what those before it left; then all of it is taken back, or
 * carried out. Nobody is told of an attempt.
 */
#pragma once

#include "base/arena.h"
#include "scheduler/core/gang_search.h"
#include "scheduler/core/place.h"

/* On what is free, each where its checkpoint lies if it can; on what is free; with victims of lower
 * priority; as if nobody were in the way, see claim.h. */
enum gang_way { GANG_BACK, GANG_FREE, GANG_PREEMPT, GANG_CLAIM };

/* A task of the gang, and what it was before it was tried. */
struct gang_member {
	uint32_t task;
	struct choice choice;
	int64_t since_ms;
	uint32_t rather;
	bool down;
};

struct gang_lifted {
	uint32_t victim, member; /* for whom it was */
	bool stays;
};

struct gang_attempt {
	struct cell *cell;
	struct arena *arena;
	struct gang_member *members;
	size_t count, started;
	struct gang_lifted *lifted;
	size_t lifted_count, lifted_size;
	int error;
};

/* The task and all pending ones of its job that start with it, in order. 0 or -ENOMEM. All that it
 * needs is the arena's. */
int attempt_init(struct gang_attempt *a, struct cell *cell, uint32_t task, struct arena *arena);
/* Has one of them a checkpoint that lies somewhere? */
bool attempt_goes_back(const struct gang_attempt *a);
/* The largest first. */
void attempt_sort(struct gang_attempt *a);

/* All have a place, and run; or so many as `started` says, until one found none. */
bool attempt_all(struct gang_attempt *a, enum gang_way how);
/* The same, each on the machine that it is given, without those victims. */
bool attempt_seating(struct gang_attempt *a, const struct gang_seating *seating);
/* Whoever need not have gone stays, the dearest first. */
void attempt_spare(struct gang_attempt *a);
/* As it was before. What was found out stays in `members` and `lifted`. */
void attempt_undo(struct gang_attempt *a);

/* Of two that found a way: does the first have lower victims, or lose less? */
bool attempt_is_better(const struct gang_attempt *a, const struct gang_attempt *b);
